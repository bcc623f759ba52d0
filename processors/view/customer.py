"""What a care person wants to know of one customer, read from the view."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from processors.view.documents import from_plain
from processors.view.projection import TASK
from processors.view.store import ViewStore
from streams import events
from streams.events import Record
from streams.records import RECORDS
from streams.zones import zone_named

Journey = events.Contact | events.Order | events.Delay | events.Wish | events.Mention
"""Something under way with a customer."""

_CLASSES: dict[str, type[Any]] = {cls.__name__: cls for cls in RECORDS.values()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of the timeline, and where its record stands.

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
    """One outreach from the decision to what became of it. All tuples are oldest first."""

    outreach_id: str | None
    """None for a decision that never came to an outreach."""
    decisions: tuple[events.Decision, ...]
    request: events.OutreachRequested | None
    outcomes: tuple[events.Outcome, ...]
    retraction: events.OutreachRetracted | None
    task: events.AgentTask | None = None
    """What one of our own people should do, where the outreach is that."""
    done: events.AgentTaskDone | None = None

    @property
    def open_task(self) -> events.AgentTask | None:
        """The task, where somebody still has to do it."""
        return None if self.done is not None or self.retraction is not None else self.task

    @property
    def decision(self) -> events.Decision | None:
        """The latest decision: why it was sent, or why not."""
        return self.decisions[-1] if self.decisions else None

    @property
    def at(self) -> datetime:
        """When it was last decided on or anything became of it."""
        moments = [decision.decided_at for decision in self.decisions] + [one.occurred_at for one in self.outcomes]
        moments += [] if self.request is None else [self.request.requested_at]
        moments += [] if self.retraction is None else [self.retraction.retracted_at]
        moments += [] if self.task is None else [self.task.opened_at]
        moments += [] if self.done is None else [self.done.occurred_at]
        return max(moments)

    @property
    def status(self) -> str:
        """What became of it, in one or two words, as ``sent`` or ``held back``."""
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
    """What the view has of one customer. ``timeline`` and ``outreach`` are newest first."""

    customer_id: str
    state: events.JourneyState | None
    timeline: tuple[Entry, ...]
    outreach: tuple[OutreachStory, ...]
    erased_at: datetime | None

    @property
    def known(self) -> bool:
        """Whether there is anything to show."""
        return self.state is not None or bool(self.timeline)

    @property
    def profile(self) -> events.Profile:
        """Who they are; empty where they have not told."""
        return events.Profile() if self.state is None else self.state.profile

    @property
    def zone(self) -> ZoneInfo:
        """The customer's own time zone; UTC where it is not known."""
        name = self.profile.time_zone or "UTC"
        try:
            return ZoneInfo(zone_named(name) or name)
        except (KeyError, ValueError, OSError):  # a name that some publisher made up
            return ZoneInfo("UTC")

    @property
    def consents(self) -> tuple[events.Consent, ...]:
        """What they allowed or forbade."""
        return () if self.state is None else self.state.consents

    @property
    def open_journeys(self) -> tuple[Journey, ...]:
        """What is under way, the most recently opened first."""
        state = self.state
        if state is None:
            return ()
        journeys: tuple[Journey, ...] = (*state.contacts, *state.orders, *state.delays, *state.wishes, *state.mentions)
        return tuple(
            sorted((one for one in journeys if one.closed_at is None), key=lambda one: one.opened_at, reverse=True)
        )


async def customer_view(store: ViewStore, customer_id: str, *, limit: int = 500) -> CustomerView:
    """The customer as the view has them, with at most ``limit`` entries of the timeline. Raises Unavailable."""
    # repeated records stand there more than once; they are left out here, so a few more are asked for
    documents = await store.customer(customer_id, limit=2 * limit)
    state = None
    if documents.state is not None:
        state = from_plain(events.JourneyState, {**json.loads(documents.state), "recent_events": ""})
    timeline: dict[str, Entry] = {}
    for text in documents.timeline:
        plain = json.loads(text)
        entry = Entry(
            at=datetime.fromisoformat(plain["at"]),
            kind=plain["kind"],
            record=_record(plain["what"], customer_id, plain["record"]),
            topic=plain["topic"],
            partition=plain["partition"],
            offset=plain["offset"],
        )
        first = timeline.get(plain["id"])
        if first is None or (entry.topic, entry.partition, entry.offset) < (first.topic, first.partition, first.offset):
            timeline[plain["id"]] = entry
    stories = (_story(outreach_id, fields) for outreach_id, fields in documents.outreach.items() if fields)
    return CustomerView(
        customer_id=customer_id,
        state=state,
        timeline=tuple(timeline.values())[:limit],
        outreach=tuple(sorted(stories, key=lambda story: story.at, reverse=True)),
        erased_at=None if documents.erased is None else datetime.fromtimestamp(documents.erased / 1000, UTC),
    )


async def outreach_story(store: ViewStore, outreach_id: str) -> OutreachStory | None:
    """Why one outreach was or was not sent; None where the view has nothing of it. Raises Unavailable."""
    fields = await store.outreach(outreach_id)
    return _story(outreach_id, fields) if fields else None


async def open_tasks(
    store: ViewStore, *, team: str | None = None, limit: int = 500, useful_at: datetime | None = None
) -> tuple[events.AgentTask, ...]:
    """What the team, or every team, has to do, the soonest due first; with ``useful_at`` what is still of use then.

    Raises Unavailable.
    """
    asked = limit
    while True:
        plain = [json.loads(text) for text in await store.tasks(team, limit=asked)]
        tasks = tuple(_record(one["what"], one["customer_id"], one["record"]) for one in plain)
        useful = tuple(task for task in tasks if useful_at is None or task.useful_until > useful_at)
        if len(useful) >= limit or len(plain) < asked:
            return useful[:limit]
        asked *= 4  # what nobody did in time stands first, and must not hide what somebody still can


def _story(outreach_id: str, fields: Mapping[str, str]) -> OutreachStory:
    found: dict[str, list[Any]] = {}
    for name, text in fields.items():
        plain = json.loads(text)
        found.setdefault(name.partition("/")[0], []).append(
            _record(plain["what"], plain["customer_id"], plain["record"])
        )
    return OutreachStory(
        outreach_id=None if outreach_id.startswith("decision/") else outreach_id,
        decisions=tuple(sorted(found.get("decision", ()), key=lambda one: (one.decided_at, one.decision_id))),
        request=next(iter(found.get("request", ())), None),
        outcomes=tuple(sorted(found.get("outcome", ()), key=lambda one: (one.occurred_at, one.event_id))),
        retraction=next(iter(found.get("retraction", ())), None),
        task=next(iter(found.get(TASK, ())), None),
        done=min(found.get("done", ()), key=lambda one: (one.occurred_at, one.event_id), default=None),
    )


def _record(what: str, customer_id: str, plain: dict[str, Any]) -> Any:
    return from_plain(_CLASSES[what], {**plain, "customer_id": customer_id})
