"""From a record of the topics to what the view shows: pure, a tuple of writes as values.

All writes commute and repeat without effect, so the order in which the topics are read does not matter, and reading
again from the beginning gives the same view.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from processors.journey.identity import matter_of
from processors.view.documents import lean, to_json
from streams import events
from streams.clock import to_millis
from streams.events import Record

PREFIX = "careline:view:"
OUTREACHES = f"{PREFIX}outreaches:"
"""What the keys of :func:`outreaches_key` begin with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much of a customer's history is kept: the latest of each by time."""

    timeline: int = 200
    """Entries of the timeline."""
    outreach: int = 100
    """Outreaches; of each no more than FIELDS_KEPT records."""


BOUNDS = Bounds()

FIELDS_KEPT = 100
"""Of the decisions and outcomes of one outreach the latest so many are kept, and whatever else there is of it."""

OUTCOMES = (events.OutreachSent, events.OutreachFailed, events.OutreachUncertain, events.OutreachEngaged)


@dataclass(frozen=True, slots=True)
class Put:
    """The document at ``key`` is ``value``."""

    key: str
    value: str


@dataclass(frozen=True, slots=True)
class PutField:
    """``field`` of the hash at ``key`` is ``value``, which happened at ``at`` (ms).

    Of decisions and outcomes only the latest ``keep`` stay (0: all).
    """

    key: str
    field: str
    value: str
    at: int
    keep: int = 0


@dataclass(frozen=True, slots=True)
class Rank:
    """``member`` is in the sorted set at ``key``, at the highest ``score`` (ms) given for it.

    Only the highest ``keep`` members stay (0: all). An outreach that does not stay is not kept itself, either, nor
    does a task wait in a queue.
    """

    key: str
    member: str
    score: int
    keep: int = 0


@dataclass(frozen=True, slots=True)
class Queue:
    """The task ``member`` waits in the queue of ``team``, due at ``due`` (ms); unless it is over, now or earlier.

    The task itself is the field ``task`` of the outreach of that name.
    """

    team: str
    member: str
    due: int


@dataclass(frozen=True, slots=True)
class Unqueue:
    """The task ``member`` is over, if it is one; it waits in no queue, whichever of the two is read first.

    That it is over stands in the outreach of that name: its retraction, or that somebody did it. ``erased``: its
    customer was erased, and what the task says is not kept either, whichever is read first.
    """

    member: str
    erased: bool = False


@dataclass(frozen=True, slots=True)
class Forget:
    """Nothing of the customer up to ``until`` (ms) is shown any more, now or when it is read again."""

    customer_id: str
    until: int


@dataclass(frozen=True, slots=True)
class DropState:
    """The customer has no journey state any more."""

    customer_id: str


Write = Put | PutField | Rank | Queue | Unqueue | Forget | DropState

ERASED = "erased"
"""Why what was sent to a customer who was erased is taken back."""

TASK = "task"
"""The field of an outreach that is the task itself."""


def is_erased(retraction: str | None) -> bool:
    """Whether the retraction of an outreach, as it is kept, says that the customer was erased."""
    return retraction is not None and json.loads(retraction).get("record", {}).get("reason") == ERASED


def is_over(fields: Iterable[str]) -> bool:
    """Whether an outreach with these fields is a task that nobody need do any more."""
    return any(name == "retraction" or name.startswith("done/") for name in fields)


def too_many(fields: Mapping[str, int], keep: int) -> list[str]:
    """Of an outreach's fields, by when they happened, the decisions and outcomes that are older than the latest."""
    many = [name for name in fields if name.startswith(("decision/", "outcome/"))]
    return sorted(many, key=lambda name: (fields[name], name))[:-keep] if len(many) > keep else []


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPlace:
    """Where a record stands."""

    topic: str
    partition: int
    offset: int


def customer_key(customer_id: str) -> str:
    """Of the latest journey state."""
    return f"{PREFIX}customer:{customer_id}"


def timeline_key(customer_id: str) -> str:
    """Of the timeline."""
    return f"{PREFIX}timeline:{customer_id}"


def outreaches_key(customer_id: str) -> str:
    """Of the customer's outreach ids."""
    return f"{OUTREACHES}{customer_id}"


def outreach_key(outreach_id: str) -> str:
    """Of one outreach."""
    return f"{PREFIX}outreach:{outreach_id}"


def queue_key(team: str) -> str:
    """Of the tasks that a team has to do."""
    return f"{PREFIX}tasks:{team}"


TEAMS = f"{PREFIX}teams"
"""Key of the teams that ever had a task."""


