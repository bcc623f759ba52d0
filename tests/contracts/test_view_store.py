"""What every store of the view promises: the twin in memory and a real Redis alike."""

from __future__ import annotations

import dataclasses
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from processors.settings import Settings
from processors.view.documents import to_json
from processors.view.projection import (
    DropState,
    Forget,
    Put,
    PutField,
    Queue,
    Rank,
    Unqueue,
    Write,
    customer_key,
    outreach_key,
    outreaches_key,
    timeline_key,
)
from processors.view.redis_store import RedisViewStore
from processors.view.store import InMemoryViewStore, ViewChanged, ViewStore
from streams.errors import SettingsError, Unavailable

Lose = Callable[[], Awaitable[None]]


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.live)])
async def kept(request: pytest.FixtureRequest) -> AsyncIterator[tuple[ViewStore, Lose]]:
    if request.param == "memory":
        memory = InMemoryViewStore()

        async def forget() -> None:
            memory.lose()

        yield memory, forget
        return
    settings: Settings = request.getfixturevalue("settings")
    url = settings.redis_url.get_secret_value().rpartition("/")[0] + "/9"  # a database of its own
    redis = Redis.from_url(url)
    await redis.flushdb()

    async def flush() -> None:
        await redis.flushdb()

    store = RedisViewStore(settings.model_copy(update={"redis_url": SecretStr(url)}))
    yield store, flush
    await store.close()
    await redis.flushdb()
    await redis.aclose()


@pytest.fixture
def store(kept: tuple[ViewStore, Lose]) -> ViewStore:
    return kept[0]


@pytest.fixture
def lose(kept: tuple[ViewStore, Lose]) -> Lose:
    return kept[1]


WRITES: tuple[Write, ...] = (
    Put(customer_key("anna"), "state of Anna"),
    Rank(timeline_key("anna"), "first", 1_000, keep=500),
    Rank(timeline_key("anna"), "second", 2_000, keep=500),
    Rank(outreaches_key("anna"), "letter", 2_000),
    PutField(outreach_key("letter"), "request", "please: write", 2_000),
    Put(customer_key("ben"), "state of Ben"),
)


async def test_what_is_written_is_there_with_its_positions(store: ViewStore) -> None:
    """A restart finds both the view and how far it came, in one piece."""
    empty = await store.load()
    assert empty.generation is None
    progress = await store.apply(await store.begin(), WRITES, {("t", 0): 7, ("t.u-v", 11): 3})
    assert await store.load() == progress
    assert progress.positions == {("t", 0): 7, ("t.u-v", 11): 3}
    anna = await store.customer("anna", limit=10)
    assert anna.state == "state of Anna"
    assert anna.timeline == ("second", "first")
    assert anna.outreach == {"letter": {"request": "please: write"}}
    assert anna.erased is None
    assert await store.outreach("letter") == {"request": "please: write"}
    assert (await store.customer("anna", limit=1)).timeline == ("second",)


async def test_writing_again_changes_nothing(store: ViewStore) -> None:
    """A batch that comes a second time leaves the view as it was."""
    progress = await store.apply(await store.begin(), WRITES, {("t", 0): 7})
    before = await store.customer("anna", limit=10)
    assert await store.apply(progress, WRITES, {("t", 0): 7}) == progress
    assert await store.customer("anna", limit=10) == before


async def test_the_order_of_writing_does_not_matter(store: ViewStore) -> None:
    """Topics are read in any order; the view is the same."""
    await store.apply(await store.begin(), WRITES, {})
    forwards = await store.customer("anna", limit=10)
    await store.apply(await store.begin(), WRITES[::-1], {})
    assert await store.customer("anna", limit=10) == forwards


async def test_a_new_view_begins_empty(store: ViewStore) -> None:
    """A rebuild starts from nothing, with another name than the last."""
    old = await store.apply(await store.begin(), WRITES, {("t", 0): 7})
    new = await store.begin()
    assert new == await store.load()
    assert new.positions == {}
    assert new.generation != old.generation
    assert (await store.customer("anna", limit=10)).state is None
    assert await store.outreach("letter") == {}


