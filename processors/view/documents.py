"""Records as JSON documents and back. Times are ISO 8601, money is a string, bytes are hexadecimal."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

import cattrs

T = TypeVar("T")

_converter = cattrs.Converter(detailed_validation=False)
_converter.register_unstructure_hook(datetime, datetime.isoformat)
_converter.register_structure_hook(datetime, lambda text, _: datetime.fromisoformat(text))
_converter.register_unstructure_hook(Decimal, str)
_converter.register_structure_hook(Decimal, lambda text, _: Decimal(text))
_converter.register_unstructure_hook(bytes, bytes.hex)
_converter.register_structure_hook(bytes, lambda text, _: bytes.fromhex(text))


def to_plain(record: Any) -> dict[str, Any]:
    """The record as values that JSON has."""
    plain: dict[str, Any] = _converter.unstructure(record)
    return plain


def from_plain(cls: type[T], plain: Any) -> T:
    """The record again. Raises what cattrs raises if the values are not of ``cls``."""
    record: T = _converter.structure(plain, cls)
    return record


def to_json(plain: Any) -> str:
    """Compact, and the same text for the same values: a set of documents holds each once."""
    return json.dumps(plain, separators=(",", ":"), ensure_ascii=False)
