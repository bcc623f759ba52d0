"""The mixed touchpoint stream that every side reads: seeded, from the simulator's parts, in the project's encoding.

The mix: everybody signs up within the first days, with a profile and then consents. After that random customers have
stories, some many and some few: an order (placed, shipped, delivered) in six of ten stories, a contact (opened,
answered by a machine and a person, closed, sometimes noted by an agent) in a quarter, otherwise feedback, a mention,
or an unavailable item. One order in ten is late, with a delay notice, half of them over the playbook's threshold; a
third of the delays are revised and four of five are reported as ended. Half a percent of all events are published
twice, and one percent arrives up to six hours late. Posts are answered and staff give gestures, like on the simulated
day; nobody reports a task as done. Merges and erasures are left out, because a merge is forwarded through the input
topic, which must be the same for every side.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from random import Random

from processors.simulator import texts
from processors.simulator.contacts import Voices
from processors.simulator.everyday import introduce, order, wish
from processors.simulator.journal import SOURCE, Arrival, Journal
from processors.simulator.passengers import between, make_up
from streams.avro.codec import Codec
from streams.avro.records import NAMES
from streams.clock import to_millis
from streams.config import Settings
from streams.events import DelayEnded, DelayNoticed, DelayReason, Touchpoint
from streams.publishing.cloudevents import Headers, headers_for

BEGINS = datetime(2026, 2, 2, tzinfo=UTC)
SPAN = timedelta(days=14)
SEED = 4

_SIGN_UPS = timedelta(days=2)
_TWICE = 0.005
_LATE = 0.01
_LATE_BY = timedelta(hours=6)
_DELAYED, _OVER_THRESHOLD, _REVISED, _ENDED = 0.10, 0.5, 0.35, 0.8
_WORDS = {"city": "Boston", "flight": "my order"}
_STORIES = ("order", "contact", "feedback", "mention", "wish")
_SHARES = (60, 25, 9, 3, 3)
_REASONS = (DelayReason.CARRIER, DelayReason.WEATHER, DelayReason.WAREHOUSE, DelayReason.CUSTOMS)


@dataclass(frozen=True, slots=True)
class Wire:
    """One encoded event. ``at`` is the record's timestamp in ms."""

    key: bytes
    value: bytes
    at: int
    headers: Headers


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """Events in order of arrival, and the times of the first and last arrival."""

    arrivals: Sequence[Arrival]
    customers: int
    seed: int

    def counts(self) -> dict[str, int]:
        """Events by type."""
        return dict(sorted(Counter(type(arrival.event).__name__ for arrival in self.arrivals).items()))

    def encoded(self, settings: Settings, codec: Codec, *, published_at: int) -> list[Wire]:
        """All events as a publisher encodes them at that wall time; the codec must be prepared for the touchpoints."""
        topic = settings.topics.touchpoints
        return [
            wire_of(arrival.event, codec.encode(topic, arrival.event), at=arrival.at, published_at=published_at)
            for arrival in self.arrivals
        ]


def wire_of(event: Touchpoint, value: bytes, *, at: datetime, published_at: int) -> Wire:
    """An encoded event with the key and headers that :class:`streams.Publisher` writes."""
    headers = headers_for(
        event_id=event.event_id,
        record=NAMES[type(event)],
        source=event.source,
        occurred_at=event.occurred_at,
        published_at=published_at,
        traceparent=None,
    )
    return Wire(event.customer_id.encode(), value, to_millis(at), headers)


def mixed(*, events: int, customers: int, seed: int = SEED, begins: datetime = BEGINS) -> Stream:
    """The stream: the same arguments give the same events, byte for byte.

    ``events`` is the number of events, including duplicates; every customer signs up. Raises ValueError for fewer than
    four events per customer, which are too few for a story.
    """
    if events < 4 * customers:
        raise ValueError(f"events: at least {4 * customers} for {customers} customers")
    rng = Random(f"mixed/{seed}")
    journal = _Counting(name=f"bench/{seed}/{begins.isoformat()}/{customers}")
    ids = []
    for number in range(1, customers + 1):
        passenger = make_up(number, flying=False, home=None, rng=rng)
        ids.append(passenger.customer_id)
        introduce(passenger, at=between(begins, begins + _SIGN_UPS, rng), journal=journal)
    # some customers have many events, most have few
    weights = list(accumulate(rng.lognormvariate(0, 1) for _ in ids))
    while journal.count < 1.15 * events:  # later arrivals are cut off
        for customer_id in rng.choices(ids, cum_weights=weights, k=1_000):
            _tell(customer_id, between(begins + _SIGN_UPS, begins + SPAN, rng), journal=journal, rng=rng)
    again = Random(f"mixed/{seed}/again")
    arrivals = journal.arrivals(until=begins + 2 * SPAN, repeat=_TWICE, rng=again)
    arrivals = tuple(sorted((_perhaps_late(arrival, again) for arrival in arrivals), key=lambda arrival: arrival.at))
    return Stream(arrivals=arrivals[:events], customers=customers, seed=seed)


