"""Clocks. Outside of tests and edges nobody asks what time it is: ``now`` is an argument."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Protocol

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999_000, UTC)
_MILLISECOND = timedelta(milliseconds=1)


def to_millis(moment: datetime) -> int:
    """Milliseconds since 1970 of an aware datetime, as Kafka counts them."""
    return (moment - EPOCH) // _MILLISECOND


def from_millis(millis: int) -> datetime:
    """The aware UTC datetime of milliseconds since 1970; the calendar's end for what lies beyond it."""
    try:
        return EPOCH + timedelta(0, 0, 0, millis)
    except OverflowError:  # a record's own time may be anything
        return _FIRST if millis < 0 else _LAST


def in_zone(moment: datetime, zone: tzinfo) -> datetime:
    """The moment as clocks show it in the zone; in UTC where that would be before the year 1 or after 9999."""
    try:
        return moment.astimezone(zone)
    except OverflowError:
        return moment.astimezone(UTC)


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Aware UTC, to the millisecond."""
        ...


class SystemClock:
    """The machine's wall clock."""

    def now(self) -> datetime:
        """Aware UTC, to the millisecond."""
        now = datetime.now(UTC)
        return now.replace(microsecond=now.microsecond // 1000 * 1000)


class ManualClock:
    """A clock that moves when it is told to: for tests, and for a day that is replayed."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        """The time it was set to."""
        return self._now

    def set(self, now: datetime) -> None:
        """Move to ``now``, backwards too."""
        self._now = now

    def advance(self, by: timedelta) -> None:
        """Move on."""
        self._now += by


class PartitionClock:
    """One partition's time in milliseconds: what its records say and, when caught up, the wall. Never goes back.

    The wall counts less ``settle``, so that a record still on its way is not overtaken by a timer it should precede.
    """

    __slots__ = ("_settle_ms", "millis")

    def __init__(self, millis: int = 0, *, settle: timedelta = timedelta(milliseconds=500)) -> None:
        self.millis = millis
        self._settle_ms = settle // _MILLISECOND

    def observe(self, record_millis: int) -> int:
        """Take a record's timestamp into account; the time it is now."""
        if record_millis > self.millis:
            self.millis = record_millis
        return self.millis

    def tick(self, wall_millis: int) -> int:
        """Take the wall clock into account; the time it is now."""
        return self.observe(wall_millis - self._settle_ms)
