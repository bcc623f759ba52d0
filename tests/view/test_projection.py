"""From records to what the view shows."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from processors.view.projection import Forget, erase, project, shown
from processors.view.reading import customer_view, open_tasks
from processors.view.store import Documents, InMemoryViewStore
from streams import events
from streams.clock import to_millis
from streams.events import Record, replace
from tests.view.sample import (
    ANNA,
    ASKED,
    DAY,
    DECIDED,
    DELAYED,
    DONE,
    ERASED,
    HELD,
    SENT,
    STATE,
    TASK,
    TASK_TAKEN_BACK,
    after,
    place,
    uid,
    view_of,
    writes,
)  # fmt: skip


async def shown_of(store: InMemoryViewStore, customer_id: str = ANNA) -> Documents:
    return await store.customer(customer_id, limit=500)


async def test_an_entry_says_where_its_record_stands() -> None:
    """From any line of the timeline the record itself can be found: topic, partition, offset."""
    anna = await shown_of(await view_of(DELAYED))
    entry = json.loads(anna.timeline[0])
    assert (entry["topic"], entry["partition"], entry["offset"]) == ("careline.touchpoints", 0, 0)
    assert entry["what"] == "DelayNoticed"
    assert entry["record"]["description"] == "UA 123 to Chicago"


@pytest.mark.parametrize("seed", range(10))
async def test_the_topics_may_be_read_in_any_order_and_more_than_once(seed: int) -> None:
    """However the topics are interleaved, and whatever comes again, the view is the same."""
    chance = random.Random(seed)
    once = writes(*DAY)
    again = once + chance.sample(once, k=len(once) // 2)
    chance.shuffle(again)
    store = InMemoryViewStore()
    await store.apply(await store.begin(), again, {})
    assert await shown_of(store) == await shown_of(await view_of(*DAY))


async def test_everything_of_one_outreach_is_in_one_place() -> None:
    """Why was it sent: the decisions, the request and what became of it, under its id."""
    store = await view_of(*DAY)
    fields = await store.outreach(uid("letter"))
    assert set(fields) == {f"decision/{uid('held')}", f"decision/{uid('sent')}", "request", f"outcome/{uid('outcome')}"}


async def test_a_refusal_without_an_outreach_stands_for_itself() -> None:
    """Why was nothing sent: a decision that names no outreach is found as well."""
    anna = await shown_of(await view_of(*DAY))
    assert set(anna.outreach) == {uid("letter"), f"decision/{uid('refused')}"}


async def test_the_bookkeeping_of_the_state_is_not_shown() -> None:
    """Digests of recent events are for the processor."""
    anna = await shown_of(await view_of(STATE))
    assert anna.state is not None
    assert "recent_events" not in json.loads(anna.state)


async def test_an_erased_customer_is_gone_whichever_topic_is_read_last() -> None:
    """The erasure itself, the tombstone, and old records read afterwards: nothing comes back."""
    erasure = events.CustomerErased(event_id=uid("gone"), customer_id=ANNA, occurred_at=after(600), source="test")
    store = await view_of(*DAY)
    standing = await store.load()
    standing = await store.apply(standing, project(erasure, place(erasure, 99)), {})
    standing = await store.apply(standing, erase(ANNA, at=to_millis(after(600))), {})
    await store.apply(standing, writes(*(one for one in DAY if one is not STATE), erased=standing.erased[ANNA]), {})
    anna = await shown_of(store)
    assert (anna.state, anna.timeline, anna.outreach) == (None, (), {})
    assert await store.outreach(uid("letter")) == {}


def test_who_comes_back_after_an_erasure_is_shown_from_then_on() -> None:
    """Only what happened since."""
    erased = to_millis(after(100))
    assert not shown(DELAYED, erased)
    assert shown(ASKED, erased)
    assert shown(DELAYED, None)


def test_an_erasure_leaves_no_entry_of_its_own() -> None:
    """The timeline of an erased customer is empty, not a line that says so."""
    erasure = events.CustomerErased(event_id=uid("gone"), customer_id=ANNA, occurred_at=after(600), source="test")
    assert project(erasure, place(erasure, 1)) == (Forget(ANNA, to_millis(after(600))),)


def test_the_ledger_is_not_shown() -> None:
    """It is the dispatcher's own."""
    entry = events.OutreachLedgerEntry(
        outreach_id=uid("letter"), customer_id=ANNA, status=events.LedgerStatus.SENT, updated_at=after(0)
    )
    assert project(entry, place(entry, 1)) == ()


