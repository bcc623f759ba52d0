"""Records as JSON documents and back. Times are ISO 8601, money is a string, bytes are base64.

The view's documents omit every field that has its schema's default; published defaults never change.
"""

from __future__ import annotations

from functools import cache
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")


def to_plain(record: Any) -> dict[str, Any]:
    """The record as JSON values."""
    plain: dict[str, Any] = msgspec.to_builtins(record)
    return plain


def lean(record: Any) -> dict[str, Any]:
    """The record as JSON values, without the fields that have their default."""
    plain: dict[str, Any] = msgspec.to_builtins(_told(record))
    return plain


def from_plain(cls: type[T], plain: Any) -> T:
    """The record from :func:`to_plain` or :func:`lean`. Raises msgspec.ValidationError if the values do not fit."""
    return msgspec.convert(plain, cls)


def to_json(plain: Any) -> str:
    """Compact JSON; the same text for the same values, so that a set contains each document once."""
    return msgspec.json.encode(plain).decode()


def _told(record: msgspec.Struct) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for name, default in _defaults(type(record)):
        value = getattr(record, name)
        if value is default or value == default:
            continue
        if isinstance(value, msgspec.Struct):
            value = _told(value)
        elif value and isinstance(value, tuple) and isinstance(value[0], msgspec.Struct):
            value = [_told(one) for one in value]
        told[name] = value
    return told


@cache
def _defaults(cls: type[msgspec.Struct]) -> tuple[tuple[str, Any], ...]:
    """Each field with its default; a field without one is paired with an object that equals no value."""
    found = []
    for field in msgspec.structs.fields(cls):
        made = field.default_factory
        default = field.default if made is msgspec.NODEFAULT else made()
        found.append((field.name, default))
    return tuple(found)
