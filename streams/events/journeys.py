"""The live state of one customer. Each field is described in schemas/journey/."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from msgspec import Struct

from streams.events.types import (
    Address,
    Alternative,
    Channel,
    ConsentStatus,
    DelayReason,
    FeedbackKind,
    MergeSide,
    NoteKind,
    OutreachChannel,
    Purpose,
    Resolution,
    Sentiment,
)


class Profile(Struct, frozen=True, kw_only=True, gc=False):
    """The customer's profile, as far as they told us."""

    name: str | None = None
    locale: str | None = None
    time_zone: str | None = None
    addresses: tuple[Address, ...] = ()
    as_of: datetime | None = None
    name_as_of: datetime | None = None
    locale_as_of: datetime | None = None
    time_zone_as_of: datetime | None = None
    addresses_as_of: datetime | None = None


class Consent(Struct, frozen=True, kw_only=True, gc=False):
    """A consent or opt-out of the customer."""

    channel: OutreachChannel | None = None
    purpose: Purpose
    status: ConsentStatus
    as_of: datetime
    reopened_at: datetime | None = None
    from_customer_id: str | None = None
    urgent_at_night: bool = False


class Suppression(Struct, frozen=True, kw_only=True, gc=False):
    """An address, or a whole channel if ``address`` is empty, that must not be used any more."""

    channel: OutreachChannel
    address: str
    reason: str
    as_of: datetime
    purpose: Purpose | None = None
    from_customer_id: str | None = None


class Timer(Struct, frozen=True, kw_only=True, gc=False):
    """A deadline that wakes a policy."""

    timer_id: str
    due_at: datetime
    policy: str
    journey_id: str


class Contact(Struct, frozen=True, kw_only=True, gc=False):
    """A conversation with the customer."""

    contact_id: str
    channel: Channel
    matter: str | None = None
    summary: str | None = None
    opened_at: datetime
    as_of: datetime
    closed_at: datetime | None = None
    replied_at: datetime | None = None
    answered_at: datetime | None = None
    resolution: Resolution = Resolution.UNKNOWN
    came_back_at: datetime | None = None
    closed_before: datetime | None = None
    routed_to: str | None = None
    matter_as_of: datetime | None = None
    summary_as_of: datetime | None = None
    history: bytes = b""


class Parcel(Struct, frozen=True, kw_only=True, gc=False):
    """A part of an order that is sent on its own."""

    parcel_id: str
    shipped_at: datetime | None = None
    delivered_at: datetime | None = None
    pieces: int | None = None


class Order(Struct, frozen=True, kw_only=True, gc=False):
    """An order or booking."""

    order_id: str
    kind: str
    description: str
    subject_id: str | None = None
    promised_at: datetime | None = None
    total: Decimal | None = None
    currency: str | None = None
    opened_at: datetime
    as_of: datetime
    closed_at: datetime | None = None
    shipped_at: datetime | None = None
    delivered_at: datetime | None = None
    cancelled_at: datetime | None = None
    history: bytes = b""
    by_day: bool = False
    pieces: int | None = None
    parcels: tuple[Parcel, ...] = ()
    awaited_from: datetime | None = None


class Delay(Struct, frozen=True, kw_only=True, gc=False):
    """A wait, and what the customer was told of it."""

    subject_kind: str
    subject_id: str
    description: str
    order_id: str | None = None
    promised_at: datetime
    expected_at: datetime | None = None
    cancelled: bool
    reason: DelayReason = DelayReason.OTHER
    time_zone: str | None = None
    opened_at: datetime
    as_of: datetime
    closed_at: datetime | None = None
    letters: int = 0
    told_expected_at: datetime | None = None
    told_cancelled: bool = False
    told_stage: int = -1
    refused: str | None = None
    held_until: datetime | None = None
    named_at: datetime | None = None
    noticed_expected_at: datetime | None = None
    noticed_cancelled: bool = False
    order_id_as_of: datetime | None = None
    time_zone_as_of: datetime | None = None
    history: bytes = b""
    by_day: bool = False
    unannounced: bool = False
    named_as: str | None = None
    told_at: datetime | None = None


