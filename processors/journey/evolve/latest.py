"""Which of two words counts: the one rule that every fold compares by, so that the order of arrival decides nothing."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar

from streams.events import Value, replace

R = TypeVar("R", bound=Value)


def counts(said: Any, at: datetime, known: Any, known_at: datetime | None) -> bool:
    """Whether ``said`` counts, and not what is known: the one said later; of the same moment the greater as it is
    written down. Not by event id: the same word comes under other ids, told by a merged record or published again."""
    if known_at is None or at > known_at:
        return True
    return at == known_at and repr(said) > repr(known)


def earliest(*moments: datetime | None) -> datetime | None:
    """The earliest of the moments that are known."""
    return min((one for one in moments if one is not None), default=None)


def told(record: R, name: str, said: Any, at: datetime) -> R:
    """The record with the word in that field, if there is one and it counts; ``<name>_as_of`` says since when.

    What is known without a time, from before times were kept, is as old as the record."""
    known = getattr(record, name)
    if said is None:
        return record
    since = getattr(record, f"{name}_as_of")
    if since is None and known not in (None, ()):
        since = getattr(record, "as_of")  # noqa: B009
    if not counts(said, at, known, since):
        return record
    return replace(record, **{name: said, f"{name}_as_of": at})