async def test_an_emptied_view_is_noticed(store: ViewStore, lose: Lose) -> None:
    """Data lost on the server stops the writer, even one that has nothing to write."""
    progress = await store.apply(await store.begin(), WRITES, {("t", 0): 7})
    await lose()
    with pytest.raises(ViewChanged):
        await store.apply(progress, (), {})
    assert (await store.load()).generation is None


async def test_another_writer_is_noticed(store: ViewStore) -> None:
    """Of two writers the second learns that the view has moved on, and writes nothing."""
    mine = await store.begin()
    theirs = await store.apply(mine, (), {("t", 0): 5})
    with pytest.raises(ViewChanged):
        await store.apply(mine, WRITES, {("t", 0): 3})
    assert await store.load() == theirs
    assert (await store.customer("anna", limit=10)).state is None


async def test_a_view_set_back_is_noticed(store: ViewStore) -> None:
    """A server that came back with an older copy is gone on with from that copy."""
    progress = await store.apply(await store.begin(), (), {("t", 0): 5})
    with pytest.raises(ViewChanged):
        await store.apply(dataclasses.replace(progress, positions={("t", 0): 9}), WRITES, {("t", 0): 12})


async def test_only_the_latest_entries_are_kept(store: ViewStore) -> None:
    """A timeline has an end, whatever order its entries come in."""
    entries = [Rank(timeline_key("anna"), f"entry-{number:03}", number, keep=50) for number in range(120)]
    await store.apply(await store.begin(), entries[60:] + entries[:60], {})
    timeline = (await store.customer("anna", limit=500)).timeline
    assert timeline == tuple(f"entry-{number:03}" for number in range(119, 69, -1))


async def test_nothing_of_an_erased_customer_is_kept(store: ViewStore) -> None:
    """Erasure takes what happened until then, of this customer alone; what comes later stays."""
    progress = await store.apply(await store.begin(), WRITES, {})
    later: tuple[Write, ...] = (
        Rank(timeline_key("anna"), "third", 9_000, keep=500),
        Rank(outreaches_key("anna"), "reply", 9_000),
        PutField(outreach_key("reply"), "request", "again", 9_000),
    )
    progress = await store.apply(progress, (*later, DropState("anna"), Forget("anna", 5_000)), {})
    anna = await store.customer("anna", limit=10)
    assert anna.state is None
    assert anna.timeline == ("third",)
    assert anna.outreach == {"reply": {"request": "again"}}
    assert anna.erased == 5_000
    assert await store.outreach("letter") == {}
    assert (await store.customer("ben", limit=10)).state == "state of Ben"
    assert progress.erased == {"anna": 5_000}
    assert (await store.load()).erased == {"anna": 5_000}


async def test_erasure_reaches_what_the_same_batch_wrote(store: ViewStore) -> None:
    """Written and erased in one go is erased."""
    await store.apply(await store.begin(), (*WRITES, DropState("anna"), Forget("anna", 5_000)), {})
    anna = await store.customer("anna", limit=10)
    assert (anna.state, anna.timeline, anna.outreach) == (None, (), {})
    assert await store.outreach("letter") == {}


def task(member: str, due: int, *, team: str = "rescue", at: int = 1_000) -> tuple[Write, ...]:
    """A task of Anna's is read."""
    document = to_json({"record": {"team": team}, "name": member})
    return (
        Rank(outreaches_key("anna"), member, at),
        PutField(outreach_key(member), "task", document, at),
        Queue(team, member, due),
    )


def done(member: str, *, at: int = 2_000) -> tuple[Write, ...]:
    """Somebody did it."""
    return (
        Rank(outreaches_key("anna"), member, at),
        PutField(outreach_key(member), "done/1", "{}", at),
        Unqueue(member),
    )