class Wish(Struct, frozen=True, kw_only=True, gc=False):
    """An item that the customer asked for and that was unavailable."""

    item_id: str
    description: str
    alternatives: tuple[Alternative, ...] = ()
    opened_at: datetime
    as_of: datetime
    closed_at: datetime | None = None
    redeemed_at: datetime | None = None


class Mention(Struct, frozen=True, kw_only=True, gc=False):
    """A public post of the customer about us."""

    mention_id: str
    platform: str
    link: str | None = None
    text: str | None = None
    sentiment: Sentiment
    reach: int | None = None
    opened_at: datetime
    as_of: datetime
    closed_at: datetime | None = None
    answered_at: datetime | None = None
    history: bytes = b""


class Moment(Struct, frozen=True, kw_only=True, gc=False):
    """Feedback of the customer: a score, praise, a complaint or a story."""

    feedback_id: str
    kind: FeedbackKind
    score: int | None = None
    text: str | None = None
    about: str | None = None
    occurred_at: datetime
    sentiment: Sentiment = Sentiment.UNKNOWN
    recovered_at: datetime | None = None


class Note(Struct, frozen=True, kw_only=True, gc=False):
    """An employee's note."""

    note_id: str
    agent_id: str
    kind: NoteKind = NoteKind.NOTE
    text: str
    about: str | None = None
    occurred_at: datetime


class Outreach(Struct, frozen=True, kw_only=True, gc=False):
    """A requested outreach, and its outcome."""

    outreach_id: str
    policy: str
    journey_id: str
    occasion: str
    purpose: Purpose
    channel: OutreachChannel
    address: str
    gesture_code: str | None = None
    requested_at: datetime
    useful_until: datetime
    retracted_at: datetime | None = None
    outcome: str | None = None
    outcome_at: datetime | None = None
    cost: Decimal | None = None
    currency: str | None = None
    channels: tuple[OutreachChannel, ...] = ()
    answers: bool = False
    due_at: datetime | None = None
    done_at: datetime | None = None
    journeys: tuple[str, ...] = ()


class Settled(Struct, frozen=True, kw_only=True, gc=False):
    """The latest decision on one step of one journey."""

    policy: str
    journey_id: str
    occasion: str
    reason: str
    as_of: datetime
    held_until: datetime | None = None


class Given(Struct, frozen=True, kw_only=True, gc=False):
    """A gesture that an employee gave."""

    gesture_id: str
    agent_id: str
    code: str
    cost: Decimal
    currency: str
    about: str | None = None
    occurred_at: datetime


class Assignment(Struct, frozen=True, kw_only=True, gc=False):
    """An experiment's arm that the customer was assigned to; it stays, even if the shares change."""

    experiment: str
    unit: str
    arm: str
    assigned_at: datetime


class Merge(Struct, frozen=True, kw_only=True, gc=False):
    """The latest merge with another record."""

    other_customer_id: str
    side: MergeSide
    as_of: datetime


class JourneyState(Struct, frozen=True, kw_only=True, gc=False):
    """Everything that is known and in progress for one customer."""

    wake_at: datetime | None = None
    customer_id: str
    revision: int
    updated_at: datetime
    profile: Profile
    consents: tuple[Consent, ...] = ()
    suppressions: tuple[Suppression, ...] = ()
    contacts: tuple[Contact, ...] = ()
    orders: tuple[Order, ...] = ()
    delays: tuple[Delay, ...] = ()
    wishes: tuple[Wish, ...] = ()
    mentions: tuple[Mention, ...] = ()
    moments: tuple[Moment, ...] = ()
    notes: tuple[Note, ...] = ()
    outreach: tuple[Outreach, ...] = ()
    timers: tuple[Timer, ...] = ()
    touchpoints: int
    last_touchpoint_at: datetime | None = None
    recent_events: bytes
    merged_into: str | None = None
    merged_from: tuple[str, ...] = ()
    settled: tuple[Settled, ...] = ()
    gestures: tuple[Given, ...] = ()
    assignments: tuple[Assignment, ...] = ()
    playbook_version: str | None = None
    erased_at: datetime | None = None
    ended: bytes = b""
    merges: tuple[Merge, ...] = ()

    @property
    def is_erased(self) -> bool:
        """Whether the customer is erased: only the time is kept, so that no older fact brings anything back."""
        return self.erased_at is not None and self.touchpoints == 0
