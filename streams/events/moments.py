"""Which moments of a fact can be meant. Some systems write the year 1, 9999 or 2099 for a time that nobody knows."""

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
"""An earlier moment is a clock at zero or seconds taken for milliseconds."""

PLAUSIBLE = timedelta(days=3_653)
"""A fact speaks of nothing that is more than ten years before or after it occurred."""

R = TypeVar("R", bound=Struct)


def can_be_meant(moment: datetime, occurred_at: datetime) -> bool:
    """Whether a fact of that time can be about this moment."""
    return moment >= EARLIEST and abs(moment - occurred_at) <= PLAUSIBLE


def as_known(event: R, occurred_at: datetime) -> R:
    """The fact without the optional moments that cannot be meant: those are not known."""
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
    """Those that cannot be meant although the fact cannot do without them, by the path of their field."""
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
    """It is a record with moments in it, or several such."""


@cache
def _moments(cls: type[Any]) -> tuple[_Field, ...]:
    """The moments of a fact besides the one that says when it occurred, and what has moments within."""
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
