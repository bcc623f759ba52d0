"""Reads customers, outreaches and tasks from the view. A document that cannot be read does not affect the others."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

from processors.view.customer import CustomerView, Entry, OutreachStory
from processors.view.documents import from_plain
from processors.view.projection import TASK, sorted_in
from processors.view.store import Documents, ViewStore
from streams import events
from streams.avro.records import RECORDS
from streams.clock import from_millis

_CLASSES: dict[str, type[Any]] = {cls.__name__: cls for cls in RECORDS.values()}

T = TypeVar("T")


async def customer_view(store: ViewStore, customer_id: str, *, limit: int = 500) -> CustomerView:
    """The customer as the view has them, with at most ``limit`` entries in each list. Raises Unavailable.

    A document that cannot be read, such as one of a newer version, does not affect the others.
    """
    # repeated records appear more than once and are left out here, so more entries are requested
    documents = await store.customer(customer_id, limit=2 * limit)
    if documents.state is None and documents.erased is not None:  # outcomes of letters from before the erasure
        documents = replace(documents, timeline=(), outreach={}, timeline_kept=0, outreach_kept=0)
    unreadable: list[str] = []
    state = None
    if documents.state is not None:
        state = _read("the journey state", unreadable, partial(_state, documents.state))
    timeline: dict[str, Entry] = {}
    kept = await _kept(store, documents)
    for text in documents.timeline:
        found = _read("an entry of the timeline", unreadable, partial(_entry, customer_id, text, kept))
        if found is None:  # unreadable, or its outreach was dropped
            continue
        identity, entry = found
        first = timeline.get(identity)
        if first is None or (entry.topic, entry.partition, entry.offset) < (first.topic, first.partition, first.offset):
            timeline[identity] = entry
    outreach = [(one, fields) for one, fields in documents.outreach.items() if fields]
    told = (_read(f"outreach {one}", unreadable, partial(_dated, one, fields)) for one, fields in outreach)
    stories = sorted((one for one in told if one is not None), key=lambda one: one[0], reverse=True)
    tasks = (_read("a task", unreadable, partial(_task, text)) for text in documents.tasks)
    return CustomerView(
        customer_id=customer_id,
        state=state,
        timeline=tuple(timeline.values())[:limit],
        outreach=tuple(story for _, story in stories[:limit]),
        erased_at=None if documents.erased is None else _moment(documents.erased),
        tasks=tuple(task for task in tasks if task is not None)[:limit],
        limit=limit,
        timeline_kept=documents.timeline_kept,
        outreach_kept=documents.outreach_kept,
        tasks_kept=documents.tasks_kept,
        unreadable=tuple(unreadable),
    )


def _read(what: str, unreadable: list[str], read: Callable[[], T]) -> T | None:
    """The result of ``read``; if it raises, None and a line in ``unreadable``."""
    try:
        return read()
    except Exception as error:
        unreadable.append(f"{what} cannot be read: {type(error).__name__}: {error}")
        return None


def _state(text: str) -> events.JourneyState:
    return from_plain(events.JourneyState, {**json.loads(text), "recent_events": ""})


async def _kept(store: ViewStore, documents: Documents) -> Mapping[str, Mapping[str, str]]:
    """The outreaches that the timeline refers to; those in ``documents`` are not requested again."""
    wanted: set[str] = set()
    for text in documents.timeline:
        with contextlib.suppress(Exception):  # reported where the entry itself is read
            wanted.add(json.loads(text)["of"][0])
    missing = wanted - documents.outreach.keys()
    return {**documents.outreach, **(await store.outreaches(sorted(missing)) if missing else {})}


def _entry(customer_id: str, text: str, kept: Mapping[str, Mapping[str, str]]) -> tuple[str, Entry] | None:
    plain = json.loads(text)
    place = {"topic": plain["topic"], "partition": plain["partition"], "offset": plain["offset"]}
    if "record" in plain:
        told = plain["record"]
    else:
        outreach_id, field = plain["of"]
        document = kept.get(outreach_id, {}).get(field)
        if document is None:
            return None
        told = json.loads(document)["record"]
    record = _record(plain["what"], customer_id, told)
    at, identity, kind = sorted_in(record)
    return identity, Entry(at=at, kind=kind, record=record, **place)


def _dated(outreach_id: str, fields: Mapping[str, str]) -> tuple[datetime, OutreachStory]:
    story = _story(outreach_id, fields)
    return story.at, story


def _task(text: str) -> events.AgentTask:
    plain = json.loads(text)
    task: events.AgentTask = _record(plain["what"], plain["customer_id"], plain["record"])
    return task


def _moment(millis: int) -> datetime:
    try:
        return from_millis(millis)
    except OverflowError:  # from a wrong clock
        return datetime.max.replace(tzinfo=UTC)


async def outreach_story(store: ViewStore, outreach_id: str) -> OutreachStory | None:
    """Why one outreach was or was not sent; None if the view does not have it. Raises Unavailable."""
    fields = await store.outreach(outreach_id)
    return _story(outreach_id, fields) if fields else None


async def open_tasks(
    store: ViewStore,
    *,
    team: str | None = None,
    limit: int = 500,
    useful_at: datetime | None = None,
    unreadable: list[str] | None = None,
) -> tuple[events.AgentTask, ...]:
    """The open tasks of the team, or of every team, soonest due first; with ``useful_at``, those still useful then.

    A task that cannot be read is left out, and reported in ``unreadable``. Raises Unavailable.
    """
    asked = limit
    while True:
        texts = await store.tasks(team, limit=asked)
        lost: list[str] = []
        tasks = [_read("a task", lost, partial(_task, text)) for text in texts]
        useful = tuple(task for task in tasks if task and (useful_at is None or task.useful_until > useful_at))
        if len(useful) >= limit or len(texts) < asked:
            if unreadable is not None:
                unreadable += lost
            return useful[:limit]
        asked *= 4  # expired tasks come first, and must not hide those that can still be done


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
