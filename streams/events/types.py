"""The values that the records share. Field by field they are described in schemas/."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from msgspec import Struct


class Channel(StrEnum):
    """How the customer and the company talked."""

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
    """Who called the order off."""

    UNKNOWN = "UNKNOWN"
    CUSTOMER = "CUSTOMER"
    COMPANY = "COMPANY"


class DelayReason(StrEnum):
    """Why the customer has to wait. PREDICTIVE: a model expects it, nobody has announced it yet."""

    OTHER = "OTHER"
    CARRIER = "CARRIER"
    WEATHER = "WEATHER"
    WAREHOUSE = "WAREHOUSE"
    CUSTOMS = "CUSTOMS"
    PREDICTIVE = "PREDICTIVE"


class Sentiment(StrEnum):
    """The tone of what was said in public."""

    UNKNOWN = "UNKNOWN"
    POSITIVE = "POSITIVE"
    NEUTRAL = "NEUTRAL"
    NEGATIVE = "NEGATIVE"


class FeedbackKind(StrEnum):
    """What was asked or offered: CSAT, NPS and CES carry a score, the others words."""

    OTHER = "OTHER"
    CSAT = "CSAT"
    NPS = "NPS"
    CES = "CES"
    COMPLAINT = "COMPLAINT"
    PRAISE = "PRAISE"
    STORY = "STORY"


class NoteKind(StrEnum):
    """Voice of the employee: a NOTE about the customer, a GAP in the service, an IDEA to improve it."""

    NOTE = "NOTE"
    GAP = "GAP"
    IDEA = "IDEA"


class OutreachChannel(StrEnum):
    """A way to reach the customer."""

    OTHER = "OTHER"
    EMAIL = "EMAIL"
    SMS = "SMS"
    PUSH = "PUSH"
    WEBHOOK = "WEBHOOK"
    AGENT_TASK = "AGENT_TASK"


class Purpose(StrEnum):
    """SERVICE: about something the customer already has with us. MARKETING: the rest; needs consent that was given."""

    SERVICE = "SERVICE"
    MARKETING = "MARKETING"


class ConsentStatus(StrEnum):
    """GRANTED: the customer said yes. DENIED: said no when asked. REVOKED: took a yes back."""

    DENIED = "DENIED"
    GRANTED = "GRANTED"
    REVOKED = "REVOKED"


class MergeSide(StrEnum):
    """Which side of the merge the record's customer is: the one that stays or the one that goes."""

    SURVIVOR = "SURVIVOR"
    ABSORBED = "ABSORBED"


class FailureReason(StrEnum):
    """Why an outreach did not leave. EXPIRED: it was no longer useful. RETRACTED: taken back before it left."""

    OTHER = "OTHER"
    REJECTED = "REJECTED"
    BOUNCED = "BOUNCED"
    EXPIRED = "EXPIRED"
    RETRACTED = "RETRACTED"
    UNREACHABLE = "UNREACHABLE"
    TEMPLATE = "TEMPLATE"


class Engagement(StrEnum):
    """What the customer did with an outreach."""

    OTHER = "OTHER"
    DELIVERED = "DELIVERED"
    OPENED = "OPENED"
    CLICKED = "CLICKED"
    REPLIED = "REPLIED"
    REDEEMED = "REDEEMED"
    UNSUBSCRIBED = "UNSUBSCRIBED"
    COMPLAINED = "COMPLAINED"


class DecisionKind(StrEnum):
    """What was decided: SEND it, HOLD it until later, SUPPRESS it, RETRACT what was sent, ESCALATE to a person."""

    OTHER = "OTHER"
    SEND = "SEND"
    HOLD = "HOLD"
    SUPPRESS = "SUPPRESS"
    RETRACT = "RETRACT"
    ESCALATE = "ESCALATE"


class LedgerStatus(StrEnum):
    """INTENT: the provider may be called; the others are final. UNCERTAIN: nobody knows whether it left."""

    OTHER = "OTHER"
    INTENT = "INTENT"
    SENT = "SENT"
    FAILED = "FAILED"
    UNCERTAIN = "UNCERTAIN"
    RETRACTED = "RETRACTED"
    EXPIRED = "EXPIRED"


class LedgerPhase(StrEnum):
    """Where an outreach stands with the dispatcher; what may follow what is in ``processors/outreach/phases.py``.

    OTHER: not known, which is taken for CALLING.
    """

    OTHER = "OTHER"
    ITS_TURN = "ITS_TURN"
    WAITING = "WAITING"
    MAYBE_LEFT = "MAYBE_LEFT"
    CALLING = "CALLING"
    TAKEN_BACK = "TAKEN_BACK"
    ENDED = "ENDED"


class OrderItem(Struct, frozen=True, kw_only=True, gc=False):
    """One line of an order."""

    item_id: str
    description: str
    quantity: int = 1
    unit_price: Decimal | None = None


class ParcelItem(Struct, frozen=True, kw_only=True, gc=False):
    """What of an order's items is in a parcel."""

    item_id: str
    quantity: int = 1


class Alternative(Struct, frozen=True, kw_only=True, gc=False):
    """Where else the item can be had, competitors included."""

    seller: str
    link: str
    price: Decimal | None = None
    currency: str | None = None


class Address(Struct, frozen=True, kw_only=True, gc=False):
    """One way to reach the customer."""

    channel: OutreachChannel
    address: str


class Gesture(Struct, frozen=True, kw_only=True, gc=False):
    """Something kind that costs us a little."""

    code: str
    title: str
    cost: Decimal
    currency: str
    link: str | None = None


class QuietHoursInForce(Struct, frozen=True, kw_only=True, gc=False):
    """Hours within which a request must not leave on these channels, in the customer's own day. ``HH:MM``."""

    begin: str
    end: str
    time_zone: str
    channels: tuple[OutreachChannel, ...] = ()