def project(record: Record, place: RecordPlace, bounds: Bounds = BOUNDS) -> tuple[Write, ...]:
    """What the record changes in the view; () for one that the view does not show.

    What belongs to an outreach stands in that; its entry in the timeline says where.
    """
    if isinstance(record, events.JourneyState) and record.is_erased:
        return erase(record.customer_id, at=to_millis(max(record.updated_at, record.erased_at or record.updated_at)))
    if isinstance(record, events.JourneyState):
        plain = lean(record)
        plain.pop("recent_events", None)  # for recognising duplicates; nothing to show
        put = Put(customer_key(record.customer_id), to_json(plain))
        # somebody new under the key of one who was erased: decisions are kept for longer than the erasure itself
        return (put,) if record.erased_at is None else (put, Forget(record.customer_id, to_millis(record.erased_at)))
    if isinstance(record, events.OutreachLedgerEntry):
        return ()
    millis = to_millis(sorted_in(record)[0])
    if isinstance(record, events.CustomerErased):
        return (Forget(record.customer_id, millis),)
    plain, what = lean(record), type(record).__name__
    customer_id = plain.pop("customer_id")
    entry = {"what": what, "topic": place.topic, "partition": place.partition, "offset": place.offset}
    of_outreach = _of_outreach(record)
    if of_outreach is None:
        return (Rank(timeline_key(customer_id), to_json(entry | {"record": plain}), millis, keep=bounds.timeline),)
    outreach_id, field = of_outreach
    document = to_json({"what": what, "customer_id": customer_id, "record": plain})
    return (
        Rank(timeline_key(customer_id), to_json(entry | {"of": of_outreach}), millis, keep=bounds.timeline),
        Rank(outreaches_key(customer_id), outreach_id, millis, keep=bounds.outreach),
        PutField(outreach_key(outreach_id), field, document, millis, keep=FIELDS_KEPT),
        *_of_queue(record),
    )


def erase(customer_id: str, *, at: int) -> tuple[Write, ...]:
    """What an erased customer's state, or a tombstone, written at ``at`` (ms), changes: the customer's view is gone."""
    return (DropState(customer_id), Forget(customer_id, at))


def shown(record: Record, erased: int | None) -> bool:
    """Whether a record of a customer who was erased at ``erased`` (ms) may be shown: only what happened since."""
    if erased is None or isinstance(record, (events.JourneyState, events.OutreachLedgerEntry)):
        return True
    return to_millis(sorted_in(record)[0]) > erased


def sorted_in(record: Any) -> tuple[datetime, str, str]:
    """When it happened, what it is recognised by when it comes again, and the kind of entry."""
    if isinstance(record, events.Decision):
        return record.decided_at, record.decision_id, "decision"
    if isinstance(record, events.OutreachRequested):
        return record.requested_at, f"request/{record.outreach_id}", "outreach"
    if isinstance(record, events.OutreachRetracted):
        return record.retracted_at, f"retraction/{record.outreach_id}", "outreach"
    if isinstance(record, events.AgentTask):
        return record.opened_at, f"task/{record.task_id}", "task"
    return record.occurred_at, record.event_id, "outcome" if isinstance(record, OUTCOMES) else "touchpoint"


def _of_outreach(record: Any) -> tuple[str, str] | None:
    """The outreach a record belongs to, and its field there. A decision that names none stands for itself."""
    if isinstance(record, events.Decision):
        # a matter that was told in another's letter has a story of its own, which begins with what it waited for
        return matter_of(record) or f"decision/{record.decision_id}", f"decision/{record.decision_id}"
    if isinstance(record, events.OutreachRequested):
        return record.outreach_id, "request"
    if isinstance(record, events.OutreachRetracted):
        return record.outreach_id, "retraction"
    if isinstance(record, OUTCOMES):
        return record.outreach_id, f"outcome/{record.event_id}"
    if isinstance(record, events.AgentTask):
        return record.task_id, TASK
    if isinstance(record, events.AgentTaskDone):
        return record.task_id, f"done/{record.event_id}"
    return None


def _of_queue(record: Any) -> tuple[Write, ...]:
    """What the record changes in the agents' queue; it comes after the field that says why."""
    if isinstance(record, events.AgentTask):
        return (Queue(record.team, record.task_id, to_millis(record.due_at or record.useful_until)),)
    if isinstance(record, events.AgentTaskDone):
        return (Unqueue(record.task_id),)
    if isinstance(record, events.OutreachRetracted):  # of any outreach: what it was to be does not stand in it
        return (Unqueue(record.outreach_id, erased=record.reason == ERASED),)
    return ()
