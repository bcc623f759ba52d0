"""A simulated day can be made again, and hangs together."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from processors.simulator import (
    SIMULATED,
    SOURCE,
    STORM_DAY,
    StormDay,
    expected_customers,
    load_flights,
    storm_day,
)
from streams import events
from tests.simulator.conftest import SEED, facts, flights_of_the_day


def by_customer(storm: StormDay) -> dict[str, list[events.Touchpoint]]:
    """The facts of each customer, in order of occurrence."""
    grouped: dict[str, list[events.Touchpoint]] = defaultdict(list)
    for event in facts(storm):
        grouped[event.customer_id].append(event)
    return grouped


def test_the_same_seed_gives_the_same_day(storm: StormDay) -> None:
    """Whoever runs the day again with the same seed gets the same customers and the same events."""
    assert storm_day(date=STORM_DAY, seed=SEED) == storm


def test_another_seed_gives_another_day(storm: StormDay) -> None:
    """Another seed makes up other people and other events, around the same flights."""
    other = storm_day(date=STORM_DAY, seed=SEED + 1)
    assert other.flights == storm.flights
    assert other.customers != storm.customers
    ids = {arrival.event.event_id for arrival in storm.arrivals}
    assert not ids & {arrival.event.event_id for arrival in other.arrivals}


def test_a_day_has_at_least_thirty_thousand_touchpoints(storm: StormDay) -> None:
    """The day is large enough to show something, and its figures agree with its events."""
    counts = storm.counts()
    assert 32_000 <= counts.touchpoints <= 42_000
    assert counts.arrivals == len(storm.arrivals) == counts.touchpoints + counts.sent_twice
    assert sum(counts.by_type.values()) == counts.touchpoints
    assert counts.customers == len({event.customer_id for event in facts(storm)}) == len(storm.customers)
    told = {(event.customer_id, event.subject_id) for event in facts(storm) if isinstance(event, events.DelayNoticed)}
    assert counts.delays["late"] + counts.delays["cancelled"] == len(told)
    cancelled = {flight.flight_id for flight in storm.flights if flight.cancelled}
    assert counts.delays["cancelled"] == sum(booking.flight_id in cancelled for booking in storm.bookings)
    assert set(counts.by_type) == {
        *("AgentNoted", "ConsentChanged", "ContactClosed", "ContactOpened", "ContactReplied", "DelayEnded"),
        *(
            "DelayNoticed",
            "FeedbackGiven",
            "GestureGiven",
            "ItemUnavailable",
            "MentionPosted",
            "OrderCancelled",
            "OrderDelivered",
        ),
        *("OrderPlaced", "OrderShipped", "ProfileUpdated"),
    }


def test_events_arrive_in_order(storm: StormDay) -> None:
    """Arrivals are in order of time, none before the fact, and nearly all at once."""
    times = [arrival.at for arrival in storm.arrivals]
    assert times == sorted(times)
    assert all(arrival.at >= arrival.event.occurred_at for arrival in storm.arrivals)
    assert sum(arrival.at != arrival.event.occurred_at for arrival in storm.arrivals) < 0.01 * len(times)


def test_times_are_utc_to_the_millisecond(storm: StormDay) -> None:
    """Every time in every event is aware, in UTC, and as precise as the wire can carry."""
    for arrival in storm.arrivals:
        fields = (getattr(arrival.event, name) for name in arrival.event.__slots__)
        for value in (arrival.at, *fields):
            if isinstance(value, datetime):
                assert value.tzinfo is UTC, arrival
                assert value.microsecond % 1000 == 0, arrival


def test_the_day_begins_and_ends_when_it_says(storm: StormDay) -> None:
    """Everything happens from a day before the first departure until 30 hours after it."""
    first = min(flight.scheduled_at for flight in storm.flights)
    assert storm.opens_at == first - timedelta(hours=24)
    assert storm.closes_at == first + timedelta(hours=30)
    assert all(storm.opens_at <= event.occurred_at <= storm.closes_at for event in facts(storm))


def test_everybody_is_heard_of_late_in_the_day(storm: StormDay) -> None:
    """Every customer does something in the evening or the night after, and many in the last hour."""
    evening = min(flight.scheduled_at for flight in storm.flights) + timedelta(hours=14)
    assert all(told[-1].occurred_at >= evening for told in by_customer(storm).values())
    last_hour = storm.closes_at - timedelta(hours=1)
    assert len({event.customer_id for event in facts(storm) if event.occurred_at >= last_hour}) > 100


def test_ids_are_unique_but_for_the_planted_retries(storm: StormDay) -> None:
    """An event id stands for one fact; a few facts are sent again, unchanged, up to half an hour later."""
    copies: dict[str, list[tuple[datetime, events.Touchpoint]]] = defaultdict(list)
    for arrival in storm.arrivals:
        copies[arrival.event.event_id].append((arrival.at, arrival.event))
        assert str(UUID(arrival.event.event_id)) == arrival.event.event_id
    twice = [sent for sent in copies.values() if len(sent) > 1]
    assert 0.002 * len(copies) < len(twice) < 0.005 * len(copies)
    for (first_at, first), (second_at, second) in twice:
        assert first == second
        assert timedelta(minutes=1) <= second_at - first_at <= timedelta(minutes=30)


def test_a_few_notices_arrive_after_a_later_one(storm: StormDay) -> None:
    """A handful of notices are overtaken by their revision, and a handful of cancellations come minutes late."""
    seen: set[str] = set()
    newest: dict[tuple[str, str], datetime] = {}
    overtaken = late = 0
    for arrival in storm.arrivals:
        event = arrival.event
        if not isinstance(event, events.DelayNoticed) or event.event_id in seen:
            continue
        seen.add(event.event_id)
        pair = (event.customer_id, event.subject_id)
        overtaken += event.occurred_at < newest.get(pair, event.occurred_at)
        newest[pair] = max(event.occurred_at, newest.get(pair, event.occurred_at))
        late += event.cancelled and arrival.at > event.occurred_at + timedelta(minutes=4)
    assert 5 <= overtaken <= 60
    assert 5 <= late <= 40


def test_nothing_happens_to_a_customer_nobody_knows(storm: StormDay) -> None:
    """The first thing heard of a customer is who they are, and then what they allow."""
    for told in by_customer(storm).values():
        assert isinstance(told[0], events.ProfileUpdated)
        kinds = [isinstance(event, events.ConsentChanged) for event in told]
        assert not any(kinds[1 + sum(kinds) :]), told


def test_nothing_is_said_of_an_order_before_it_is_placed(storm: StormDay) -> None:
    """Delays, shipments, deliveries and cancellations come after the order that they are about."""
    placed: dict[str, datetime] = {}
    for event in facts(storm):
        if isinstance(event, events.OrderPlaced):
            placed[event.order_id] = event.occurred_at
        elif isinstance(
            event, events.DelayNoticed | events.OrderShipped | events.OrderDelivered | events.OrderCancelled
        ):
            assert event.order_id is not None
            assert placed[event.order_id] < event.occurred_at, event


def test_a_contact_is_answered_and_closed_after_it_was_opened(storm: StormDay) -> None:
    """Replies and ends belong to a contact that the same customer opened before, or to a post of theirs."""
    opened: dict[str, tuple[str, datetime]] = {}
    for event in facts(storm):
        if isinstance(event, events.ContactOpened):
            opened[event.contact_id] = (event.customer_id, event.occurred_at)
        elif isinstance(event, events.MentionPosted):
            opened[event.mention_id] = (event.customer_id, event.occurred_at)
        elif isinstance(event, events.ContactReplied | events.ContactClosed):
            customer_id, at = opened[event.contact_id]
            assert (customer_id, True) == (event.customer_id, at < event.occurred_at)


def test_bookings_are_orders_for_their_flight(storm: StormDay) -> None:
    """Every booking is placed as an order that promises the scheduled departure, before the first flight of the day."""
    flights = flights_of_the_day(storm)
    orders = {event.order_id: event for event in facts(storm) if isinstance(event, events.OrderPlaced)}
    first = min(flight.scheduled_at for flight in storm.flights)
    for booking in storm.bookings:
        order = orders[booking.order_id]
        assert (order.kind, order.customer_id, order.subject_id) == ("flight", booking.customer_id, booking.flight_id)
        assert order.promised_at == flights[booking.flight_id].scheduled_at
        assert order.occurred_at == booking.booked_at <= first


def test_worse_waits_bring_more_contacts_and_lower_scores(storm: StormDay) -> None:
    """Those whose flight was cancelled call more often and are less satisfied than those who left on time."""
    flights = flights_of_the_day(storm)
    hit = {item.customer_id for item in storm.bookings if flights[item.flight_id].cancelled}
    calm = {item.customer_id for item in storm.bookings} - {
        event.customer_id for event in facts(storm) if isinstance(event, events.DelayNoticed)
    }
    contacts: Counter[str] = Counter()
    scores: dict[str, list[int]] = defaultdict(list)
    for event in facts(storm):
        group = "hit" if event.customer_id in hit else "calm" if event.customer_id in calm else "other"
        contacts[group] += isinstance(event, events.ContactOpened)
        if isinstance(event, events.FeedbackGiven) and event.kind is events.FeedbackKind.CSAT and event.about:
            scores[group].append(event.score or 0)
    assert contacts["hit"] / len(hit) > 2 * contacts["calm"] / len(calm)
    assert sum(scores["hit"]) / len(scores["hit"]) < sum(scores["calm"]) / len(scores["calm"]) - 1


def test_scores_are_on_their_scale(storm: StormDay) -> None:
    """CSAT runs from 1 to 5 and NPS from 0 to 10; the other kinds carry words instead."""
    scale = {events.FeedbackKind.CSAT: (1, 5), events.FeedbackKind.NPS: (0, 10)}
    for event in facts(storm):
        if isinstance(event, events.FeedbackGiven):
            if event.kind in scale:
                low, high = scale[event.kind]
                assert event.score is not None
                assert low <= event.score <= high
            else:
                assert event.score is None
                assert event.text


def test_words_carry_their_tone(storm: StormDay) -> None:
    """Praise is praise and a complaint a complaint; of the stories some are good and some are sad. Scores have none."""
    tones: dict[events.FeedbackKind, set[events.Sentiment]] = defaultdict(set)
    for event in facts(storm):
        if isinstance(event, events.FeedbackGiven):
            tones[event.kind].add(event.sentiment)
    good, bad, none = events.Sentiment.POSITIVE, events.Sentiment.NEGATIVE, events.Sentiment.UNKNOWN
    assert tones == {
        events.FeedbackKind.CSAT: {none},
        events.FeedbackKind.NPS: {none},
        events.FeedbackKind.PRAISE: {good},
        events.FeedbackKind.COMPLAINT: {bad},
        events.FeedbackKind.STORY: {good, bad},
    }


def test_what_is_made_up_says_so(storm: StormDay) -> None:
    """Every event names the simulator as its source; every text is filled in."""
    assert {event.source for event in facts(storm)} == {SOURCE}
    assert "made up" in SIMULATED
    assert not any("{" in repr(event) for event in facts(storm))


def test_a_day_needs_flights() -> None:
    """A day without flights is refused rather than simulated as an empty one."""
    with pytest.raises(ValueError, match="flights"):
        storm_day(date=STORM_DAY, seed=1, flights=())


def test_a_part_of_the_day_can_be_simulated() -> None:
    """Given a few flights, only those are booked; who is expected to be told follows from them."""
    flights = load_flights(STORM_DAY)[:20]
    day = storm_day(date=STORM_DAY, seed=1, flights=flights)
    assert {booking.flight_id for booking in day.bookings} == {flight.flight_id for flight in flights}
    assert expected_customers(day.flights, day.bookings, timedelta(hours=1)) <= {
        (booking.customer_id, booking.flight_id) for booking in day.bookings
    }
