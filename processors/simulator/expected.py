"""Which customers must get a decision, derived from flights and bookings alone, without any policy."""

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

    Each of them must get a decision. Raises ValueError for a threshold below
    :data:`~processors.simulator.announcements.NOTICED_FROM`, because shorter delays are not announced.
    """
    if threshold < NOTICED_FROM:
        raise ValueError(f"threshold: delays below {NOTICED_FROM} are not announced, got {threshold}")
    hit = {flight.flight_id for flight in flights if flight.delay is None or flight.delay >= threshold}
    return frozenset((booking.customer_id, booking.flight_id) for booking in bookings if booking.flight_id in hit)
