"""Durations as people write and read them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from streams.durations import in_hours, parse, span, spelled, whole_millis, whole_minutes, written


@pytest.mark.parametrize(
    ("text", "length", "words"),
    [
        ("0d", timedelta(0), "0 seconds"),
        ("1s", timedelta(seconds=1), "1 second"),
        ("90s", timedelta(seconds=90), "90 seconds"),
        ("30m", timedelta(minutes=30), "30 minutes"),
        ("90m", timedelta(minutes=90), "90 minutes"),
        ("2h", timedelta(hours=2), "2 hours"),
        ("1d", timedelta(days=1), "1 day"),
        ("2d", timedelta(days=2), "2 days"),
        ("36h", timedelta(hours=36), "36 hours"),
    ],
)
def test_written_read_and_spelled(text: str, length: timedelta, words: str) -> None:
    """A duration is written in the largest unit that fits, reads as it was, and is spelled in the same unit."""
    assert (written(length), parse(text), spelled(length)) == (text, length, words)


@pytest.mark.parametrize("text", ["", "30", "m", "1.5h", "-1h", "1w", "1 h", "1h30m", "\u0661h"])
def test_what_is_no_duration(text: str) -> None:
    """What is not a whole number and a unit is refused, and the answer says what to write."""
    with pytest.raises(ValueError, match="is not a duration; write 30m, 2h or 1d"):
        parse(text)


def test_longer_than_there_is() -> None:
    """A duration with more digits than time has is the longest there is, not an overflow."""
    assert parse("9" * 12 + "d") == timedelta.max


@pytest.mark.parametrize(
    ("minutes", "said"),
    [(-5, "0 min"), (0.4, "0 min"), (25, "25 min"), (125, "2 h 05 min"), (2_879, "47 h 59 min"), (2_880, "2 days")],
)
def test_a_span_to_the_minute(minutes: float, said: str) -> None:
    """How late or how long is said to the minute, from two days on in days."""
    assert span(timedelta(minutes=minutes)) == said


def test_counted() -> None:
    """What is counted in a unit drops the rest; hours are said with what is behind the point."""
    length = timedelta(hours=1, minutes=30, seconds=59, microseconds=1_999)
    assert (whole_minutes(length), whole_millis(length), in_hours(timedelta(minutes=30))) == (90, 5_459_001, "0.5")
