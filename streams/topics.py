"""The topic catalogue: the records of each topic, their key and their retention. Topic names are defined only here."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from streams.durations import whole_millis

MAX_EVENT_BYTES = 1 << 20
"""The largest record that a topic of the contract accepts (1 MiB); the broker refuses a larger one, naming the size."""

_DEAD_LETTER_BYTES = 8 << 20  # any value that was read must fit, with its headers, whatever its own topic allowed

_TOUCHPOINTS = (
    "AgentNoted",
    "AgentTaskDone",
    "ConsentChanged",
    "ContactClosed",
    "ContactOpened",
    "ContactReplied",
    "CustomerErased",
    "DelayEnded",
    "DelayNoticed",
    "FeedbackGiven",
    "GestureGiven",
    "ItemUnavailable",
    "MentionPosted",
    "OrderCancelled",
    "OrderDelivered",
    "OrderPlaced",
    "OrderShipped",
    "ProfileUpdated",
    "ProfilesMerged",
)
_OUTCOMES = ("OutreachEngaged", "OutreachFailed", "OutreachSent", "OutreachUncertain")
_OUTCOME_NAMES = tuple(f"careline.outcome.{name}" for name in _OUTCOMES)


class Cleanup(StrEnum):
    """What Kafka does with old records."""

    DELETE = "delete"
    COMPACT = "compact"


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One topic of the contract. ``name`` is without the prefix; ``records`` are full Avro names, () for raw bytes."""

    name: str
    key: str
    records: tuple[str, ...]
    cleanup: Cleanup
    retention: timedelta | None = None
    owner: str
    max_bytes: int = MAX_EVENT_BYTES

    def config(self, *, keep_history: bool = False) -> dict[str, str]:
        """Return the topic's settings in Kafka's own names.

        ``keep_history`` keeps records for ever: retention goes by the records' own timestamps, so a past day that is
        replayed in event time would be deleted as soon as it is written.
        """
        config = {"cleanup.policy": self.cleanup.value, "max.message.bytes": str(self.max_bytes)}
        if self.retention is not None:
            config["retention.ms"] = "-1" if keep_history else str(whole_millis(self.retention))
        if self.cleanup is Cleanup.COMPACT:
            config |= {"min.cleanable.dirty.ratio": "0.2", "delete.retention.ms": "86400000", "segment.ms": "3600000"}
        return config


@dataclass(frozen=True, slots=True, kw_only=True)
class Topics:
    """The catalogue under one prefix."""

    prefix: str = "careline."
    touchpoints: Topic = field(
        default=Topic(
            name="touchpoints",
            key="customer_id",
            records=tuple(f"careline.touchpoint.{name}" for name in _TOUCHPOINTS) + _OUTCOME_NAMES,
            cleanup=Cleanup.DELETE,
            retention=timedelta(days=30),
            owner="publishers, gateway, outreach dispatcher",
        )
    )
    journeys: Topic = field(
        default=Topic(
            name="journeys",
            key="customer_id",
            records=("careline.journey.JourneyState",),
            cleanup=Cleanup.COMPACT,
            owner="journey processor",
        )
    )
    decisions: Topic = field(
        default=Topic(
            name="decisions",
            key="customer_id",
            records=("careline.outreach.Decision",),
            cleanup=Cleanup.DELETE,
            retention=timedelta(days=90),
            owner="journey processor",
        )
    )
    outreach: Topic = field(
        default=Topic(
            name="outreach",
            key="customer_id",
            records=("careline.outreach.OutreachRequested", "careline.outreach.OutreachRetracted"),
            cleanup=Cleanup.DELETE,
            retention=timedelta(days=30),
            owner="journey processor",
        )
    )
    outcomes: Topic = field(
        default=Topic(
            name="outcomes",
            key="customer_id",
            records=_OUTCOME_NAMES,
            cleanup=Cleanup.DELETE,
            retention=timedelta(days=90),
            owner="outreach dispatcher, channel callbacks",
        )
    )
    exposures: Topic = field(
        default=Topic(
            name="exposures",
            key="customer_id",
            records=("careline.outreach.ExperimentExposed",),
            cleanup=Cleanup.DELETE,
            retention=timedelta(days=90),
            owner="journey processor",
        )
    )
    agent_tasks: Topic = field(
        default=Topic(
            name="agent-tasks",
            key="customer_id",
            records=("careline.outreach.AgentTask",),
            cleanup=Cleanup.DELETE,
            retention=timedelta(days=30),
            owner="outreach dispatcher",
        )
    )
    outreach_ledger: Topic = field(
        default=Topic(
            name="outreach-ledger",
            key="outreach_id",
            records=("careline.outreach.OutreachLedgerEntry",),
            cleanup=Cleanup.COMPACT,
            owner="outreach dispatcher",
        )
    )
    dead_letters: Topic = field(
        default=Topic(
            name="dead-letters",
            key="as it was",
            records=(),
            cleanup=Cleanup.DELETE,
            retention=timedelta(days=90),
            owner="every reader",
            max_bytes=_DEAD_LETTER_BYTES,
        )
    )

    def all(self) -> tuple[Topic, ...]:
        """Return every topic of the contract."""
        return (
            self.touchpoints,
            self.journeys,
            self.decisions,
            self.outreach,
            self.outcomes,
            self.exposures,
            self.agent_tasks,
            self.outreach_ledger,
            self.dead_letters,
        )

    def full_name(self, topic: Topic) -> str:
        """Return the topic's name on the broker."""
        return self.prefix + topic.name

    def by_full_name(self, full_name: str) -> Topic:
        """Return the topic with that name on the broker. Raises KeyError for one that is not in this catalogue."""
        for topic in self.all():
            if self.full_name(topic) == full_name:
                return topic
        raise KeyError(full_name)

    def subject(self, topic: Topic, record: str) -> str:
        """Return the registry's subject: TopicRecordName if the topic carries several record types, else TopicName."""
        full_name = self.full_name(topic)
        return f"{full_name}-{record}" if len(topic.records) > 1 else f"{full_name}-value"

    def subjects(self) -> tuple[tuple[str, str], ...]:
        """Return every (subject, full record name) of the catalogue."""
        return tuple((self.subject(topic, record), record) for topic in self.all() for record in topic.records)
