"""The customer Ana, and factories for events about her, with defaults for everything a test does not care about.

Each returns a touchpoint of the contract (:mod:`streams.events`) about the customer ``ana`` with a new event id; most
take keywords that change any field. Moments are aware UTC. Today is Monday, 9 February 2026.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from itertools import count
from typing import TYPE_CHECKING, Any

from processors.journey.identity import outreach_id
from streams.events import (
    Address,
    AgentTaskDone,
    Alternative,
    CancelledBy,
    Channel,
    ConsentChanged,
    ConsentStatus,
    ContactClosed,
    ContactOpened,
    ContactReplied,
    CustomerErased,
    DelayEnded,
    DelayNoticed,
    DelayReason,
    Engagement,
    FeedbackGiven,
    FeedbackKind,
    GestureGiven,
    ItemUnavailable,
    MentionPosted,
    OrderCancelled,
    OrderDelivered,
    OrderPlaced,
    OrderShipped,
    OutreachChannel,
    OutreachEngaged,
    OutreachSent,
    ParcelItem,
    ProfileUpdated,
    Purpose,
    Resolution,
    Sentiment,
)
from streams.events.sources import GATEWAY, OUTREACH

if TYPE_CHECKING:
    from processors.testing.scenario import Scenario

CUSTOMER = "ana"
TODAY = datetime(2026, 2, 9, tzinfo=UTC)
MAIL = Address(channel=OutreachChannel.EMAIL, address="ana@mail.example")
HOOK = Address(channel=OutreachChannel.WEBHOOK, address="https://ana.example/hook")

_numbers = count(1)


def at(clock: str, *, day: int = 0) -> datetime:
    """Return that time of day in UTC, ``day`` days from today."""
    return datetime.combine(TODAY + timedelta(days=day), time.fromisoformat(clock), tzinfo=UTC)


NOON = at("12:00")
TWO = at("14:00")
FRIDAY = datetime(2026, 2, 13, 23, 59, 59, tzinfo=UTC)
"""The end of the day that orders are promised for."""


def facts(occurred_at: datetime, **changes: Any) -> dict[str, Any]:
    """Return the fields that every event has."""
    return {
        "event_id": str(uuid.uuid5(uuid.NAMESPACE_OID, str(next(_numbers)))),
        "customer_id": CUSTOMER,
        "occurred_at": occurred_at,
        "source": "test",
    } | changes


def profile(when: datetime = NOON - timedelta(days=9), **changes: Any) -> ProfileUpdated:
    """Ana's profile: one e-mail address, and a time zone equal to UTC."""
    said = {"name": "Ana", "locale": "en", "time_zone": "UTC", "addresses": (MAIL,)}
    return ProfileUpdated(**(facts(when) | said | changes))


def delay(
    when: datetime = NOON,
    *,
    minutes: int | None = None,
    subject: str = "UA571",
    promised: datetime = TWO,
    expected: datetime | None = None,
    **changes: Any,
) -> DelayNoticed:
    """A flight promised for 14:00 is late by ``minutes``, or expected at ``expected``; with neither, the length is
    unknown."""
    if minutes is not None:
        expected = promised + timedelta(minutes=minutes)
    said: dict[str, Any] = {
        "subject_kind": "flight",
        "subject_id": subject,
        "description": f"flight {subject}",
        "promised_at": promised,
        "expected_at": expected,
        "reason": DelayReason.WEATHER,
    }
    return DelayNoticed(**(facts(when) | said | changes))


def cancellation(when: datetime = NOON, **changes: Any) -> DelayNoticed:
    """The flight is cancelled."""
    return delay(when, cancelled=True, **changes)


def departure(when: datetime, *, subject: str = "UA571", **changes: Any) -> DelayEnded:
    """The flight has left, so the wait is over."""
    return DelayEnded(**(facts(when) | {"subject_kind": "flight", "subject_id": subject} | changes))


def consent(
    status: ConsentStatus,
    when: datetime = NOON - timedelta(days=8),
    *,
    channel: OutreachChannel | None = None,
    purpose: Purpose = Purpose.SERVICE,
) -> ConsentChanged:
    """Ana changes a consent."""
    return ConsentChanged(**facts(when), channel=channel, purpose=purpose, status=status)


def erased(when: datetime) -> CustomerErased:
    """Ana requests her erasure."""
    return CustomerErased(**facts(when))


def ordered(order: str = "A1", when: datetime = NOON, **changes: Any) -> OrderPlaced:
    """Ana orders a lamp, promised by Friday."""
    said: dict[str, Any] = {"order_id": order, "description": "desk lamp", "promised_at": FRIDAY, "by_day": True}
    return OrderPlaced(**(facts(when) | said | changes))


