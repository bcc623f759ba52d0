"""Touchpoints: facts about one customer, in the past tense. Each field is described in schemas/touchpoint/."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from streams.events.facts import Fact
from streams.events.journeys import Consent, Settled, Suppression
from streams.events.types import (
    Address,
    Alternative,
    CancelledBy,
    Channel,
    ConsentStatus,
    DelayReason,
    FeedbackKind,
    MergeSide,
    NoteKind,
    OrderItem,
    OutreachChannel,
    ParcelItem,
    Purpose,
    Resolution,
    Sentiment,
)


class ContactOpened(Fact, frozen=True, kw_only=True, gc=False):
    """The customer contacted us."""

    contact_id: str
    channel: Channel
    matter: str | None = None
    summary: str | None = None


class ContactReplied(Fact, frozen=True, kw_only=True, gc=False):
    """A person or a machine answered the customer."""

    contact_id: str
    channel: Channel
    automated: bool = False
    agent_id: str | None = None
    summary: str | None = None


class ContactClosed(Fact, frozen=True, kw_only=True, gc=False):
    """The contact was closed."""

    contact_id: str
    resolution: Resolution = Resolution.UNKNOWN
    agent_id: str | None = None


class OrderPlaced(Fact, frozen=True, kw_only=True, gc=False):
    """The customer ordered or booked something."""

    order_id: str
    kind: str = "parcel"
    description: str
    subject_id: str | None = None
    promised_at: datetime | None = None
    total: Decimal | None = None
    currency: str | None = None
    items: tuple[OrderItem, ...] = ()
    by_day: bool = False


class OrderShipped(Fact, frozen=True, kw_only=True, gc=False):
    """The order, or a parcel of it, is on its way."""

    order_id: str
    carrier: str | None = None
    tracking_link: str | None = None
    expected_at: datetime | None = None
    parcel_id: str | None = None
    items: tuple[ParcelItem, ...] = ()


class OrderDelivered(Fact, frozen=True, kw_only=True, gc=False):
    """The customer received what was promised: a parcel in hand, a flight departed."""

    order_id: str
    parcel_id: str | None = None
    items: tuple[ParcelItem, ...] = ()


class OrderCancelled(Fact, frozen=True, kw_only=True, gc=False):
    """The order will not be fulfilled."""

    order_id: str
    by: CancelledBy = CancelledBy.UNKNOWN
    reason: str | None = None


class DelayNoticed(Fact, frozen=True, kw_only=True, gc=False):
    """Something the customer waits for will be late, or is cancelled; a later notice revises it."""

    subject_kind: str
    subject_id: str
    description: str
    order_id: str | None = None
    promised_at: datetime
    expected_at: datetime | None = None
    cancelled: bool = False
    reason: DelayReason = DelayReason.OTHER
    time_zone: str | None = None
    by_day: bool = False


class DelayEnded(Fact, frozen=True, kw_only=True, gc=False):
    """The wait is over: it departed, arrived, or took place."""

    subject_kind: str
    subject_id: str
    actual_at: datetime | None = None


class ItemUnavailable(Fact, frozen=True, kw_only=True, gc=False):
    """The customer asked for an item that was unavailable."""

    item_id: str
    description: str
    channel: Channel = Channel.OTHER
    alternatives: tuple[Alternative, ...] = ()


class MentionPosted(Fact, frozen=True, kw_only=True, gc=False):
    """The customer mentioned us in public."""

    mention_id: str
    platform: str
    link: str | None = None
    text: str | None = None
    sentiment: Sentiment = Sentiment.UNKNOWN
    reach: int | None = None


class FeedbackGiven(Fact, frozen=True, kw_only=True, gc=False):
    """The customer gave feedback."""

    feedback_id: str
    kind: FeedbackKind
    score: int | None = None
    text: str | None = None
    about: str | None = None
    sentiment: Sentiment = Sentiment.UNKNOWN


class AgentNoted(Fact, frozen=True, kw_only=True, gc=False):
    """An employee wrote a note about the customer or the service."""

    note_id: str
    agent_id: str
    kind: NoteKind = NoteKind.NOTE
    text: str
    about: str | None = None


class GestureGiven(Fact, frozen=True, kw_only=True, gc=False):
    """An employee gave the customer a gesture, without approval."""

    gesture_id: str
    agent_id: str
    code: str
    cost: Decimal
    currency: str
    title: str | None = None
    about: str | None = None


class AgentTaskDone(Fact, frozen=True, kw_only=True, gc=False):
    """An employee completed an agent task."""

    task_id: str
    agent_id: str | None = None
    note: str | None = None


class ProfileUpdated(Fact, frozen=True, kw_only=True, gc=False):
    """The customer's profile changed; a null leaves a field as it was."""

    name: str | None = None
    locale: str | None = None
    time_zone: str | None = None
    addresses: tuple[Address, ...] | None = None


class ConsentChanged(Fact, frozen=True, kw_only=True, gc=False):
    """The customer allowed or forbade a purpose on a channel."""

    channel: OutreachChannel | None = None
    purpose: Purpose
    status: ConsentStatus
    reopened_by: str | None = None
    urgent_at_night: bool = False


class ProfilesMerged(Fact, frozen=True, kw_only=True, gc=False):
    """Two customer records turned out to be one person."""

    other_customer_id: str
    side: MergeSide = MergeSide.SURVIVOR
    consents: tuple[Consent, ...] = ()
    suppressions: tuple[Suppression, ...] = ()
    settled: tuple[Settled, ...] = ()
    told: bool = False


class CustomerErased(Fact, frozen=True, kw_only=True, gc=False):
    """The customer requested erasure: the journey state is deleted, and facts up to then change nothing."""
