"""Defines the order of events: a deadline fires before a record of the same time or later.

Each deadline fires at its own time, the earliest first, before the record is handled; a new deadline that it leads to
is ordered with the others. The processor, the replay, the tests and the benchmarks all use this module. Only the
oracles of the chaos drive (``tests/chaos``) implement it independently, so that they do not repeat a fault in here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from streams.clock import to_millis

if TYPE_CHECKING:  # callers with a single state need neither a partition nor a broker
    from streams.processor.deadlines import Deadlines


class Waiting(Protocol):
    """A state with a deadline."""

    @property
    def wake_at(self) -> datetime | None:
        """Aware UTC; None if time alone changes nothing."""
        ...


def due_before(wakes: Deadlines, moment: int) -> Iterator[tuple[int, str]]:
    """Yield the deadlines that fire before a record of that time, each as milliseconds and key.

    A deadline is removed from ``wakes`` when it is yielded: a caller that stops leaves the rest, and a deadline that is
    set meanwhile is among the next. So each new one must be later: see :func:`check_later`.
    """
    while (due := wakes.pop_due(moment)) is not None:
        yield due


def due_alone(state: Callable[[], Waiting | None], moment: datetime) -> Iterator[datetime]:
    """Yield the deadlines of a single state, read anew each time the next one is requested."""
    while (now := state()) is not None and now.wake_at is not None and now.wake_at <= moment:
        yield now.wake_at


def follow(wakes: Deadlines, key: str, state: Any) -> None:
    """Set the key's deadline to its new state's ``wake_at``; remove it if there is none."""
    wake_at = getattr(state, "wake_at", None)
    wakes.set(key, None if wake_at is None else to_millis(wake_at))


def check_later(wakes: Deadlines, key: str, fired: int) -> None:
    """Raise RuntimeError if a deadline's step (ms) leads to one that is not later, because it would fire for ever."""
    again = wakes.due(key)
    if again is not None and again <= fired:
        raise RuntimeError(f"a deadline of {key} is not later than the one that fired")
