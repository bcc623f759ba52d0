"""The events of one flight's passengers: delay notices, departure or cancellation, and what they say about it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random

from processors.simulator import texts
from processors.simulator.announcements import SPREAD, Announcement
from processors.simulator.contacts import Voices, soon
from processors.simulator.flights import NEW_YORK, Flight
from processors.simulator.journal import SOURCE, Journal
from processors.simulator.passengers import Booking, between
from streams.events import CancelledBy, DelayEnded, DelayNoticed, DelayReason, OrderCancelled, OrderDelivered

SUBJECT_KIND = "flight"
"""The subject kind of flights, in delay events and bookings."""

_OVERTAKEN = 0.015  # share of superseded notices that arrive after the one that supersedes them
_LATE = 0.008  # share of cancellations that their publisher sends 5 to 40 minutes late
_LONGEST = timedelta(hours=4)  # the wait with the highest stress


def words_of(flight: Flight) -> dict[str, str]:
    """The words to insert into texts about a flight."""
    return {"city": flight.destination_city, "flight": f"{flight.carrier} {flight.number}"}


def fly(flight: Flight, booking: Booking, told: Sequence[Announcement], *, journal: Journal, rng: Random) -> datetime:
    """Write all events of one booked customer to the journal; returns the time of departure or cancellation."""
    heard = _notices(flight, booking, told, journal, rng)
    ended_at = _ending(flight, booking, heard, journal, rng)
    _talk(flight, booking, heard, ended_at, journal, rng)
    return ended_at


def _notices(
    flight: Flight, booking: Booking, told: Sequence[Announcement], journal: Journal, rng: Random
) -> list[DelayNoticed]:
    notices: list[DelayNoticed] = []
    for number, word in enumerate(told):
        at = between(word.at, word.at + SPREAD, rng)
        chance = rng.random()
        late = timedelta()
        if number + 1 < len(told) and chance < _OVERTAKEN:
            late = told[number + 1].at + SPREAD - at + timedelta(milliseconds=rng.randint(1_000, 30_000))
        elif word.cancelled and chance < _LATE:
            late = timedelta(milliseconds=rng.randint(300_000, 2_400_000))
        notice = DelayNoticed(
            event_id="",
            customer_id=booking.customer_id,
            occurred_at=at,
            source=SOURCE,
            subject_kind=SUBJECT_KIND,
            subject_id=flight.flight_id,
            description=flight.description,
            order_id=booking.order_id,
            promised_at=flight.scheduled_at,
            expected_at=word.expected_at,
            cancelled=word.cancelled,
            reason=word.reason,
            time_zone=NEW_YORK.key,
        )
        journal.add(notice, late=late)
        notices.append(notice)
    return notices


def _ending(flight: Flight, booking: Booking, heard: Sequence[DelayNoticed], journal: Journal, rng: Random) -> datetime:
    if flight.departed_at is None:
        # Some bookings are cancelled an hour or more later; the others wait to be rebooked.
        cancelled_at = heard[-1].occurred_at
        if rng.random() < 0.6:
            cause = "snow" if heard[-1].reason is DelayReason.WEATHER else "operational reasons"
            journal.add(
                OrderCancelled(
                    event_id="",
                    customer_id=booking.customer_id,
                    occurred_at=between(cancelled_at + timedelta(hours=1), cancelled_at + timedelta(hours=5), rng),
                    source=SOURCE,
                    order_id=booking.order_id,
                    by=CancelledBy.COMPANY,
                    reason=f"The flight was cancelled because of {cause}; the fare is refunded.",
                )
            )
        return cancelled_at
    if heard:
        journal.add(
            DelayEnded(
                event_id="",
                customer_id=booking.customer_id,
                occurred_at=flight.departed_at,
                source=SOURCE,
                subject_kind=SUBJECT_KIND,
                subject_id=flight.flight_id,
            )
        )
    journal.add(
        OrderDelivered(
            event_id="",
            customer_id=booking.customer_id,
            occurred_at=flight.departed_at,
            source=SOURCE,
            order_id=booking.order_id,
        )
    )
    return flight.departed_at


def _talk(
    flight: Flight,
    booking: Booking,
    heard: Sequence[DelayNoticed],
    ended_at: datetime,
    journal: Journal,
    rng: Random,
) -> None:
    voices = Voices(journal=journal, rng=rng, customer_id=booking.customer_id)
    words = words_of(flight)
    matter = flight.flight_id
    stress = 1.0 if flight.delay is None else min(1.0, max(0.0, flight.delay / _LONGEST))
    if rng.random() < 0.12:
        latest = flight.scheduled_at - timedelta(hours=1)
        if heard:
            latest = min(latest, heard[0].occurred_at)
        at = between(booking.booked_at, latest, rng)
        voices.contact(at, asked=texts.ASKED_CALM, matter=booking.order_id, stress=0.1, words=words)
    if heard and rng.random() < 0.15 + 0.55 * stress:
        asked = texts.ASKED_CANCELLED if flight.cancelled else texts.ASKED_LATE
        word = rng.choice(heard[:-1]) if heard[:-1] and not flight.cancelled else heard[-1]
        at = soon(word.occurred_at, minutes=25, rng=rng)
        if not flight.cancelled and at > ended_at:  # nobody asks about the wait once it is over
            at = between(word.occurred_at, ended_at, rng)
        ended = voices.contact(at, asked=asked, matter=matter, stress=stress, words=words)
        if rng.random() < 0.3 * stress:
            at = soon(ended, minutes=90, rng=rng)
            voices.contact(at, asked=asked, matter=matter, stress=stress, words=words)
    if rng.random() < 0.03 + 0.15 * stress:
        voices.mention(soon(ended_at, minutes=60, rng=rng), stress=stress, words=words)
    if rng.random() < 0.22 + 0.16 * stress:
        voices.feedback(soon(ended_at, minutes=240, rng=rng), about=matter, stress=stress, words=words)
