"""A customer's history in the view is bounded, by one rule in Redis and in its twin, in whatever order it is read."""

from __future__ import annotations

import json
import random

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from processors.settings import Settings
from processors.view.documents import to_json, to_plain
from processors.view.projection import (
    PREFIX,
    Bounds,
    PutField,
    Queue,
    Rank,
    Write,
    outreach_key,
    outreaches_key,
    project,
    timeline_key,
)
from processors.view.reading import customer_view
from processors.view.redis_store import RedisViewStore
from processors.view.store import ViewStore
from streams import events
from streams.events import replace
from tests.contracts.test_view_store import Lose, kept, store  # noqa: F401
from tests.view.sample import ANNA, DECIDED, DELAYED, REQUESTED, SENT, STATE, TASK, after, place, uid, writes

KEEP = 10


def outreach(number: int) -> tuple[Write, ...]:
    """One outreach of Anna's, which is a task, too."""
    document = to_json({"record": {"team": "rescue"}, "name": number})
    name = f"task-{number:03}"
    return (
        Rank(outreaches_key("anna"), name, number, keep=KEEP),
        PutField(outreach_key(name), "task", document, number),
        Queue("rescue", name, 9_000 - number),
    )


@pytest.mark.parametrize("seed", range(4))
async def test_only_the_latest_outreaches_are_kept(store: ViewStore, seed: int) -> None:  # noqa: F811
    """Of forty the latest ten, with all there is of them; of the others nothing, and nobody is asked to do them."""
    chance = random.Random(seed)
    whole = [outreach(number) for number in range(40)]
    again = [*whole, *chance.sample(whole, k=15)]
    chance.shuffle(again)
    standing = await store.begin()
    while again:
        batch = [again.pop() for _ in range(min(len(again), chance.randint(1, 20)))]
        standing = await store.apply(standing, [write for one in batch for write in one], {})
    anna = await store.customer("anna", limit=100)
    assert list(anna.outreach) == [f"task-{number:03}" for number in range(39, 29, -1)]
    assert (anna.outreach_kept, anna.tasks_kept) == (KEEP, KEEP)
    assert all(anna.outreach.values())
    assert await store.outreach("task-007") == {}
    assert [json.loads(text)["name"] for text in await store.tasks(None, limit=100)] == list(range(39, 29, -1))


@pytest.mark.parametrize("seed", range(4))
async def test_of_one_outreach_the_latest_records_are_kept(store: ViewStore, seed: int) -> None:  # noqa: F811
    """Somebody who clicks a thousand times: the request, the task and the latest of the rest stay."""
    chance = random.Random(seed)
    key = outreach_key("letter")
    told: list[Write] = [PutField(key, f"outcome/{n:03}", "clicked", n, keep=KEEP) for n in range(60)]
    told += [PutField(key, f"decision/{n:03}", "held", n, keep=KEEP) for n in range(20)]
    told += [PutField(key, name, "once", 0, keep=KEEP) for name in ("request", "retraction", "task", "done/1")]
    chance.shuffle(told)
    standing = await store.begin()
    while told:
        batch = [told.pop() for _ in range(min(len(told), chance.randint(1, 30)))]
        standing = await store.apply(standing, batch, {})
    assert set(await store.outreach("letter")) == {
        "request", "retraction", "task", "done/1", *(f"outcome/{n:03}" for n in range(50, 60))
    }  # fmt: skip


async def test_the_settings_say_how_much_is_kept() -> None:
    """Of a customer's timeline and outreaches as many as `CARELINE_VIEW_TIMELINE` and `CARELINE_VIEW_OUTREACH` say."""
    bounds = Bounds(timeline=7, outreach=3)
    ranks = [one for one in project(DECIDED, place(DECIDED, 1), bounds) if isinstance(one, Rank)]
    assert {one.key: one.keep for one in ranks} == {timeline_key(ANNA): 7, outreaches_key(ANNA): 3}


@pytest.fixture
async def server(settings: Settings):  # type: ignore[no-untyped-def]
    """A store on a database of its own, and the client to look behind it."""
    url = settings.redis_url.get_secret_value().rpartition("/")[0] + "/8"
    redis = Redis.from_url(url)
    await redis.flushdb()
    view = RedisViewStore(settings.model_copy(update={"redis_url": SecretStr(url), "view_days": 30}))
    yield view, redis
    await view.close()
    await redis.flushdb()
    await redis.aclose()


