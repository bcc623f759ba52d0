"""The typed records of the contract: ``from streams import events``.

Touchpoints and outcomes are facts, in the past tense. All records are frozen. Times are aware UTC datetimes to the
millisecond, money is a :class:`decimal.Decimal` with two places, ids are strings.
"""

from __future__ import annotations

from msgspec import Struct as Value
from msgspec.structs import replace

from streams.events.journeys import (
    Assignment,
    Consent,
    Contact,
    Delay,
    Given,
    JourneyState,
    Mention,
    Merge,
    Moment,
    Note,
    Order,
    Outreach,
    Parcel,
    Profile,
    Settled,
    Suppression,
    Timer,
    Wish,
)
from streams.events.outcomes import OutreachEngaged, OutreachFailed, OutreachSent, OutreachUncertain
from streams.events.outreach import (
    AgentTask,
    Decision,
    ExperimentExposed,
    OutreachLedgerEntry,
    OutreachRequested,
    OutreachRetracted,
)
from streams.events.touchpoints import (
    AgentNoted,
    AgentTaskDone,
    ConsentChanged,
    ContactClosed,
    ContactOpened,
    ContactReplied,
    CustomerErased,
    DelayEnded,
    DelayNoticed,
    FeedbackGiven,
    GestureGiven,
    ItemUnavailable,
    MentionPosted,
    OrderCancelled,
    OrderDelivered,
    OrderPlaced,
    OrderShipped,
    ProfilesMerged,
    ProfileUpdated,
)
from streams.events.types import (
    Address,
    Alternative,
    CancelledBy,
    Channel,
    ConsentStatus,
    DecisionKind,
    DelayReason,
    Engagement,
    FailureReason,
    FeedbackKind,
    Gesture,
    LedgerPhase,
    LedgerStatus,
    MergeSide,
    NoteKind,
    OrderItem,
    OutreachChannel,
    ParcelItem,
    Purpose,
    QuietHoursInForce,
    Resolution,
    Sentiment,
)

Outcome = OutreachSent | OutreachFailed | OutreachUncertain | OutreachEngaged
"""What happened to an outreach."""

Touchpoint = (
    ContactOpened
    | ContactReplied
    | ContactClosed
    | OrderPlaced
    | OrderShipped
    | OrderDelivered
    | OrderCancelled
    | DelayNoticed
    | DelayEnded
    | ItemUnavailable
    | MentionPosted
    | FeedbackGiven
    | AgentNoted
    | GestureGiven
    | AgentTaskDone
    | ProfileUpdated
    | ConsentChanged
    | ProfilesMerged
    | CustomerErased
    | Outcome
)
"""A fact about one customer: what the touchpoints topic carries."""

Record = (
    Touchpoint
    | JourneyState
    | Decision
    | OutreachRequested
    | OutreachRetracted
    | OutreachLedgerEntry
    | AgentTask
    | ExperimentExposed
)
"""Anything that travels on a Careline topic."""

__all__ = [
    "Address",
    "AgentNoted",
    "AgentTask",
    "AgentTaskDone",
    "Alternative",
    "Assignment",
    "CancelledBy",
    "Channel",
    "Consent",
    "ConsentChanged",
    "ConsentStatus",
    "Contact",
    "ContactClosed",
    "ContactOpened",
    "ContactReplied",
    "CustomerErased",
    "Decision",
    "DecisionKind",
    "Delay",
    "DelayEnded",
    "DelayNoticed",
    "DelayReason",
    "Engagement",
    "ExperimentExposed",
    "FailureReason",
    "FeedbackGiven",
    "FeedbackKind",
    "Gesture",
    "GestureGiven",
    "Given",
    "ItemUnavailable",
    "JourneyState",
    "LedgerPhase",
    "LedgerStatus",
    "Mention",
    "MentionPosted",
    "Merge",
    "MergeSide",
    "Moment",
    "Note",
    "NoteKind",
    "Order",
    "OrderCancelled",
    "OrderDelivered",
    "OrderItem",
    "OrderPlaced",
    "OrderShipped",
    "Outcome",
    "Outreach",
    "OutreachChannel",
    "OutreachEngaged",
    "OutreachFailed",
    "OutreachLedgerEntry",
    "OutreachRequested",
    "OutreachRetracted",
    "OutreachSent",
    "OutreachUncertain",
    "Parcel",
    "ParcelItem",
    "Profile",
    "ProfileUpdated",
    "ProfilesMerged",
    "Purpose",
    "QuietHoursInForce",
    "Record",
    "Resolution",
    "Sentiment",
    "Settled",
    "Suppression",
    "Timer",
    "Touchpoint",
    "Value",
    "Wish",
    "replace",
]
