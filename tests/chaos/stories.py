"""An endless stream of made-up touchpoints: the same seed gives the same stories in the same order."""

from __future__ import annotations

import heapq
import itertools
import random
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from streams import events
from streams.events import Touchpoint
from streams.processor.intake import partition_of

BEGIN = datetime(2013, 2, 8, 15, tzinfo=UTC)

Told = tuple[datetime, Touchpoint]
"""The time of publication, and the touchpoint."""

_ZONES = ("America/New_York", "Europe/Berlin", "Asia/Kolkata", "UTC", None)
_AT_ONCE = 300
"""The number of customers whose stories run in parallel."""


def stream(seed: int, *, who: str = "traveller", repeats: float = 0.1) -> Iterator[Told]:
    """Touchpoints of ever new customers, named ``who`` and a number, in order of time; the share ``repeats`` is
    published twice."""
    rng = random.Random(seed)
    number = 0
    running: list[tuple[datetime, int, Touchpoint, Iterator[Told]]] = []

    def begin(at: datetime) -> None:
        nonlocal number
        number += 1
        story = _story(rng, who, number, at, repeats)
        when, event = next(story)
        heapq.heappush(running, (when, number, event, story))

    for _ in range(_AT_ONCE):
        begin(BEGIN + timedelta(minutes=rng.randrange(180)))
    while True:
        at, number_of, event, story = heapq.heappop(running)
        yield at, event
        following = next(story, None)
        if following is None:
            begin(at + timedelta(minutes=rng.randrange(1, 30)))
        else:
            heapq.heappush(running, (following[0], number_of, following[1], story))


def _story(rng: random.Random, who: str, number: int, at: datetime, repeats: float) -> Iterator[Told]:
    """One traveller: their profile, a wait that grows and may end, and what they say about it."""
    for told in _chapters(rng, who, number, at):
        yield told
        if rng.random() < repeats:
            yield told


def _chapters(rng: random.Random, who: str, number: int, at: datetime) -> Iterator[Told]:
    customer = f"{who}-{number}"

    def common() -> dict[str, Any]:
        nonlocal at
        at += timedelta(seconds=rng.randrange(60, 2400))
        identity = str(uuid.UUID(int=rng.getrandbits(128)))
        return {"event_id": identity, "customer_id": customer, "occurred_at": at, "source": "urn:test:chaos"}

    address = events.Address(channel=events.OutreachChannel.EMAIL, address=f"{customer}@mail.example")
    profile = events.ProfileUpdated(
        **common(), name="Made Up", locale=rng.choice(("en", "de", "es")), time_zone=rng.choice(_ZONES),
        addresses=(address,) if rng.random() < 0.9 else (),
    )  # fmt: skip
    yield at, profile
    if rng.random() < 0.1:
        yield (
            at,
            events.ConsentChanged(**common(), purpose=events.Purpose.SERVICE, status=events.ConsentStatus.REVOKED),
        )
    if rng.random() < 0.6:
        agreed = events.ConsentStatus.GRANTED
        yield at, events.ConsentChanged(**common(), purpose=events.Purpose.MARKETING, status=agreed)
    flight = f"F{rng.randrange(1_000)}"
    promised = at + timedelta(minutes=rng.randrange(-30, 240))
    for _ in range(rng.randrange(1, 5)):
        known = rng.random()
        yield (
            at,
            events.DelayNoticed(
                **common(), subject_kind="flight", subject_id=flight, description=f"flight {flight}",
                promised_at=promised, cancelled=known < 0.1, reason=rng.choice(list(events.DelayReason)),
                expected_at=promised + timedelta(minutes=rng.randrange(10, 400)) if known < 0.7 else None,
            ),
        )  # fmt: skip
        if rng.random() < 0.3:
            contact, channel = f"c-{number}-{rng.randrange(99)}", rng.choice(list(events.Channel))
            matter = flight if rng.random() < 0.5 else None
            yield at, events.ContactOpened(**common(), contact_id=contact, channel=channel, matter=matter)
            if rng.random() < 0.7:
                yield at, events.ContactReplied(**common(), contact_id=contact, channel=channel)
            if rng.random() < 0.7:
                yield at, events.ContactClosed(**common(), contact_id=contact)
        yield from _more(rng, number, common)
    if rng.random() < 0.5:
        yield at, events.DelayEnded(**common(), subject_kind="flight", subject_id=flight)
    if rng.random() < 0.3:
        score = rng.randrange(1, 6)
        feedback = f"f-{number}"
        yield at, events.FeedbackGiven(**common(), feedback_id=feedback, kind=events.FeedbackKind.CSAT, score=score)
    if rng.random() < 0.1:
        off = events.ConsentChanged(
            **common(), purpose=rng.choice(list(events.Purpose)), status=events.ConsentStatus.REVOKED
        )
        yield at, off
    if rng.random() < 0.05 and number > 1:
        yield at, events.ProfilesMerged(**common(), other_customer_id=f"{who}-{rng.randrange(1, number)}")
    if rng.random() < 0.04:
        yield at, events.CustomerErased(**common())
        late = str(uuid.UUID(int=rng.getrandbits(128)))
        yield at, events.replace(profile, event_id=late)  # from before it: they stay erased
        if rng.random() < 0.5:
            back = events.AgentNoted(**common(), note_id=f"n-{number}", agent_id="a1", text="They are back.")
            yield at, back


