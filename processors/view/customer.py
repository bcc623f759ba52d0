"""What staff want to know about one customer; :mod:`processors.view.reading` reads it from the view."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from streams import events
from streams.events import Record
from streams.zones import zone_named

Journey = events.Contact | events.Order | events.Delay | events.Wish | events.Mention
"""An open matter of a customer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of the timeline, and the topic, partition and offset of its record.

    ``kind``: touchpoint, decision, outreach, task, outcome.
    """

    at: datetime
    kind: str
    record: Record
    topic: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OutreachStory:
    """One outreach from the decision to the outcome. All tuples are oldest first."""

    outreach_id: str | None
    """None for a decision that led to no outreach."""
    decisions: tuple[events.Decision, ...]
    request: events.OutreachRequested | None
    outcomes: tuple[events.Outcome, ...]
    retraction: events.OutreachRetracted | None
    task: events.AgentTask | None = None
    """The task for staff, if the outreach is one."""
    done: events.AgentTaskDone | None = None

    @property
    def open_task(self) -> events.AgentTask | None:
        """The task, if it is still open."""
        return None if self.done is not None or self.retraction is not None else self.task

    @property
    def decision(self) -> events.Decision | None:
        """The latest decision: why the outreach was or was not sent."""
        return self.decisions[-1] if self.decisions else None

    @property
    def at(self) -> datetime:
        """The time of the latest decision or outcome."""
        moments = [decision.decided_at for decision in self.decisions] + [one.occurred_at for one in self.outcomes]
        moments += [] if self.request is None else [self.request.requested_at]
        moments += [] if self.retraction is None else [self.retraction.retracted_at]
        moments += [] if self.task is None else [self.task.opened_at]
        moments += [] if self.done is None else [self.done.occurred_at]
        return max(moments)

    @property
    def status(self) -> str:
        """The status in one or two words, such as ``sent`` or ``held back``."""
        if self.done is not None:
            return "done"
        if self.task is not None:
            return "task, then retracted" if self.retraction is not None else "task"
        left = {type(outcome) for outcome in self.outcomes}
        if events.OutreachSent in left or events.OutreachEngaged in left:
            return "sent, then retracted" if self.retraction is not None else "sent"
        if events.OutreachUncertain in left:
            return "uncertain"
        if self.retraction is not None:
            return "retracted"
        if events.OutreachFailed in left:
            return "not sent"
        if self.request is not None:
            return "requested"
        kind = self.decision.kind if self.decision is not None else events.DecisionKind.OTHER
        return _STATUS_OF_DECISION.get(kind, kind.lower())


_STATUS_OF_DECISION = {
    events.DecisionKind.SEND: "decided",
    events.DecisionKind.HOLD: "held back",
    events.DecisionKind.SUPPRESS: "not sent",
    events.DecisionKind.RETRACT: "retracted",
    events.DecisionKind.ESCALATE: "passed to a person",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerView:
    """What the view has about a customer. ``timeline`` and ``outreach`` are newest first, ``tasks`` soonest due first.

    Each has at most ``limit`` entries; ``timeline_kept``, ``outreach_kept`` and ``tasks_kept`` are the total numbers.
    ``unreadable`` has a line for each document that could not be read; the others are still shown.
    """

    customer_id: str
    state: events.JourneyState | None
    timeline: tuple[Entry, ...]
    outreach: tuple[OutreachStory, ...]
    erased_at: datetime | None
    tasks: tuple[events.AgentTask, ...] = ()
    limit: int = 500
    timeline_kept: int = 0
    outreach_kept: int = 0
    tasks_kept: int = 0
    unreadable: tuple[str, ...] = ()

    @property
    def known(self) -> bool:
        """Whether there is anything to show."""
        return self.state is not None or bool(self.timeline) or bool(self.unreadable)

    @property
    def profile(self) -> events.Profile:
        """The customer's profile; empty if there is none."""
        return events.Profile() if self.state is None else self.state.profile

    @property
    def zone(self) -> ZoneInfo:
        """The customer's own time zone; UTC if it is unknown."""
        name = self.profile.time_zone or "UTC"
        try:
            return ZoneInfo(zone_named(name) or name)
        except (KeyError, ValueError, OSError):  # a zone name that some publisher invented
            return ZoneInfo("UTC")

    @property
    def consents(self) -> tuple[events.Consent, ...]:
        """The customer's consents, granted or denied."""
        return () if self.state is None else self.state.consents

    @property
    def open_journeys(self) -> tuple[Journey, ...]:
        """The open matters, the most recently opened first."""
        state = self.state
        if state is None:
            return ()
        journeys: tuple[Journey, ...] = (*state.contacts, *state.orders, *state.delays, *state.wishes, *state.mentions)
        return tuple(
            sorted((one for one in journeys if one.closed_at is None), key=lambda one: one.opened_at, reverse=True)
        )
