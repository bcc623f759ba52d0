"""Time: in milliseconds, passed as an argument, and on a partition never going back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from streams.clock import ManualClock, PartitionClock, SystemClock, from_millis, to_millis
from tests.streams.given import NOON


@given(st.integers(to_millis(datetime(1, 1, 2, tzinfo=UTC)), to_millis(datetime(9999, 12, 30, tzinfo=UTC))))
def test_milliseconds_there_and_back(millis: int) -> None:
    """No millisecond is lost between a moment and its number, before 1970 either."""
    assert to_millis(from_millis(millis)) == millis


def test_a_moment_is_the_same_in_every_zone() -> None:
    """A moment has the same milliseconds in every time zone."""
    assert to_millis(NOON.astimezone(timezone(timedelta(hours=5, minutes=30)))) == to_millis(NOON)


def test_parts_of_a_millisecond_are_left_out() -> None:
    """Fractions of a millisecond are cut off, never rounded up."""
    assert to_millis(NOON + timedelta(microseconds=999)) == to_millis(NOON)


def test_the_wall_clock_tells_utc_to_the_millisecond() -> None:
    """The system clock returns aware UTC, to the millisecond."""
    before, now, after = datetime.now(UTC), SystemClock().now(), datetime.now(UTC)
    assert before - timedelta(milliseconds=1) <= now <= after
    assert now.tzinfo is UTC
    assert now.microsecond % 1000 == 0


def test_a_manual_clock_moves_when_told() -> None:
    """A manual clock can be set forward and backward."""
    clock = ManualClock(NOON)
    clock.advance(timedelta(minutes=5))
    assert clock.now() == NOON + timedelta(minutes=5)
    clock.set(NOON)
    assert clock.now() == NOON


class TestPartitionClock:
    def test_goes_by_the_records(self) -> None:
        """The clock has the time of the latest record."""
        clock = PartitionClock()
        assert [clock.observe(millis) for millis in (10, 30, 20, 31)] == [10, 30, 30, 31]

    def test_the_wall_counts_a_little_less(self) -> None:
        """The wall clock counts minus the settling time, so that a deadline does not overtake an earlier record."""
        clock = PartitionClock(settle=timedelta(milliseconds=500))
        assert clock.tick(2_000) == 1_500

    @given(st.lists(st.tuples(st.booleans(), st.integers(0, 10_000))))
    def test_never_goes_back(self, seen: list[tuple[bool, int]]) -> None:
        """Neither a wall clock that is set back nor an old record moves the clock back."""
        clock = PartitionClock(1_000)
        told = [clock.tick(millis) if wall else clock.observe(millis) for wall, millis in seen]
        assert told == sorted(told)
        assert all(moment >= 1_000 for moment in told)


@given(st.integers())
def test_a_time_beyond_the_calendar_is_its_end(millis: int) -> None:
    """A timestamp beyond the calendar gives its first or last moment."""
    assert datetime(1, 1, 1, tzinfo=UTC) <= from_millis(millis) <= datetime(9999, 12, 31, 23, 59, 59, 999_000, UTC)
