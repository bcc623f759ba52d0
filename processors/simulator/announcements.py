"""An airline's announcements about one flight: made up and seeded, ending with what really happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random

from processors.simulator.flights import Flight
from processors.simulator.passengers import between
from streams.events import DelayReason

NOTICED_FROM = timedelta(minutes=10)
"""A flight that leaves at least this late is announced as late."""

SPREAD = timedelta(seconds=20)
"""Within this time after an announcement every passenger has been told; the next one is at least 30 s later."""

_LONG = timedelta(minutes=60)
_MINUTE = timedelta(minutes=1)
_STEP = 5  # minutes: an airline estimates in round numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """One announcement about a flight; ``expected_at`` is None for a cancellation. Times are aware UTC."""

    at: datetime
    expected_at: datetime | None
    cancelled: bool
    reason: DelayReason


def is_weather_day(flights: Sequence[Flight]) -> bool:
    """True if over a tenth of the day's flights were cancelled: then nearly every wait has one cause."""
    return sum(flight.cancelled for flight in flights) > 0.1 * len(flights)


def announcements(flight: Flight, *, weather: bool, rng: Random) -> tuple[Announcement, ...]:
    """The announcements about the flight, in order of time; () if it left less than :data:`NOTICED_FROM` late.

    A late flight: a first estimate below the final one, then revisions, each before the estimate before it has
    passed; the last one names the actual departure, ahead of it. A cancelled flight: perhaps one or two delays, then
    the cancellation, from 10 h before to 2 h after the scheduled departure.
    """
    reasons = (92, 7, 1) if weather else (30, 62, 8)
    reason = rng.choices((DelayReason.WEATHER, DelayReason.CARRIER, DelayReason.OTHER), reasons)[0]
    if flight.departed_at is None:
        return _cancelled(flight, reason, rng)
    delay = flight.departed_at - flight.scheduled_at
    return _late(flight, flight.departed_at, delay, reason, rng) if delay >= NOTICED_FROM else ()


def _late(
    flight: Flight, departed_at: datetime, delay: timedelta, reason: DelayReason, rng: Random
) -> tuple[Announcement, ...]:
    revisions = rng.randint(2, 4) if delay >= _LONG else rng.randint(1, 2)
    lower = range(_STEP, delay // _MINUTE, _STEP)
    minutes = sorted(rng.sample(lower, min(revisions, len(lower))))
    expected = [*(flight.scheduled_at + timedelta(minutes=minute) for minute in minutes), departed_at]
    if rng.random() < 0.8:
        at = between(flight.scheduled_at - 120 * _MINUTE, flight.scheduled_at - 5 * _MINUTE, rng)
    else:
        at = between(flight.scheduled_at - 5 * _MINUTE, flight.scheduled_at + 2 * _MINUTE, rng)
    told = [Announcement(at=at, expected_at=expected[0], cancelled=False, reason=reason)]
    for before, after in pairwise(expected):
        # Announced shortly before the previous estimate, and so always before the actual departure.
        at = between(max(at + _MINUTE, before - 25 * _MINUTE), before - _MINUTE / 2, rng)
        told.append(Announcement(at=at, expected_at=after, cancelled=False, reason=reason))
    return tuple(told)


def _cancelled(flight: Flight, reason: DelayReason, rng: Random) -> tuple[Announcement, ...]:
    scheduled_at = flight.scheduled_at
    if rng.random() < 0.65:
        cancelled_at = between(scheduled_at - 600 * _MINUTE, scheduled_at - 120 * _MINUTE, rng)
    else:
        cancelled_at = between(scheduled_at - 120 * _MINUTE, scheduled_at + 120 * _MINUTE, rng)
    told: list[Announcement] = []
    if cancelled_at > scheduled_at - 240 * _MINUTE and rng.random() < 0.6:
        gaps = [rng.randint(20 * 60, 80 * 60) for _ in range(rng.randint(1, 2))]
        expected_at = scheduled_at
        for seconds in (sum(gaps[index:]) for index in range(len(gaps))):
            at = cancelled_at - timedelta(seconds=seconds)
            late = max(expected_at, at) - scheduled_at
            expected_at = scheduled_at + timedelta(minutes=(late // (_STEP * _MINUTE) + rng.randint(4, 18)) * _STEP)
            told.append(Announcement(at=at, expected_at=expected_at, cancelled=False, reason=reason))
    told.append(Announcement(at=cancelled_at, expected_at=None, cancelled=True, reason=reason))
    return tuple(told)
