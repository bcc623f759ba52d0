"""A replay's report for a person."""

from __future__ import annotations

import io
from datetime import timedelta

from processors.replay.show import show
from processors.terminal import Screen
from tests.journey.given import NOON
from tests.replay.test_difference import between, decided, report


def page(hours: range, *, more: int | None = None) -> list[str]:
    """The report of one letter in each of these hours, and one more in the replay."""
    recorded = [decided(number, decided_at=NOON + timedelta(hours=number)) for number in hours]
    extra = [] if more is None else [decided(99_999, decided_at=NOON + timedelta(hours=more))]
    out = io.StringIO()
    show(report(between(recorded, recorded + extra)), Screen(file=out, width=200), most=0)
    return out.getvalue().splitlines()


def test_a_day_is_told_hour_by_hour_where_somebody_heard() -> None:
    """Hours in which nothing was sent are not printed."""
    shown = [line for line in page(range(0, 8, 2), more=4) if line.strip().startswith("2026-02-09")]
    assert [line.split()[1] for line in shown] == ["12:00", "14:00", "16:00", "18:00"]
    assert shown[2].split()[2:] == ["1", "2", "+1"]


def test_of_a_longer_time_only_the_hours_that_differ_are_told() -> None:
    """Two years of letters are not ten thousand rows; how many hours are the same is said."""
    lines = page(range(10_000), more=30)
    assert [line.split()[:2] for line in lines if line.strip().startswith("202")] == [["2026-02-10", "18:00"]]
    assert "sent to customers: the same in 9,999 of 10,000 hours with any; all with --json." in lines


def test_without_a_difference_a_longer_time_has_no_rows() -> None:
    """Only that all hours are the same."""
    lines = page(range(100))
    assert not any(line.strip().startswith("202") for line in lines)
    assert "sent to customers: the same in 100 of 100 hours with any; all with --json." in lines