async def test_other_customers_are_untouched_by_an_erasure() -> None:
    """Erasing one leaves the other."""
    ben = replace(SENT, customer_id="ben", event_id=uid("ben"), outreach_id=uid("to-ben"))
    store = await view_of(*DAY, ben)
    await store.apply(await store.load(), erase(ANNA, at=to_millis(after(600))), {})
    assert set((await shown_of(store, "ben")).outreach) == {uid("to-ben")}


@pytest.mark.parametrize("end", [DONE, TASK_TAKEN_BACK], ids=["done", "taken back"])
@pytest.mark.parametrize("seed", range(10))
async def test_a_task_that_is_over_waits_for_nobody_however_the_topics_are_read(seed: int, end: Record) -> None:
    """Agent tasks, touchpoints and outreach are three topics: what ends a task may be read long before it."""
    chance = random.Random(seed)
    records = [TASK, end, *chance.sample([TASK, end, DELAYED, DECIDED], k=3)]
    chance.shuffle(records)
    store = InMemoryViewStore()
    standing = await store.begin()
    for record in records:
        standing = await store.apply(standing, writes(record), {})
    assert await store.tasks(None, limit=10) == ()
    together = writes(*records)
    chance.shuffle(together)
    await store.apply(await store.begin(), together, {})
    assert await store.tasks(None, limit=10) == ()


async def test_an_open_task_waits_with_its_team() -> None:
    """By when it is due; where it has no time, until when it is of use."""
    someday = replace(TASK, task_id=uid("someday"), due_at=None)
    store = await view_of(someday, TASK)
    assert await open_tasks(store, team="rescue") == (TASK, someday)
    assert await open_tasks(store, team="another") == ()
    assert await open_tasks(await view_of(TASK, ERASED)) == ()


async def test_what_nobody_did_in_time_does_not_hide_what_somebody_still_can() -> None:
    """Thirty tasks of long ago stand first in the queue; the two that are still of use are found behind them."""
    stale = [
        replace(TASK, task_id=uid(f"stale {number}"), due_at=TASK.opened_at, useful_until=TASK.opened_at)
        for number in range(30)
    ]
    someday = replace(TASK, task_id=uid("someday"), due_at=None)
    store = await view_of(*stale, someday, TASK)
    assert await open_tasks(store, limit=2, useful_at=TASK.opened_at) == (TASK, someday)
    assert len(await open_tasks(store, limit=40)) == 32


def mark(at: int, until: int, **more: Any) -> events.JourneyState:
    """The state of somebody who was erased up to ``until``, as of ``at``."""
    return events.JourneyState(
        customer_id=ANNA, revision=9, updated_at=after(at), profile=events.Profile(), touchpoints=0,
        recent_events=b"", erased_at=after(until), **more,
    )  # fmt: skip


async def test_an_erased_customers_state_is_no_state() -> None:
    """What is kept of them so that they stay erased is not shown; nor is what was decided as they were erased."""
    store = await view_of(*DAY)
    await store.apply(await store.load(), writes(mark(620, 600)), {})
    anna = await customer_view(store, ANNA)
    assert (anna.state, anna.timeline, anna.outreach, anna.known) == (None, (), (), False)
    assert anna.erased_at == after(620)


async def test_what_comes_of_an_erased_customers_letter_is_not_shown() -> None:
    """The dispatcher tells of it afterwards; until they come back it is nobody's."""
    failed = events.OutreachFailed(
        event_id=uid("dropped"), customer_id=ANNA, occurred_at=after(700), source="careline/outreach",
        outreach_id=uid("letter"), channel=events.OutreachChannel.EMAIL, reason=events.FailureReason.RETRACTED,
    )  # fmt: skip
    store = await view_of(*DAY)
    await store.apply(await store.load(), writes(mark(620, 600), failed), {})
    assert (await customer_view(store, ANNA)).timeline == ()


async def test_a_rebuild_long_after_an_erasure_shows_the_new_customer_alone() -> None:
    """The erasure itself is gone from the topic, decisions of before are not: the state says up to when."""
    back = replace(STATE, updated_at=after(900), erased_at=after(600), delays=())
    store = await view_of(HELD, DECIDED, back)
    anna = await customer_view(store, ANNA)
    assert anna.state is not None
    assert anna.timeline == ()
