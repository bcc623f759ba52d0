"""Who must not be left without a word: worked out from flights and bookings alone, knowing nothing of any policy."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from processors.simulator.announcements import NOTICED_FROM
from processors.simulator.flights import Flight
from processors.simulator.passengers import Booking


def expected_customers(
    flights: Iterable[Flight], bookings: Iterable[Booking], threshold: timedelta
) -> frozenset[tuple[str, str]]:
    """Every (customer_id, flight_id) booked on a flight that was cancelled, or left ``threshold`` late or later.

    For each of them there is to be a decision. Raises ValueError for a threshold below
    :data:`~processors.simulator.announcements.NOTICED_FROM`: of shorter delays nobody is told.
    """
    if threshold < NOTICED_FROM:
        raise ValueError(f"threshold: delays below {NOTICED_FROM} are not announced, got {threshold}")
    hit = {flight.flight_id for flight in flights if flight.delay is None or flight.delay >= threshold}
    return frozenset((booking.customer_id, booking.flight_id) for booking in bookings if booking.flight_id in hit)
