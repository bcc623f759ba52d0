"""What comes first: a deadline fires before the record that is later than it, or of the same moment.

Each fires at its own time, the earliest first, before the record is handled; the new deadline that it leads to takes
its place among the others. The processor, the replay, the tests and the benchmarks all ask here. Only the oracles of
the chaos drive (``tests/chaos``) say it once more on their own, so that a fault in here is not repeated there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from streams.clock import to_millis

if TYPE_CHECKING:  # whoever has one state alone needs neither a partition nor a broker
    from streams.processor.deadlines import Deadlines


class Waiting(Protocol):
    """A state with a deadline."""

    @property
    def wake_at(self) -> datetime | None:
        """Aware UTC; None: time alone changes nothing."""
        ...


def due_before(wakes: Deadlines, moment: int) -> Iterator[tuple[int, str]]:
    """The deadlines that fire before a record of that moment, each in milliseconds with its key.

    One is taken out of ``wakes`` when it is asked for: whoever asks for no more leaves the rest, and a deadline that is
    set meanwhile is among the next. That is why time has to go on: see :func:`check_later`.
    """
    while (due := wakes.pop_due(moment)) is not None:
        yield due


def due_alone(state: Callable[[], Waiting | None], moment: datetime) -> Iterator[datetime]:
    """The same for one key without a partition: the deadlines of its state, as it is whenever the next is asked for."""
    while (now := state()) is not None and now.wake_at is not None and now.wake_at <= moment:
        yield now.wake_at


def follow(wakes: Deadlines, key: str, state: Any) -> None:
    """The key is woken when its new state says; not at all where that has no ``wake_at``, or is None."""
    wake_at = getattr(state, "wake_at", None)
    wakes.set(key, None if wake_at is None else to_millis(wake_at))


def check_later(wakes: Deadlines, key: str, fired: int) -> None:
    """Raises RuntimeError where the step of a deadline (ms) leads to one that is not later: it would fire for ever."""
    again = wakes.due(key)
    if again is not None and again <= fired:
        raise RuntimeError(f"a deadline of {key} is not later than the one that fired")
