"""The rule that decides which of two statements counts. Every fold uses it, so that the order of arrival does not
matter."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar

from streams.events import Value, replace

R = TypeVar("R", bound=Value)


def counts(said: Any, at: datetime, known: Any, known_at: datetime | None) -> bool:
    """Return whether ``said`` replaces ``known``: the later statement counts; at the same moment, the one whose
    ``repr`` is greater. Not by event id, because a merged record or a republished event repeats a statement under
    another id."""
    if known_at is None or at > known_at:
        return True
    return at == known_at and repr(said) > repr(known)


def earliest(*moments: datetime | None) -> datetime | None:
    """Return the earliest of the moments that are known, None if none is."""
    return min((one for one in moments if one is not None), default=None)


def told(record: R, name: str, said: Any, at: datetime) -> R:
    """Return the record with the field ``name`` set to ``said``, unless ``said`` is None or older than what is known.
    ``<name>_as_of`` holds the time of the statement; without one (in older states) the value is as old as the
    record."""
    known = getattr(record, name)
    if said is None:
        return record
    since = getattr(record, f"{name}_as_of")
    if since is None and known not in (None, ()):
        since = getattr(record, "as_of")  # noqa: B009
    if not counts(said, at, known, since):
        return record
    return replace(record, **{name: said, f"{name}_as_of": at})