@pytest.mark.live
async def test_history_ends_where_nothing_is_added_to_it(server: tuple[RedisViewStore, Redis]) -> None:
    """After `CARELINE_VIEW_DAYS` without a word the server itself lets go of it; the state stays, as in its topic."""
    view, redis = server
    await view.apply(await view.begin(), writes(DELAYED, DECIDED, REQUESTED, SENT, STATE, TASK), {("t", 0): 1})
    ends = {key.decode().removeprefix(PREFIX).partition(":")[0]: await redis.ttl(key) for key in await redis.keys()}
    month = 30 * 24 * 3_600
    for family in ("timeline", "outreaches", "outreach"):
        assert month - 60 < ends.pop(family) <= month
    assert set(ends) == {"generation", "positions", "customer", "tasks", "teams"}
    assert set(ends.values()) == {-1}
    # the letter's end comes before the timeline's: its entries are left out, and nothing else
    await redis.unlink(outreach_key(uid("letter")))
    anna = await customer_view(view, ANNA)
    assert (anna.unreadable, [type(one.record) for one in anna.timeline]) == (
        (),
        [events.AgentTask, events.DelayNoticed],
    )


@pytest.mark.live
async def test_a_task_nobody_did_leaves_the_queue_in_the_end(server: tuple[RedisViewStore, Redis]) -> None:
    """When another is due so much later that nothing is kept of the first."""
    view, _ = server
    standing = await view.apply(await view.begin(), writes(TASK), {})
    late = replace(TASK, task_id=uid("late"), due_at=after(31 * 24 * 60 + 340), useful_until=after(32 * 24 * 60))
    await view.apply(standing, writes(late), {})
    assert len(await view.tasks(None, limit=10)) == 1


EARLIER = {
    f"{PREFIX}customer:{ANNA}": '{"customer_id":"anna-made-up","revision":7,"updated_at":"2013-02-08T13:01:00Z",'
    '"profile":{"name":"Anna Madeup","locale":null,"time_zone":null,"addresses":[],"as_of":null},"touchpoints":4,'
    '"merged_into":null}',
}
"""Documents as they were kept before: as text, with every field, and each record of an outreach twice."""


@pytest.mark.live
async def test_a_view_of_before_is_read_and_gone_on_with(server: tuple[RedisViewStore, Redis]) -> None:
    """Nothing is made again, which would lose what the topics do not keep any more: old and new stand side by side."""
    view, redis = server
    standing = await view.begin()
    for key, text in EARLIER.items():
        await redis.set(key, text)
    for offset, (record, kind) in enumerate([(DELAYED, "touchpoint"), (DECIDED, "decision"), (SENT, "outcome")]):
        plain = {name: value for name, value in to_plain(record).items() if name != "customer_id"}
        at = record.decided_at if isinstance(record, events.Decision) else record.occurred_at
        name = record.decision_id if isinstance(record, events.Decision) else record.event_id
        where = place(record, offset)
        entry = {"id": name, "at": at.isoformat(), "kind": kind, "what": type(record).__name__, "topic": where.topic,
                 "partition": 0, "offset": offset, "record": plain}  # fmt: skip
        millis = int(at.timestamp() * 1000)
        await redis.zadd(timeline_key(ANNA), {to_json(entry): millis})
        if kind != "touchpoint":
            field = f"{kind}/{name}"
            document = to_json({"what": entry["what"], "customer_id": ANNA, "record": plain})
            await redis.hset(outreach_key(uid("letter")), field, f"{millis}:{document}")
            await redis.zadd(outreaches_key(ANNA), {uid("letter"): millis})
    before = await customer_view(view, ANNA)
    assert before.unreadable == ()
    assert before.profile.name == "Anna Madeup"
    assert [one.record for one in before.timeline] == [SENT, DECIDED, DELAYED]
    assert (before.outreach[0].decision, before.outreach[0].outcomes) == (DECIDED, (SENT,))
    again = writes(DELAYED, DECIDED, SENT, REQUESTED, STATE)  # some of them once more, as after a restart
    await view.apply(standing, again, {})
    after_it = await customer_view(view, ANNA)
    assert after_it.unreadable == ()
    assert [one.record for one in after_it.timeline] == [SENT, DECIDED, REQUESTED, DELAYED]
    assert after_it.outreach[0].request == REQUESTED
