"""Projects a record of the topics to changes of the view. Pure: it returns a tuple of writes as values.

All writes are commutative and idempotent, so the order in which the topics are read does not matter, and reading again
from the beginning gives the same view.
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
"""The prefix of the keys from :func:`outreaches_key`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much of a customer's history is kept; the latest entries stay."""

    timeline: int = 200
    """Entries of the timeline."""
    outreach: int = 100
    """Outreaches, each with at most FIELDS_KEPT decisions and outcomes."""


BOUNDS = Bounds()

FIELDS_KEPT = 100
"""How many decisions and outcomes of one outreach are kept, the latest; its other fields are always kept."""

OUTCOMES = (events.OutreachSent, events.OutreachFailed, events.OutreachUncertain, events.OutreachEngaged)


@dataclass(frozen=True, slots=True)
class Put:
    """Set the document at ``key`` to ``value``."""

    key: str
    value: str


@dataclass(frozen=True, slots=True)
class PutField:
    """Set ``field`` of the hash at ``key`` to ``value``, which happened at ``at`` (ms).

    Only the latest ``keep`` decisions and outcomes stay (0: all).
    """

    key: str
    field: str
    value: str
    at: int
    keep: int = 0


@dataclass(frozen=True, slots=True)
class Rank:
    """Add ``member`` to the sorted set at ``key``, with the highest ``score`` (ms) given for it.

    Only the highest ``keep`` members stay (0: all). An outreach that is dropped here is deleted itself, and its task
    leaves its queue.
    """

    key: str
    member: str
    score: int
    keep: int = 0


@dataclass(frozen=True, slots=True)
class Queue:
    """Add the task ``member`` to the queue of ``team``, due at ``due`` (ms), unless the task is over already.

    The task itself is the field ``task`` of the outreach with that id.
    """

    team: str
    member: str
    due: int


@dataclass(frozen=True, slots=True)
class Unqueue:
    """Remove the task ``member``, if it is one, from its queue, whichever of task and end is read first.

    The outreach with that id records why the task is over: it was retracted, or somebody did it. ``erased``: its
    customer was erased, so the content of the task is deleted too, whichever is read first.
    """

    member: str
    erased: bool = False


@dataclass(frozen=True, slots=True)
class Forget:
    """Delete everything about the customer up to ``until`` (ms), and ignore it if it is read again."""

    customer_id: str
    until: int


@dataclass(frozen=True, slots=True)
class DropState:
    """Delete the customer's journey state."""

    customer_id: str


Write = Put | PutField | Rank | Queue | Unqueue | Forget | DropState

ERASED = "erased"
"""The reason of a retraction because the customer was erased."""

TASK = "task"
"""The field of an outreach that contains the task itself."""


def is_erased(retraction: str | None) -> bool:
    """Whether an outreach's retraction, as stored, says that the customer was erased."""
    return retraction is not None and json.loads(retraction).get("record", {}).get("reason") == ERASED


def is_over(fields: Iterable[str]) -> bool:
    """Whether an outreach with these fields is a task that is done or retracted."""
    return any(name == "retraction" or name.startswith("done/") for name in fields)


def too_many(fields: Mapping[str, int], keep: int) -> list[str]:
    """The names of an outreach's decisions and outcomes beyond the latest ``keep``; ``fields``: their times by name."""
    many = [name for name in fields if name.startswith(("decision/", "outcome/"))]
    return sorted(many, key=lambda name: (fields[name], name))[:-keep] if len(many) > keep else []


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPlace:
    """Topic, partition and offset of a record."""

    topic: str
    partition: int
    offset: int


def customer_key(customer_id: str) -> str:
    """The key of the latest journey state."""
    return f"{PREFIX}customer:{customer_id}"


def timeline_key(customer_id: str) -> str:
    """The key of the timeline."""
    return f"{PREFIX}timeline:{customer_id}"


def outreaches_key(customer_id: str) -> str:
    """The key of the customer's outreach ids."""
    return f"{OUTREACHES}{customer_id}"


def outreach_key(outreach_id: str) -> str:
    """The key of one outreach."""
    return f"{PREFIX}outreach:{outreach_id}"


def queue_key(team: str) -> str:
    """The key of a team's open tasks."""
    return f"{PREFIX}tasks:{team}"


TEAMS = f"{PREFIX}teams"
"""Key of the teams that ever had a task."""


def project(record: Record, place: RecordPlace, bounds: Bounds = BOUNDS) -> tuple[Write, ...]:
    """The changes that a record makes to the view; () for a record that the view does not show.

    A record of an outreach is stored with the outreach; its entry in the timeline refers to it.
    """
    if isinstance(record, events.JourneyState) and record.is_erased:
        return erase(record.customer_id, at=to_millis(max(record.updated_at, record.erased_at or record.updated_at)))
    if isinstance(record, events.JourneyState):
        plain = lean(record)
        plain.pop("recent_events", None)  # used to recognise duplicates only
        put = Put(customer_key(record.customer_id), to_json(plain))
        # a new customer under the key of an erased one: decisions are retained for longer than the erasure itself
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
    """The changes for an erased state or a tombstone, written at ``at`` (ms): the customer's view is deleted."""
    return (DropState(customer_id), Forget(customer_id, at))


def shown(record: Record, erased: int | None) -> bool:
    """Whether a record of a customer who was erased at ``erased`` (ms) may be shown: only if it happened later."""
    if erased is None or isinstance(record, (events.JourneyState, events.OutreachLedgerEntry)):
        return True
    return to_millis(sorted_in(record)[0]) > erased


def sorted_in(record: Any) -> tuple[datetime, str, str]:
    """A record's time, the id by which a repetition is recognised, and the kind of entry."""
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
    """The outreach that a record belongs to, and its field there. A decision that names none is its own story."""
    if isinstance(record, events.Decision):
        # a matter that was combined into another's letter has its own story, which begins with its holds
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
    """The changes that a record makes to the staff queue; they follow the write of the field that causes them."""
    if isinstance(record, events.AgentTask):
        return (Queue(record.team, record.task_id, to_millis(record.due_at or record.useful_until)),)
    if isinstance(record, events.AgentTaskDone):
        return (Unqueue(record.task_id),)
    if isinstance(record, events.OutreachRetracted):  # of any outreach: it does not say whether it is a task
        return (Unqueue(record.outreach_id, erased=record.reason == ERASED),)
    return ()
