"""What passengers are told ends in what really happened."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from random import Random

import pytest

from processors.simulator import NOTICED_FROM, Booking, Flight, StormDay, expected_customers, load_flights
from processors.simulator.announcements import SPREAD, announcements, is_weather_day
from streams import events
from tests.simulator.conftest import facts, flights_of_the_day

MINUTE = timedelta(minutes=1)


def notices(storm: StormDay) -> dict[tuple[str, str], list[events.DelayNoticed]]:
    """What each booked customer was told of each flight, in order of occurrence."""
    told: dict[tuple[str, str], list[events.DelayNoticed]] = defaultdict(list)
    for event in facts(storm):
        if isinstance(event, events.DelayNoticed):
            told[event.customer_id, event.subject_id].append(event)
    return told


def test_every_booked_customer_of_a_late_or_cancelled_flight_is_told(storm: StormDay) -> None:
    """Whoever is booked on a flight that was cancelled or left ten minutes late hears of it; nobody else does."""
    assert set(notices(storm)) == expected_customers(storm.flights, storm.bookings, NOTICED_FROM)


def test_the_last_word_is_the_truth(storm: StormDay) -> None:
    """The last notice names the actual departure, or the cancellation; the earlier ones hoped for less of a wait."""
    flights = flights_of_the_day(storm)
    for (_, flight_id), told in notices(storm).items():
        flight = flights[flight_id]
        assert [word.cancelled for word in told] == [False] * (len(told) - 1) + [flight.cancelled]
        assert told[-1].expected_at == flight.departed_at
        expected = [word.expected_at for word in told if word.expected_at is not None]
        assert all(earlier < later for earlier, later in pairwise(expected))
        assert all(moment > flight.scheduled_at for moment in expected)


def test_a_time_is_named_before_it_has_passed(storm: StormDay) -> None:
    """No notice names a time that is over, and none arrives after the plane has left."""
    flights = flights_of_the_day(storm)
    first_arrival: dict[str, datetime] = {}
    for arrival in storm.arrivals:
        first_arrival.setdefault(arrival.event.event_id, arrival.at)
    for (_, flight_id), told in notices(storm).items():
        departed_at = flights[flight_id].departed_at
        for word in told:
            assert word.expected_at is None or word.occurred_at < word.expected_at
            assert departed_at is None or first_arrival[word.event_id] < departed_at
            assert word.promised_at == flights[flight_id].scheduled_at


def test_cancellations_come_near_the_departure(storm: StormDay) -> None:
    """A cancellation is announced from ten hours before to two hours after the scheduled departure."""
    flights = flights_of_the_day(storm)
    for (_, flight_id), told in notices(storm).items():
        flight = flights[flight_id]
        if flight.cancelled:
            wait = told[-1].occurred_at - flight.scheduled_at
            assert timedelta(hours=-10) <= wait <= timedelta(hours=2) + SPREAD


@pytest.mark.parametrize("day", [date(2013, 2, 8), date(2013, 7, 22), date(2013, 1, 9)])
@pytest.mark.parametrize("seed", range(5))
def test_announcements_hold_for_any_day_and_seed(day: date, seed: int) -> None:
    """Long delays are revised two to four times, short ones once or twice, always ahead of the departure."""
    flights = load_flights(day)
    for flight in flights:
        told = announcements(flight, weather=is_weather_day(flights), rng=Random(f"{seed}/{flight.flight_id}"))
        assert all(later.at - earlier.at > SPREAD for earlier, later in pairwise(told))
        assert all(word.expected_at is None or word.at + SPREAD < word.expected_at for word in told)
        if flight.departed_at is None:
            assert 1 <= len(told) <= 3
            assert told[-1].cancelled
            continue
        delay = flight.departed_at - flight.scheduled_at
        if delay < NOTICED_FROM:
            assert told == ()
            continue
        assert 2 <= len(told) - 1 <= 4 if delay >= 60 * MINUTE else 1 <= len(told) - 1 <= 2
        assert told[-1].at + SPREAD < flight.departed_at == told[-1].expected_at
        first = told[0].expected_at
        assert first is not None
        assert first < flight.departed_at


def test_a_flight_that_left_ends_the_wait(storm: StormDay) -> None:
    """At departure the booking is fulfilled for all on board, and the wait ends for those who were told of one."""
    flights = flights_of_the_day(storm)
    ended = {(e.customer_id, e.subject_id): e.occurred_at for e in facts(storm) if isinstance(e, events.DelayEnded)}
    delivered = {e.order_id: e.occurred_at for e in facts(storm) if isinstance(e, events.OrderDelivered)}
    told = notices(storm)
    for booking in storm.bookings:
        flight = flights[booking.flight_id]
        pair = (booking.customer_id, booking.flight_id)
        assert delivered.get(booking.order_id) == flight.departed_at
        assert ended.pop(pair, None) == (flight.departed_at if pair in told else None)
    assert not ended


def test_bookings_are_called_off_after_the_cancellation_is_known(storm: StormDay) -> None:
    """Some bookings on cancelled flights are cancelled by the company, at least an hour after the notice."""
    flight_of = {booking.order_id: booking.flight_id for booking in storm.bookings}
    told = notices(storm)
    off = [event for event in facts(storm) if isinstance(event, events.OrderCancelled)]
    cancelled = sum(words[-1].cancelled for words in told.values())
    assert 0.4 * cancelled < len(off) < 0.8 * cancelled
    for event in off:
        last = told[event.customer_id, flight_of[event.order_id]][-1]
        assert last.cancelled
        assert event.occurred_at >= last.occurred_at + timedelta(hours=1)
        assert event.by is events.CancelledBy.COMPANY


def test_in_a_storm_the_reason_is_mostly_the_weather(storm: StormDay) -> None:
    """On the day of the storm most waits are put down to the weather; on an ordinary day most are not."""
    reasons = [told[0].reason for told in notices(storm).values()]
    assert reasons.count(events.DelayReason.WEATHER) > 0.8 * len(reasons)
    assert not is_weather_day(load_flights(date(2013, 1, 9)))


def test_who_is_expected_to_be_told() -> None:
    """Expected are all on cancelled flights and on those that left as late as the threshold, or later."""
    left = load_flights(date(2013, 2, 8))[0].scheduled_at
    cases = {"gone": None, "late": left + 60 * MINUTE, "nearly": left + 59 * MINUTE, "early": left - MINUTE}
    flights = [_flight(name, left, departed_at) for name, departed_at in cases.items()]
    bookings = [
        Booking(
            order_id=f"B-{name}",
            customer_id=f"c-{name}",
            flight_id=name,
            booked_at=left,
            total=Decimal("1.00"),
            currency="USD",
        )
        for name in cases
    ]
    assert expected_customers(flights, bookings, 60 * MINUTE) == {("c-gone", "gone"), ("c-late", "late")}


def test_a_threshold_below_what_is_announced_is_refused(storm: StormDay) -> None:
    """Nobody can be told of a delay that is not announced: such a threshold is an error."""
    with pytest.raises(ValueError, match="threshold"):
        expected_customers(storm.flights, storm.bookings, 5 * MINUTE)


def _flight(name: str, scheduled_at: datetime, departed_at: datetime | None) -> Flight:
    return Flight(
        flight_id=name,
        carrier="UA",
        number=1,
        origin="LGA",
        destination="IAH",
        airline="United Air Lines Inc.",
        origin_city="New York LaGuardia",
        destination_city="Houston",
        destination_name=None,
        destination_zone=None,
        scheduled_at=scheduled_at,
        departed_at=departed_at,
    )