def taken_back(member: str, *, at: int = 2_000) -> tuple[Write, ...]:
    """It is retracted."""
    return (
        Rank(outreaches_key("anna"), member, at),
        PutField(outreach_key(member), "retraction", "{}", at),
        Unqueue(member),
    )


async def waiting(store: ViewStore, team: str | None = None, limit: int = 100) -> list[str]:
    return [json.loads(text)["name"] for text in await store.tasks(team, limit=limit)]


async def test_tasks_wait_by_the_time_they_are_due(store: ViewStore) -> None:
    """Of one team, or of all; the soonest first."""
    assert await store.tasks(None, limit=10) == ()
    writes = (*task("late", 9_000), *task("soon", 3_000), *task("other", 5_000, team="a:b c"))
    await store.apply(await store.begin(), writes, {})
    assert await waiting(store) == ["soon", "other", "late"]
    assert await waiting(store, "rescue") == ["soon", "late"]
    assert await waiting(store, "a:b c") == ["other"]
    assert await waiting(store, "nobody") == []
    assert await waiting(store, limit=2) == ["soon", "other"]


async def test_operators_see_the_tasks_of_each_team_and_those_that_are_late(store: ViewStore) -> None:
    """Late is what was due before; and the memory that all of it takes, where the server tells."""
    progress = await store.begin()
    assert (await store.figures(5_000)).open == {}
    writes = (*task("late", 4_999), *task("now", 5_000), *task("later", 9_000), *task("other", 1, team="a:b c"))
    progress = await store.apply(progress, writes, {})
    found = await store.figures(5_000)
    assert (found.open, found.overdue) == ({"rescue": 3, "a:b c": 1}, {"rescue": 1, "a:b c": 1})
    assert found.bytes is not None
    assert found.bytes > 0
    await store.apply(progress, done("late"), {})
    found = await store.figures(5_000)
    assert (found.open["rescue"], found.overdue["rescue"]) == (2, 0)


@pytest.mark.parametrize("over", [done, taken_back])
async def test_what_is_over_waits_no_more(store: ViewStore, over: Callable[[str], tuple[Write, ...]]) -> None:
    """Whichever is read first, in one batch or in two, and however often either is read."""
    queue, end = task("one", 3_000), over("one")
    for batches in ([queue, end], [end, queue], [queue + end], [end + queue], [queue, end, queue], [end, queue, end]):
        progress = await store.apply(await store.begin(), task("another", 4_000), {})
        for batch in batches:
            progress = await store.apply(progress, batch, {})
        assert await waiting(store) == ["another"], batches


async def test_a_retraction_of_a_letter_changes_no_queue(store: ViewStore) -> None:
    """Most retractions are of letters, which never were in one."""
    await store.apply(await store.begin(), (*task("one", 3_000), *taken_back("letter")), {})
    assert await waiting(store) == ["one"]


@pytest.mark.parametrize("together", [True, False])
async def test_an_erased_customers_tasks_are_done_by_nobody(store: ViewStore, together: bool) -> None:
    """They leave the queue with everything else; what was asked for later stays."""
    queue, forget = task("old", 3_000) + task("new", 4_000, at=9_000), (Forget("anna", 5_000),)
    progress = await store.begin()
    for batch in [queue + forget] if together else [queue, forget]:
        progress = await store.apply(progress, batch, {})
    assert await waiting(store) == ["new"]


async def test_a_new_view_has_no_tasks(store: ViewStore) -> None:
    """A rebuild reads them again."""
    await store.apply(await store.begin(), task("one", 3_000), {})
    await store.begin()
    assert await waiting(store) == []
    assert await waiting(store, "rescue") == []


