"""Records as JSON documents and back. Times are ISO 8601, money is a string, bytes are base64."""

from __future__ import annotations

import json
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")


def to_plain(record: Any) -> dict[str, Any]:
    """The record as values that JSON has."""
    plain: dict[str, Any] = msgspec.to_builtins(record)
    return plain


def from_plain(cls: type[T], plain: Any) -> T:
    """The record again. Raises msgspec.ValidationError if the values are not of ``cls``."""
    return msgspec.convert(plain, cls)


def to_json(plain: Any) -> str:
    """Compact, and the same text for the same values: a set of documents holds each once."""
    return json.dumps(plain, separators=(",", ":"), ensure_ascii=False)