def shipped(when: datetime, order: str = "A1", parcel: str | None = None, *items: str) -> OrderShipped:
    """The order, or one of its parcels, is shipped with these items."""
    parts = tuple(ParcelItem(item_id=item) for item in items)
    return OrderShipped(**facts(when), order_id=order, parcel_id=parcel, items=parts)


def arrived(when: datetime, order: str = "A1", parcel: str | None = None, *items: str) -> OrderDelivered:
    """The order, or one of its parcels, is delivered with these items."""
    parts = tuple(ParcelItem(item_id=item) for item in items)
    return OrderDelivered(**facts(when), order_id=order, parcel_id=parcel, items=parts)


def order_cancelled(when: datetime, by: CancelledBy = CancelledBy.COMPANY, order: str = "A1") -> OrderCancelled:
    """The order is cancelled."""
    return OrderCancelled(**facts(when), order_id=order, by=by)


def late(
    when: datetime, order: str = "A1", *, subject: str | None = None, until: datetime | None = None, **changes: Any
) -> DelayNoticed:
    """The shop reports that the order, or a parcel of it, is late."""
    said: dict[str, Any] = {
        "subject_kind": "parcel",
        "subject_id": subject or order,
        "description": "desk lamp",
        "order_id": order,
        "promised_at": FRIDAY,
        "expected_at": until,
        "by_day": True,
        "reason": DelayReason.WAREHOUSE,
    }
    return DelayNoticed(**(facts(when) | said | changes))


def asks(
    when: datetime = NOON, contact: str = "c1", *, channel: Channel = Channel.CALL, matter: str | None = None
) -> ContactOpened:
    """Ana contacts us."""
    return ContactOpened(**facts(when), contact_id=contact, channel=channel, matter=matter, summary="Where is it?")


def answer(
    when: datetime, contact: str = "c1", *, channel: Channel = Channel.CALL, automated: bool = False
) -> ContactReplied:
    """A person answers or, if ``automated``, a machine."""
    return ContactReplied(**facts(when), contact_id=contact, channel=channel, automated=automated, agent_id="kim")


def closes(when: datetime, contact: str = "c1", resolution: Resolution = Resolution.SOLVED) -> ContactClosed:
    """The contact is closed."""
    return ContactClosed(**facts(when), contact_id=contact, resolution=resolution)


def posts(
    tone: Sentiment, when: datetime = NOON, mention: str = "m1", *, reach: int | None = None
) -> MentionPosted:  # fmt: skip
    """Ana mentions us in public."""
    return MentionPosted(
        **facts(when), mention_id=mention, platform="forum", link="https://forum.example/m1", text="Four hours!",
        sentiment=tone, reach=reach,
    )  # fmt: skip


def feedback(
    kind: FeedbackKind, when: datetime = NOON, name: str = "f1", *,
    score: int | None = None, tone: Sentiment = Sentiment.UNKNOWN, text: str | None = None,
) -> FeedbackGiven:  # fmt: skip
    """Ana gives feedback."""
    return FeedbackGiven(**facts(when), feedback_id=name, kind=kind, score=score, sentiment=tone, text=text)


def cannot_have(when: datetime = NOON, item: str = "boots-42", *prices: str) -> ItemUnavailable:
    """Ana asks for an item that we do not have; other sellers do, at these prices."""
    alternatives = tuple(
        Alternative(
            seller=f"seller {n}", link=f"https://seller{n}.example/{item}", price=Decimal(price), currency="USD"
        )
        for n, price in enumerate(prices, 1)
    )
    return ItemUnavailable(**facts(when), item_id=item, description="red boots", alternatives=alternatives)


def given_by_agent(when: datetime = NOON, cost: str = "6.00", name: str = "g1", **changes: Any) -> GestureGiven:
    """An employee gives Ana a gesture."""
    said = {"gesture_id": name, "agent_id": "kim", "code": "coffee", "cost": Decimal(cost), "currency": "USD"}
    return GestureGiven(**(facts(when) | said | changes))


def done(when: datetime, policy: str, journey: str, occasion: str) -> AgentTaskDone:
    """Somebody completes the task."""
    return AgentTaskDone(**facts(when), task_id=outreach_id(CUSTOMER, policy, journey, occasion), agent_id="kim")


def sent(when: datetime, scenario: Scenario, *, channel: OutreachChannel = OutreachChannel.EMAIL) -> OutreachSent:
    """The provider accepts the latest letter on that channel."""
    return OutreachSent(
        **facts(when, source=OUTREACH),
        outreach_id=scenario.requests[-1].outreach_id,
        channel=channel,
        provider="smtp",
    )  # fmt: skip


def engages(
    when: datetime, scenario: Scenario, kind: Engagement, *, channel: OutreachChannel = OutreachChannel.EMAIL
) -> OutreachEngaged:
    """Ana reacts to the latest letter."""
    outreach = scenario.requests[-1].outreach_id
    return OutreachEngaged(**facts(when, source=GATEWAY), outreach_id=outreach, channel=channel, kind=kind)