async def test_a_redis_that_is_away_is_named() -> None:
    """The message has the address, and never the password."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    store = RedisViewStore(Settings(redis_url=SecretStr(f"redis://:secret@127.0.0.1:{port}/0")))
    with pytest.raises(Unavailable, match=f"Redis at 127.0.0.1:{port}") as raised:
        await store.load()
    assert "secret" not in str(raised.value)
    await store.close()


def test_an_address_that_is_none_is_a_wrong_setting() -> None:
    """The setting is named."""
    with pytest.raises(SettingsError, match="CARELINE_REDIS_URL"):
        RedisViewStore(Settings(redis_url=SecretStr("localhost:6379")))


@pytest.mark.parametrize("order", ["task first", "erasure first", "together"])
async def test_the_words_of_an_erased_customers_task_are_not_kept(store: ViewStore, order: str) -> None:
    """Its task may be handed over in the moment of the erasure: whichever is read first, nothing of it stays."""
    gone = to_json({"what": "OutreachRetracted", "customer_id": "anna", "record": {"reason": "erased"}})
    taken = (PutField(outreach_key("one"), "retraction", gone, 2_000), Unqueue("one", erased=True))
    steps = [task("one", 3_000), taken] if order == "task first" else [taken, task("one", 3_000)]
    progress = await store.begin()
    for step in [(*steps[0], *steps[1])] if order == "together" else steps:
        progress = await store.apply(progress, step, {})
    assert await waiting(store) == []
    assert list(await store.outreach("one")) == ["retraction"]


async def test_no_more_of_a_customer_is_read_than_is_asked_for(store: ViewStore) -> None:
    """Of a thousand outreaches, tasks and entries one each, with how many there are; tasks are the soonest due."""
    writes: list[Write] = []
    for number in range(1_000):
        writes += [
            Rank(timeline_key("anna"), f"entry {number}", number),
            Rank(outreaches_key("anna"), f"task-{number}", number),
            PutField(outreach_key(f"task-{number}"), "task", to_json({"record": {"team": "t"}, "n": number}), number),
            Queue(f"team-{number % 3}", f"task-{number}", 5_000 - number),
        ]
    await store.apply(await store.begin(), [*writes, Queue("team-1", "ben's", 1), Unqueue("task-999")], {})
    anna = await store.customer("anna", limit=1)
    assert (len(anna.timeline), anna.timeline_kept) == (1, 1_000)
    assert (list(anna.outreach), anna.outreach_kept) == (["task-999"], 1_000)
    assert ([json.loads(one)["n"] for one in anna.tasks], anna.tasks_kept) == ([998], 999)


@pytest.mark.live
async def test_redis_is_not_to_blame_for_a_value_that_cannot_be_sent(settings: Settings) -> None:
    """Half a character is told as what it is, nothing of its batch is written, and the next batch is."""
    url = settings.redis_url.get_secret_value().rpartition("/")[0] + "/9"
    store = RedisViewStore(settings.model_copy(update={"redis_url": SecretStr(url)}))
    try:
        progress = await store.begin()
        with pytest.raises(UnicodeEncodeError):
            await store.apply(
                progress, [Put(customer_key("a"), "fine"), Put(customer_key("b"), "\ud83d")], {("t", 0): 2}
            )
        assert await store.load() == progress
        assert (await store.apply(progress, [Put("a", "fine")], {("t", 0): 1})).positions == {("t", 0): 1}
    finally:
        await store.begin()
        await store.close()


@pytest.mark.live
@pytest.mark.parametrize("field", [("careline:view:positions", "nonsense"), ("careline:view:erased", "anna")])
async def test_a_view_that_a_stranger_wrote_into_is_made_again(field: tuple[str, str], settings: Settings) -> None:
    """What is not as we write it is no view; the role begins a new one instead of stopping."""
    url = settings.redis_url.get_secret_value().rpartition("/")[0] + "/9"
    store = RedisViewStore(settings.model_copy(update={"redis_url": SecretStr(url)}))
    redis = Redis.from_url(url)
    try:
        await store.begin()
        await redis.hset(field[0], field[1], "not a number")
        assert (await store.load()).generation is None
        assert (await store.begin()).generation is not None
    finally:
        await store.begin()
        await store.close()
        await redis.aclose()
