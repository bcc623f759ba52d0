"""What happened, counted by reading the topics back read-committed, and the letters in the mailbox."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any

from processors.settings import Settings
from streams import Subscriber
from streams.avro.codec import Codec
from streams.avro.records import to_values
from streams.clock import from_millis
from streams.events import (
    AgentTask,
    ContactOpened,
    Decision,
    DecisionKind,
    DelayNoticed,
    ExperimentExposed,
    GestureGiven,
    JourneyState,
    OutreachFailed,
    OutreachRequested,
    OutreachRetracted,
    OutreachSent,
    OutreachUncertain,
)
from streams.registry.registry import ConfluentRegistry

OUTREACH_HEADER = "Careline-Outreach-Id"
_DELAYS = "delay_care"
_RESCUE = ("mention_reply", "rescue")
_OUTCOMES = (OutreachSent, OutreachFailed, OutreachUncertain)


@dataclass(slots=True)
class Readback:
    """Everything the topics and the mailbox hold."""

    touchpoints: Counter[str] = field(default_factory=Counter)
    event_ids: set[str] = field(default_factory=set)
    states: dict[str, JourneyState] = field(default_factory=dict)
    decisions: list[Decision] = field(default_factory=list)
    requested: list[OutreachRequested] = field(default_factory=list)
    retracted: list[OutreachRetracted] = field(default_factory=list)
    outcomes: dict[str, list[str]] = field(default_factory=dict)
    sent_by: dict[str, str] = field(default_factory=dict)
    """By outreach, the channel it left by."""
    tasks: Counter[str] = field(default_factory=Counter)
    exposures: list[ExperimentExposed] = field(default_factory=list)
    gestures: list[GestureGiven] = field(default_factory=list)
    notices: list[tuple[datetime, DelayNoticed]] = field(default_factory=list)
    """With the moment each was published at."""
    contacts: list[ContactOpened] = field(default_factory=list)
    dead_letters: int = 0
    mails: Counter[str] = field(default_factory=Counter)
    sample: EmailMessage | None = None
    sample_task: AgentTask | None = None

    def outcome(self, kind: type[Any]) -> int:
        """How many outreaches came to that end."""
        return sum(1 for outcomes in self.outcomes.values() if kind.__name__ in outcomes)

    def duplicates(self) -> int:
        """Whatever was decided, requested, ended, delivered or handed to staff more than once."""
        decided = Counter(decision.decision_id for decision in self.decisions)
        requested = Counter(request.outreach_id for request in self.requested)
        ended = map(len, self.outcomes.values())
        twice = [*decided.values(), *requested.values(), *self.mails.values(), *self.tasks.values(), *ended]
        return sum(count - 1 for count in twice if count > 1)

    def delays(self) -> dict[str, int]:
        """Waits in the journeys: late, and cancelled."""
        kinds = Counter(
            "cancelled" if delay.cancelled else "late" for state in self.states.values() for delay in state.delays
        )
        return {"late": kinds["late"], "cancelled": kinds["cancelled"]}

    def by_kind_and_reason(self) -> dict[str, dict[str, int]]:
        """Decisions: kind, then reason, then how many."""
        found: dict[str, dict[str, int]] = {}
        for (kind, reason), count in sorted(Counter((d.kind.value, d.reason) for d in self.decisions).items()):
            found.setdefault(kind.lower(), {})[reason] = count
        return found

    def sent_by_channel(self) -> dict[str, int]:
        """How many outreaches left by each channel."""
        return dict(Counter(self.sent_by.values()).most_common())

    def outreach_digest(self) -> str:
        """SHA-256 over the multiset of outreach, in whatever order it came: the same day gives the same."""
        lines = sorted(
            json.dumps(to_values(record), default=str, sort_keys=True) for record in (*self.requested, *self.retracted)
        )
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def silent(self, owed: frozenset[tuple[str, str]]) -> set[tuple[str, str]]:
        """Of the (customer, flight) pairs owed a letter, those with neither an outreach nor a reason against it."""
        told = {
            (decision.customer_id, decision.inputs.get("subject", "").split(" ", 1)[-1])
            for decision in self.decisions
            if decision.policy == _DELAYS
            and (
                decision.kind is DecisionKind.SEND
                or (decision.kind is not DecisionKind.RETRACT and decision.reason != "below_threshold")
            )
        }
        return set(owed) - told


async def read_back(settings: Settings, mail: Path | None) -> Readback:
    """Read every topic of the contract from its beginning to its end, and the mails in the folder."""
    found = Readback()
    topics = settings.topics
    outcomes, touchpoints = topics.full_name(topics.outcomes), topics.full_name(topics.touchpoints)
    names = (topics.touchpoints, topics.decisions, topics.outreach, topics.outcomes, topics.exposures)
    async with Subscriber(settings, *(topic.name for topic in names), until_end=True) as subscriber:
        async for message in subscriber:
            record = message.record
            if message.topic == outcomes:
                if isinstance(record, _OUTCOMES):
                    found.outcomes.setdefault(record.outreach_id, []).append(type(record).__name__)
                if isinstance(record, OutreachSent):
                    found.sent_by[record.outreach_id] = record.channel.value
            elif isinstance(record, Decision):
                found.decisions.append(record)
            elif isinstance(record, OutreachRequested):
                found.requested.append(record)
            elif isinstance(record, OutreachRetracted):
                found.retracted.append(record)
            elif isinstance(record, ExperimentExposed):
                found.exposures.append(record)
            elif message.topic == touchpoints and not isinstance(
                record, _OUTCOMES
            ):  # which are fed back, not published
                found.touchpoints[type(record).__name__] += 1
                found.event_ids.add(getattr(record, "event_id", ""))
                if isinstance(record, GestureGiven):
                    found.gestures.append(record)
                elif isinstance(record, DelayNoticed):
                    found.notices.append((from_millis(message.timestamp), record))
                elif isinstance(record, ContactOpened):
                    found.contacts.append(record)
    await _tasks(settings, found)
    found.states = await _states(settings)
    async with Subscriber(settings, topics.dead_letters.name, until_end=True) as dead:
        async for _ in dead.raw():
            found.dead_letters += 1
    if mail is not None:
        _read_mails(found, mail)
    return found


async def _tasks(settings: Settings, found: Readback) -> None:
    """The tasks of staff, and one of them to show: the rescue that most people are watching."""
    reach = {
        request.outreach_id: int(request.variables["reach"] or 0)
        for request in found.requested
        if (request.policy, request.occasion) == _RESCUE
    }
    most = (-1, "")
    async with Subscriber(settings, settings.topics.agent_tasks.name, until_end=True) as subscriber:
        async for message in subscriber:
            if isinstance(task := message.record, AgentTask):
                found.tasks[task.task_id] += 1
                rank = (reach.get(task.task_id, -1), task.task_id)
                if found.sample_task is None or rank > most:
                    most, found.sample_task = rank, task


async def _states(settings: Settings) -> dict[str, JourneyState]:
    """The latest state of each customer; only these are decoded, of the many versions that the topic holds."""
    topic = settings.topics.journeys
    latest: dict[bytes, bytes | None] = {}
    async with Subscriber(settings, topic.name, until_end=True) as journeys:
        async for record in journeys.raw():
            latest[record.key] = record.value
    registry = ConfluentRegistry(settings)
    try:
        codec = Codec(registry=registry, topics=settings.topics)
        decoded = {key.decode(): await codec.decode(value) for key, value in latest.items() if value is not None}
    finally:
        await registry.close()
    return {key: state for key, state in decoded.items() if isinstance(state, JourneyState) and not state.is_erased}


def _read_mails(found: Readback, mail: Path) -> None:
    parse = BytesParser(policy=policy.default)
    best = 0
    gestures = {request.outreach_id: request for request in found.requested}
    for file in sorted(mail.glob("*.eml")):
        letter = parse.parsebytes(file.read_bytes())
        assert isinstance(letter, EmailMessage)
        outreach = str(letter[OUTREACH_HEADER])
        found.mails[outreach] += 1
        request = gestures.get(outreach)
        # the letter to show: early notice of a long wait, with its gesture, in English
        notice = request is not None and (request.policy, request.occasion) == (_DELAYS, "notice")
        if request is not None and notice and request.locale.startswith("en"):
            wait = int(request.variables["wait_minutes"])
            if request.gesture is not None and request.variables["name"] and wait > best:
                best, found.sample = wait, letter


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Milliseconds from a touchpoint's publication to a subscriber having the outreach it led to."""

    p50: int | None
    p99: int | None

    @classmethod
    def of(cls, latencies: list[int]) -> Latency:
        """Of what a subscriber measured; None where it saw none."""
        ordered = sorted(latencies)
        if not ordered:
            return cls(p50=None, p99=None)
        return cls(p50=ordered[len(ordered) // 2], p99=ordered[min(len(ordered) * 99 // 100, len(ordered) - 1)])


def text_of(letter: EmailMessage) -> str:
    """The letter as plain text."""
    body = letter.get_body(preferencelist=("plain",))
    return "" if body is None else str(body.get_content())


def at(moment: datetime) -> str:
    """A moment of the day, for the progress bar."""
    return moment.strftime("%a %d %b %H:%M UTC")
