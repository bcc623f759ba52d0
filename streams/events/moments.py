"""Rejects implausible times in facts. Some systems write the year 1, 9999 or 2099 for an unknown time."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple, TypeVar, get_args, get_origin

from msgspec import Struct
from msgspec.structs import replace

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""An earlier time comes from a clock at zero, or from seconds taken for milliseconds."""

PLAUSIBLE = timedelta(days=3_653)
"""A plausible time is at most ten years before or after the fact occurred."""

R = TypeVar("R", bound=Struct)


def can_be_meant(moment: datetime, occurred_at: datetime) -> bool:
    """Return whether the moment is plausible for a fact of that time."""
    return moment >= EARLIEST and abs(moment - occurred_at) <= PLAUSIBLE


def as_known(event: R, occurred_at: datetime) -> R:
    """Return the fact without its implausible optional times, which count as unknown."""
    changes: dict[str, Any] = {}
    for name, required, holds in _moments(type(event)):
        value = getattr(event, name)
        if value is None:
            continue
        if holds:
            parts = tuple(as_known(part, occurred_at) for part in _each(value))
            if any(now is not was for now, was in zip(parts, _each(value), strict=True)):
                changes[name] = parts if isinstance(value, tuple) else parts[0]
        elif not required and not can_be_meant(value, occurred_at):
            changes[name] = None
    return replace(event, **changes) if changes else event


def wrong_moments(event: Struct, occurred_at: datetime, path: str = "") -> Iterator[tuple[str, datetime]]:
    """Yield the implausible required times, by the path of their field."""
    for name, required, holds in _moments(type(event)):
        value = getattr(event, name)
        if holds and value is not None:
            for part in _each(value):
                yield from wrong_moments(part, occurred_at, f"{path}{name}.")
        elif required and not can_be_meant(value, occurred_at):
            yield f"{path}{name}", value


class _Field(NamedTuple):
    name: str
    required: bool
    holds: bool
    """It is a record, or a tuple of records, that contains times."""


@cache
def _moments(cls: type[Any]) -> tuple[_Field, ...]:
    """Return the time fields of a fact, except when it occurred, and the fields that contain times."""
    found = []
    for name, hint in typing.get_type_hints(cls).items():
        kinds = get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
        for kind in kinds:
            kind = get_args(kind)[0] if get_origin(kind) is tuple else kind
            if kind is datetime and name != "occurred_at":
                found.append(_Field(name, required=len(kinds) == 1, holds=False))
            elif isinstance(kind, type) and issubclass(kind, Struct) and _moments(kind):
                found.append(_Field(name, required=len(kinds) == 1, holds=True))
    return tuple(found)


def _each(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)