class _Counting(Journal):
    def __init__(self, *, name: str) -> None:
        super().__init__(name=name)
        self.count = 0

    def add(self, event: Touchpoint, *, late: timedelta = timedelta()) -> None:
        super().add(event, late=late)
        self.count += 1


def _tell(customer_id: str, at: datetime, *, journal: Journal, rng: Random) -> None:
    voices = Voices(journal=journal, rng=rng, customer_id=customer_id)
    match rng.choices(_STORIES, _SHARES)[0]:
        case "order":
            order(customer_id, at, journal=journal, rng=rng)
            if rng.random() < _DELAYED:
                _delay(customer_id, at, journal=journal, rng=rng)
        case "contact":
            voices.contact(at, asked=texts.ASKED_SHOP, matter=None, stress=0.2, words=_WORDS)
        case "feedback":
            voices.feedback(at, about=None, stress=0.2, words=_WORDS)
        case "mention":
            voices.mention(at, stress=0.2, words=_WORDS)
        case _:
            wish(customer_id, at, journal=journal, rng=rng)


def _delay(customer_id: str, placed_at: datetime, *, journal: Journal, rng: Random) -> None:
    """A late parcel: a delay notice, perhaps a revision, and in most cases an end."""
    subject = journal.key("D")
    promised_at = placed_at + timedelta(days=3)
    hours = rng.uniform(24, 72) if rng.random() < _OVER_THRESHOLD else rng.uniform(2, 24)
    noticed_at = placed_at + timedelta(hours=rng.uniform(6, 60))
    expected_at = promised_at + timedelta(hours=hours)
    reason = rng.choice(_REASONS)
    for later in range(2 if rng.random() < _REVISED else 1):
        journal.add(
            DelayNoticed(
                event_id="",
                customer_id=customer_id,
                occurred_at=_whole(noticed_at + later * timedelta(hours=8)),
                source=SOURCE,
                subject_kind="parcel",
                subject_id=subject,
                description="your parcel",
                promised_at=_whole(promised_at),
                expected_at=_whole(expected_at + later * timedelta(hours=rng.uniform(2, 30))),
                reason=reason,
            )
        )
    if rng.random() < _ENDED:
        journal.add(
            DelayEnded(
                event_id="",
                customer_id=customer_id,
                occurred_at=_whole(expected_at + timedelta(hours=rng.uniform(-3, 3))),
                source=SOURCE,
                subject_kind="parcel",
                subject_id=subject,
            )
        )


def _whole(moment: datetime) -> datetime:
    """The time rounded to the millisecond, like in the encoding."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _perhaps_late(arrival: Arrival, rng: Random) -> Arrival:
    if rng.random() >= _LATE:
        return arrival
    return Arrival(at=_whole(arrival.at + rng.random() * _LATE_BY), event=arrival.event)


def waits(*, count: int, prefix: str, now: datetime) -> Iterator[tuple[Touchpoint, Touchpoint]]:
    """``count`` customers who each get one letter: a profile, and a delay of an hour over the playbook's threshold.

    It is about noon where they live, so that quiet hours do not hold the letter.
    """
    from streams.events import Address, OutreachChannel, ProfileUpdated

    # the sign of these zones is reversed: Etc/GMT-3 is three hours ahead
    zone = f"Etc/GMT{now.hour - 12:+d}" if now.hour != 12 else "UTC"
    for number in range(count):
        customer_id = f"{prefix}{number:06d}"
        mail = Address(channel=OutreachChannel.EMAIL, address=f"{customer_id}@mail.example")
        profile = ProfileUpdated(
            event_id=str(uuid.uuid5(uuid.NAMESPACE_OID, f"{customer_id}/profile")),
            customer_id=customer_id,
            occurred_at=_whole(now),
            source=SOURCE,
            name="Made Up",
            locale="en-US",
            time_zone=zone,
            addresses=(mail,),
        )
        delay = DelayNoticed(
            event_id=str(uuid.uuid5(uuid.NAMESPACE_OID, f"{customer_id}/delay")),
            customer_id=customer_id,
            occurred_at=_whole(now),
            source=SOURCE,
            subject_kind="flight",
            subject_id=f"UA{number}",
            description=f"flight UA {number}",
            promised_at=_whole(now + timedelta(hours=2)),
            expected_at=_whole(now + timedelta(hours=3)),
            reason=DelayReason.WEATHER,
        )
        yield profile, delay
