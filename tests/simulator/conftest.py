"""One simulated storm day, shared by the tests that only look at it."""

from __future__ import annotations

import pytest

from processors.simulator import STORM_DAY, Flight, StormDay, storm_day
from streams import events

SEED = 20130208


@pytest.fixture(scope="session")
def storm() -> StormDay:
    return storm_day(date=STORM_DAY, seed=SEED)


def facts(storm: StormDay) -> list[events.Touchpoint]:
    """Every fact once, in order of occurrence."""
    by_id = {arrival.event.event_id: arrival.event for arrival in storm.arrivals}
    return sorted(by_id.values(), key=lambda event: event.occurred_at)


def flights_of_the_day(storm: StormDay) -> dict[str, Flight]:
    """The flights by their id."""
    return {flight.flight_id: flight for flight in storm.flights}
