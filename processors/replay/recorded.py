"""Recorded decisions, each with the letter that it requested and those that it retracted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from processors.replay.fold import Fact
from processors.replay.source import Source
from streams.clock import to_millis
from streams.events import (
    Decision,
    DecisionKind,
    JourneyState,
    OutreachChannel,
    OutreachRequested,
    OutreachRetracted,
    Record,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """One decision, its request and its retractions."""

    decision: Decision
    request: OutreachRequested | None = None
    retracted: tuple[OutreachRetracted, ...] = ()
    whole: bool = True
    """False if the decision's letter is no longer retained, so that its content is unknown."""

    @property
    def reaches(self) -> bool:
        """Whether the customer or staff receives something."""
        return self.decision.kind in (DecisionKind.SEND, DecisionKind.ESCALATE)

    @property
    def is_task(self) -> bool:
        """Whether it is a task for staff."""
        return self.decision.channel is OutreachChannel.AGENT_TASK


@dataclass(slots=True)
class Decisions:
    """Collects the decisions of one side whose time is in the range."""

    since: datetime
    until: datetime
    decisions: dict[str, Decision] = field(default_factory=dict)
    doubled: int = 0
    """Decisions that appeared more than once."""
    letters_since: int | None = None
    """Letters before this time (ms) were deleted; None if all are retained."""
    _requests: dict[str, OutreachRequested] = field(default_factory=dict)
    _retracted: dict[str, list[OutreachRetracted]] = field(default_factory=dict)

    def wants(self, record: object) -> bool:
        """Whether the record is a decision, request or retraction within the range; others are ignored."""
        match record:
            case Decision():
                moment = record.decided_at
            case OutreachRequested():
                moment = record.requested_at
            case OutreachRetracted():
                moment = record.retracted_at
            case _:
                return False
        return self.since <= moment < self.until

    def take(self, record: object) -> None:
        """Keep the record if :meth:`wants` says so."""
        if not self.wants(record):
            return
        match record:
            case Decision():
                self.doubled += record.decision_id in self.decisions
                self.decisions[record.decision_id] = record
            case OutreachRequested():
                self._requests[record.decision_id] = record
            case OutreachRetracted():
                self._retracted.setdefault(record.decision_id, []).append(record)

    def drop(self, decision_ids: Iterable[str]) -> None:
        """Remove these decisions."""
        for one in decision_ids:
            del self.decisions[one]

    def whole(self) -> dict[str, Decided]:
        """Each decision with its request and retractions, by decision id."""
        return {
            one: Decided(
                decision=decision,
                request=self._requests.get(one),
                retracted=tuple(sorted(self._retracted.get(one, ()), key=lambda taken_back: taken_back.outreach_id)),
                whole=self.letters_since is None or self.letters_since <= to_millis(decision.decided_at),
            )
            for one, decision in self.decisions.items()
        }


@dataclass(slots=True)
class Recorded:
    """One partition's recorded decisions."""

    decisions: Decisions
    handled_at: dict[Fact, int] = field(default_factory=dict)
    """When the role handled a fact (ms), if it made a decision on it; also for facts before the range."""


async def read_decisions(source: Source, partition: int, recorded: Recorded) -> None:
    """Read the decisions of the journeys role. Raises Unavailable, or Unreadable for one that cannot be read."""
    async for raw in source.records(source.topics.decisions, partition):
        decision = await _decoded(source, raw.value)
        if isinstance(decision, Decision):
            recorded.decisions.take(decision)
            if decision.trigger_event_id is not None:
                fact = (decision.customer_id, decision.trigger_event_id)
                recorded.handled_at.setdefault(fact, to_millis(decision.decided_at))


async def read_outreach(source: Source, partition: int, recorded: Recorded) -> None:
    """Read the requests and retractions. Raises Unavailable, or Unreadable."""
    first = True
    async for raw in source.records(source.topics.outreach, partition):
        if first and raw.offset:
            recorded.decisions.letters_since = raw.timestamp
        first = False
        recorded.decisions.take(await _decoded(source, raw.value))


async def read_states(source: Source, partition: int, customers: set[str]) -> dict[str, JourneyState]:
    """The latest state of each of these customers; those without one, or erased, are left out.

    Raises Unavailable, and Unreadable.
    """
    latest: dict[str, bytes | None] = {}
    async for raw in source.records(source.topics.journeys, partition):
        customer = raw.key.decode()
        if customer in customers:
            latest[customer] = raw.value
    states = {customer: await _decoded(source, value) for customer, value in latest.items()}
    return {
        customer: state
        for customer, state in states.items()
        if isinstance(state, JourneyState) and not state.is_erased  # an erasure's mark counts no touchpoints
    }


async def _decoded(source: Source, value: bytes | None) -> Record | None:
    return None if value is None else await source.codec.decode(value)
