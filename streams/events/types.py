"""Values that several records share. Each field is described in schemas/."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from msgspec import Struct


class Channel(StrEnum):
    """The channel of a contact between the customer and the company."""

    OTHER = "OTHER"
    CALL = "CALL"
    CHAT = "CHAT"
    EMAIL = "EMAIL"
    SMS = "SMS"
    SOCIAL = "SOCIAL"
    IN_PERSON = "IN_PERSON"


class Resolution(StrEnum):
    """How a contact ended, as the customer would put it."""

    UNKNOWN = "UNKNOWN"
    SOLVED = "SOLVED"
    UNSOLVED = "UNSOLVED"
    ABANDONED = "ABANDONED"
    TRANSFERRED = "TRANSFERRED"


class CancelledBy(StrEnum):
    """Who cancelled the order."""

    UNKNOWN = "UNKNOWN"
    CUSTOMER = "CUSTOMER"
    COMPANY = "COMPANY"


class DelayReason(StrEnum):
    """Why the customer has to wait. PREDICTIVE: a model predicts the delay, and nobody has announced it yet."""

    OTHER = "OTHER"
    CARRIER = "CARRIER"
    WEATHER = "WEATHER"
    WAREHOUSE = "WAREHOUSE"
    CUSTOMS = "CUSTOMS"
    PREDICTIVE = "PREDICTIVE"


class Sentiment(StrEnum):
    """The tone of a post or of feedback."""

    UNKNOWN = "UNKNOWN"
    POSITIVE = "POSITIVE"
    NEUTRAL = "NEUTRAL"
    NEGATIVE = "NEGATIVE"


class FeedbackKind(StrEnum):
    """The kind of feedback: CSAT, NPS and CES have a score, the others a text."""

    OTHER = "OTHER"
    CSAT = "CSAT"
    NPS = "NPS"
    CES = "CES"
    COMPLAINT = "COMPLAINT"
    PRAISE = "PRAISE"
    STORY = "STORY"


class NoteKind(StrEnum):
    """The kind of an employee's note: a NOTE about the customer, a GAP in the service, an IDEA to improve it."""

    NOTE = "NOTE"
    GAP = "GAP"
    IDEA = "IDEA"


class OutreachChannel(StrEnum):
    """A channel on which the customer can be reached."""

    OTHER = "OTHER"
    EMAIL = "EMAIL"
    SMS = "SMS"
    PUSH = "PUSH"
    WEBHOOK = "WEBHOOK"
    AGENT_TASK = "AGENT_TASK"


class Purpose(StrEnum):
    """SERVICE: about something the customer already has with us. MARKETING: anything else; it needs an opt-in."""

    SERVICE = "SERVICE"
    MARKETING = "MARKETING"


class ConsentStatus(StrEnum):
    """GRANTED: the customer opted in. DENIED: declined when asked. REVOKED: withdrew an opt-in."""

    DENIED = "DENIED"
    GRANTED = "GRANTED"
    REVOKED = "REVOKED"


class MergeSide(StrEnum):
    """The record's side in a merge: the one that remains or the one that is absorbed."""

    SURVIVOR = "SURVIVOR"
    ABSORBED = "ABSORBED"


class FailureReason(StrEnum):
    """Why an outreach was not sent. EXPIRED: it was no longer useful. RETRACTED: it was retracted before it was
    sent."""

    OTHER = "OTHER"
    REJECTED = "REJECTED"
    BOUNCED = "BOUNCED"
    EXPIRED = "EXPIRED"
    RETRACTED = "RETRACTED"
    UNREACHABLE = "UNREACHABLE"
    TEMPLATE = "TEMPLATE"


class Engagement(StrEnum):
    """The customer's reaction to an outreach."""

    OTHER = "OTHER"
    DELIVERED = "DELIVERED"
    OPENED = "OPENED"
    CLICKED = "CLICKED"
    REPLIED = "REPLIED"
    REDEEMED = "REDEEMED"
    UNSUBSCRIBED = "UNSUBSCRIBED"
    COMPLAINED = "COMPLAINED"


class DecisionKind(StrEnum):
    """The decision: SEND it, HOLD it until later, SUPPRESS it, RETRACT what was requested, ESCALATE to a person."""

    OTHER = "OTHER"
    SEND = "SEND"
    HOLD = "HOLD"
    SUPPRESS = "SUPPRESS"
    RETRACT = "RETRACT"
    ESCALATE = "ESCALATE"


class LedgerStatus(StrEnum):
    """INTENT: the provider may be called; the others are final. UNCERTAIN: it is unknown whether the outreach was
    sent."""

    OTHER = "OTHER"
    INTENT = "INTENT"
    SENT = "SENT"
    FAILED = "FAILED"
    UNCERTAIN = "UNCERTAIN"
    RETRACTED = "RETRACTED"
    EXPIRED = "EXPIRED"


class LedgerPhase(StrEnum):
    """The dispatcher's phase of an outreach; ``processors/outreach/phases.py`` lists the transitions.

    OTHER: unknown, which is treated as CALLING.
    """

    OTHER = "OTHER"
    ITS_TURN = "ITS_TURN"
    WAITING = "WAITING"
    MAYBE_LEFT = "MAYBE_LEFT"
    CALLING = "CALLING"
    TAKEN_BACK = "TAKEN_BACK"
    ENDED = "ENDED"


class OrderItem(Struct, frozen=True, kw_only=True, gc=False):
    """One line item of an order."""

    item_id: str
    description: str
    quantity: int = 1
    unit_price: Decimal | None = None


class ParcelItem(Struct, frozen=True, kw_only=True, gc=False):
    """An item of an order that is in a parcel."""

    item_id: str
    quantity: int = 1


class Alternative(Struct, frozen=True, kw_only=True, gc=False):
    """Another seller that has the item, competitors included."""

    seller: str
    link: str
    price: Decimal | None = None
    currency: str | None = None


class Address(Struct, frozen=True, kw_only=True, gc=False):
    """An address of the customer on one channel."""

    channel: OutreachChannel
    address: str


class Gesture(Struct, frozen=True, kw_only=True, gc=False):
    """A kind gesture that costs us a little."""

    code: str
    title: str
    cost: Decimal
    currency: str
    link: str | None = None


class QuietHoursInForce(Struct, frozen=True, kw_only=True, gc=False):
    """Hours within which a request must not be sent on these channels, in the customer's local time. ``HH:MM``."""

    begin: str
    end: str
    time_zone: str
    channels: tuple[OutreachChannel, ...] = ()
