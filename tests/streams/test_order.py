"""A deadline fires before a later record, wherever time passes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from streams.clock import to_millis
from streams.order import check_later, due_alone, due_before, follow
from streams.processor.deadlines import Deadlines

NOON = datetime(2026, 2, 9, 12, tzinfo=UTC)
AT_NOON = to_millis(NOON)


@dataclass
class Waits:
    """A state that has only a deadline."""

    wake_at: datetime | None


def waiting(**minutes: int) -> Deadlines:
    """Return deadlines at so many minutes after noon."""
    wakes = Deadlines()
    for key, minute in minutes.items():
        follow(wakes, key, Waits(NOON + timedelta(minutes=minute)))
    return wakes


def test_before_the_record_of_the_same_moment() -> None:
    """Deadlines at a record's time or earlier fire before it, the earliest first; later ones do not fire."""
    wakes = waiting(late=31, soon=5, just=30)
    at = [AT_NOON + minutes * 60_000 for minutes in (5, 30, 31)]
    assert list(due_before(wakes, at[1])) == [(at[0], "soon"), (at[1], "just")]
    assert wakes.due("late") == at[2]


def test_a_deadline_set_meanwhile_takes_its_place() -> None:
    """A deadline that another one sets fires in order too."""
    wakes, fired = waiting(a=1, c=3), []
    for millis, key in due_before(wakes, AT_NOON + 180_000):
        fired.append(key)
        if key == "a":
            wakes.set("b", millis + 60_000)
    assert fired == ["a", "b", "c"]


def test_who_asks_for_no_more_leaves_the_rest() -> None:
    """A caller that stops iterating leaves the remaining deadlines."""
    wakes = waiting(a=1, b=2)
    deadlines = due_before(wakes, AT_NOON + 180_000)
    assert next(deadlines)[1] == "a"
    del deadlines
    assert wakes.keys() == ["b"]


def test_one_customer_alone() -> None:
    """The deadlines of a single state fire as on a partition."""
    state, fired = Waits(NOON), []
    for due in due_alone(lambda: state, NOON + timedelta(minutes=10)):
        fired.append(due)
        state.wake_at = due + timedelta(minutes=5)
    assert fired == [NOON, NOON + timedelta(minutes=5), NOON + timedelta(minutes=10)]
    assert list(due_alone(lambda: None, NOON)) == list(due_alone(lambda: Waits(None), NOON)) == []


def test_a_state_that_waits_for_nothing_is_not_woken() -> None:
    """A key whose state is deleted or has no deadline is not woken."""
    wakes = waiting(a=1, b=2)
    follow(wakes, "a", None)
    follow(wakes, "b", Waits(None))
    assert len(wakes) == 0


def test_time_goes_on() -> None:
    """A deadline that leads to one not later than itself is an error, because it would fire for ever."""
    wakes = waiting(a=1)
    check_later(wakes, "a", AT_NOON)
    check_later(wakes, "b", AT_NOON)
    with pytest.raises(RuntimeError, match="a deadline of a is not later than the one that fired"):
        check_later(wakes, "a", AT_NOON + 60_000)
