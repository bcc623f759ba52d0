"""The made-up people are varied enough to try every rule on."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from zoneinfo import available_timezones

from processors.simulator import Passenger, StormDay, expected_customers
from streams import events
from tests.simulator.conftest import facts, flights_of_the_day

STORM_AT_NIGHT = {"Asia/Tokyo", "Australia/Sydney", "Europe/Berlin", "Pacific/Honolulu"}


def share(passengers: tuple[Passenger, ...], chosen: int) -> float:
    return chosen / len(passengers)


def test_every_flight_has_two_to_six_bookings(storm: StormDay) -> None:
    """Every flight of the day is booked by two to six passengers, no two of them the same."""
    booked = Counter(booking.flight_id for booking in storm.bookings)
    assert set(booked) == {flight.flight_id for flight in storm.flights}
    assert set(booked.values()) == {2, 3, 4, 5, 6}
    assert len({(item.customer_id, item.flight_id) for item in storm.bookings}) == len(storm.bookings)


def test_some_fly_twice(storm: StormDay) -> None:
    """About three in a hundred have a second booking, on a flight at least three hours after the first."""
    flights = flights_of_the_day(storm)
    booked: dict[str, list[str]] = {}
    for booking in storm.bookings:
        booked.setdefault(booking.customer_id, []).append(booking.flight_id)
    twice = [own for own in booked.values() if len(own) > 1]
    assert 0.02 < share(storm.passengers, len(twice)) < 0.045
    for first, second in twice:
        assert flights[second].scheduled_at - flights[first].scheduled_at >= timedelta(hours=3)


def test_some_forbid_it_and_some_cannot_be_reached(storm: StormDay) -> None:
    """About 4 % forbid service letters, 3 % have no e-mail address, 1 % have no IANA time zone."""
    people = storm.passengers
    assert 0.025 < share(people, sum(person.forbids_service_email for person in people)) < 0.055
    assert 0.02 < share(people, sum(person.email is None for person in people)) < 0.045
    zones = available_timezones()
    odd = [person.time_zone for person in people if person.time_zone not in zones]
    assert 0.004 < share(people, len(odd)) < 0.02
    assert None in odd
    assert len(set(odd)) == 2


def test_the_hard_cases_are_among_those_to_be_told(storm: StormDay) -> None:
    """Those without consent, without an address, in a sleeping time zone and with two bookings are hit by the storm."""
    expected = {customer_id for customer_id, _ in expected_customers(storm.flights, storm.bookings, timedelta(hours=1))}
    hit = [person for person in storm.passengers if person.customer_id in expected]
    assert any(person.forbids_service_email for person in hit)
    assert any(person.email is None for person in hit)
    assert {person.time_zone for person in hit} >= STORM_AT_NIGHT
    assert len({person.locale for person in hit}) >= 8
    pairs = expected_customers(storm.flights, storm.bookings, timedelta(hours=1))
    assert max(Counter(customer_id for customer_id, _ in pairs).values()) == 2


def test_what_they_said_is_what_was_published(storm: StormDay) -> None:
    """Profiles and consents reach the stream as the people were made up, before anything else of theirs."""
    profiles: dict[str, events.ProfileUpdated] = {}
    consents: dict[str, list[tuple[object, ...]]] = {}
    for event in facts(storm):
        if isinstance(event, events.ProfileUpdated):
            profiles.setdefault(event.customer_id, event)
        elif isinstance(event, events.ConsentChanged):
            consents.setdefault(event.customer_id, []).append((event.channel, event.purpose, event.status))
    for person in storm.customers:
        profile = profiles[person.customer_id]
        assert (profile.name, profile.locale, profile.time_zone) == (person.name, person.locale, person.time_zone)
        assert profile.addresses == person.addresses
        said = [(consent.channel, consent.purpose, consent.status) for consent in person.consents]
        assert consents.get(person.customer_id, []) == said


def test_nobody_real_can_be_written_to(storm: StormDay) -> None:
    """All addresses are at a reserved domain and all numbers in the range kept for fiction; no two share an address."""
    emails = [person.email for person in storm.customers if person.email]
    assert len(set(emails)) == len(emails)
    for person in storm.customers:
        for item in person.addresses:
            if item.channel is events.OutreachChannel.EMAIL:
                assert item.address.endswith("@passengers.example")
                assert item.address.isascii()
            else:
                assert item.channel is events.OutreachChannel.SMS
                assert item.address.startswith("+121255501")
                assert len(item.address) == 12


def test_others_shop_but_do_not_fly(storm: StormDay) -> None:
    """The customers who do not fly have no booking and hear of no delay."""
    others = {person.customer_id for person in storm.customers if not person.flying}
    assert len(others) == 1000
    assert not others & {booking.customer_id for booking in storm.bookings}
    seen = {type(event) for event in facts(storm) if event.customer_id in others}
    assert events.OrderShipped in seen
    assert not seen & {events.DelayNoticed, events.DelayEnded, events.OrderCancelled}
