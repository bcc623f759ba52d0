"""Clocks. Only edges and tests read a clock; everywhere else ``now`` is an argument."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Protocol

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999_000, UTC)
_MILLISECOND = timedelta(milliseconds=1)


def to_millis(moment: datetime) -> int:
    """Convert an aware datetime to milliseconds since 1970, like Kafka's timestamps."""
    return (moment - EPOCH) // _MILLISECOND


def from_millis(millis: int) -> datetime:
    """Convert milliseconds since 1970 to an aware UTC datetime; values beyond the calendar give its first or last
    moment."""
    try:
        return EPOCH + timedelta(0, 0, 0, millis)
    except OverflowError:  # a record's own timestamp may be any number
        return _FIRST if millis < 0 else _LAST


def in_zone(moment: datetime, zone: tzinfo) -> datetime:
    """Return the moment in the zone's local time; in UTC if that would be before the year 1 or after 9999."""
    try:
        return moment.astimezone(zone)
    except OverflowError:
        return moment.astimezone(UTC)


class Clock(Protocol):
    """Tells the current time."""

    def now(self) -> datetime:
        """Return the time in aware UTC, to the millisecond."""
        ...


class SystemClock:
    """The machine's wall clock."""

    def now(self) -> datetime:
        """Return the time in aware UTC, to the millisecond."""
        now = datetime.now(UTC)
        return now.replace(microsecond=now.microsecond // 1000 * 1000)


class ManualClock:
    """A clock that moves only when it is set: for tests, and for replaying a past day."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        """Return the time that it was set to."""
        return self._now

    def set(self, now: datetime) -> None:
        """Set the time to ``now``, also backwards."""
        self._now = now

    def advance(self, by: timedelta) -> None:
        """Move forward by a duration."""
        self._now += by


class PartitionClock:
    """One partition's time in milliseconds, from its records' timestamps and, once caught up, the wall clock. It never
    goes back.

    The wall clock counts minus ``settle``, so that no timer overtakes an earlier record that is still on its way.
    """

    __slots__ = ("_settle_ms", "millis")

    def __init__(self, millis: int = 0, *, settle: timedelta = timedelta(milliseconds=500)) -> None:
        self.millis = millis
        self._settle_ms = settle // _MILLISECOND

    def observe(self, record_millis: int) -> int:
        """Take a record's timestamp into account, and return the resulting time."""
        if record_millis > self.millis:
            self.millis = record_millis
        return self.millis

    def tick(self, wall_millis: int) -> int:
        """Take the wall clock into account, and return the resulting time."""
        return self.observe(wall_millis - self._settle_ms)