def _more(rng: random.Random, number: int, common: Callable[[], dict[str, Any]]) -> Iterator[Told]:
    """Other facts that policies react to: a post and perhaps its answer, a wish, a gesture, a story."""

    def told(record: type[Any], /, **about: Any) -> Told:
        event = record(**common(), **about)
        return event.occurred_at, event

    if rng.random() < 0.3:
        mention, tone = f"m-{number}-{rng.randrange(9)}", rng.choice(list(events.Sentiment))
        yield told(
            events.MentionPosted, mention_id=mention, platform="forum", sentiment=tone, reach=rng.randrange(3_000)
        )
        if rng.random() < 0.4:
            yield told(events.ContactReplied, contact_id=mention, channel=events.Channel.SOCIAL)
    if rng.random() < 0.25:
        seller = events.Alternative(seller="another", link="https://another.example/item")
        yield told(
            events.ItemUnavailable, item_id=f"i-{rng.randrange(9)}", description="red boots",
            alternatives=(seller,) if rng.random() < 0.8 else (),
        )  # fmt: skip
    if rng.random() < 0.15:
        yield told(
            events.GestureGiven, gesture_id=f"g-{number}-{rng.randrange(99)}", agent_id="a1", code="coffee",
            cost=Decimal(rng.randrange(1, 60)), currency="USD",
        )  # fmt: skip
    if rng.random() < 0.15:
        yield told(
            events.FeedbackGiven, feedback_id=f"s-{number}-{rng.randrange(9)}", kind=events.FeedbackKind.STORY,
            text="What a day.", sentiment=rng.choice(list(events.Sentiment)),
        )  # fmt: skip


def one_for_each(partitions: int, prefix: str) -> Iterator[str]:
    """A customer for each partition, with names that begin with ``prefix``."""
    missing = set(range(partitions))
    for number in itertools.count():
        if not missing:
            return
        customer = f"{prefix}-{number}"
        home = partition_of(customer.encode(), partitions)
        if home in missing:
            missing.discard(home)
            yield customer


def closing(at: datetime, customer: str) -> Told:
    """A last touchpoint, late enough for every timer before it to fire first."""
    identity = str(uuid.uuid5(uuid.NAMESPACE_URL, f"urn:test:chaos/closing/{customer}"))
    noted = events.AgentNoted(
        event_id=identity, customer_id=customer, occurred_at=at, source="urn:test:chaos", note_id="closing",
        agent_id="a1", text="The day is over.",
    )  # fmt: skip
    return at, noted
