"""The view on real parts: it shows what was written, goes on after a stop, and comes back when Redis loses it."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from deploy.local.parts import redis_program
from deploy.local.place import free_port
from processors.roles import wiring
from processors.settings import Settings
from processors.view import metrics
from processors.view.customer import CustomerView
from processors.view.reading import customer_view
from processors.view.redis_store import RedisViewStore
from processors.view.role import ViewRole
from streams.events import Record, replace
from tests.live.writing import Writer, on_its_topic, writer
from tests.view.sample import ANNA, ASKED, DAY, DELAYED, REFUSED, SENT, STATE, uid
from tests.waiting import until

pytestmark = pytest.mark.live


class OwnRedis:
    """A Redis server of the test's own, which can go away and come back empty."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.port = free_port(taken=set())
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        words = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        words += ["--dir", str(self._directory), "--logfile", str(self._directory / "redis.log")]
        self._process = subprocess.Popen([redis_program(), *words])

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=10)
            self._process = None


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[OwnRedis]:
    server = OwnRedis(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def view_settings(settings: Settings, redis_server: OwnRedis) -> Settings:
    url = SecretStr(f"redis://127.0.0.1:{redis_server.port}/0")
    return settings.model_copy(update={"redis_url": url})


@pytest.fixture
async def write(settings: Settings) -> AsyncIterator[Writer]:
    async with writer(settings) as one:
        yield one


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[ViewRole]:
    role = wiring.view(settings)
    await role.start()
    try:
        await until(lambda: role.ready)
        yield role
    finally:
        await role.stop()


async def look(settings: Settings, customer_id: str = ANNA) -> CustomerView:
    store = RedisViewStore(settings)
    try:
        return await customer_view(store, customer_id)
    finally:
        await store.close()


async def sees(settings: Settings, record: Record, *, within: float = 60) -> CustomerView:
    deadline = time.monotonic() + within
    while True:
        view = await look(settings)
        if any(entry.record == record for entry in view.timeline):
            return view
        assert time.monotonic() < deadline, f"{record} is not shown"
        await asyncio.sleep(0.05)


def rebuilds() -> float:
    return metrics.VIEW_REBUILDS._value.get()


def projected() -> float:
    return sum(
        sample.value for one in metrics.VIEW_RECORDS.collect() for sample in one.samples if "_total" in sample.name
    )


async def test_what_was_written_is_shown(settings: Settings, view_settings: Settings, write: Writer) -> None:
    """State, timeline and outreach of a customer are there; what a transaction took back is not."""
    never = replace(ASKED, event_id=uid("never"))
    await write.write((settings.topics.touchpoints, never), abort=True)
    await write.write(*on_its_topic(settings, DAY))
    async with running(view_settings):
        view = await look(view_settings)
    assert view.state == replace(STATE, recent_events=b"")
    assert {type(entry.record) for entry in view.timeline} == {type(record) for record in DAY} - {type(STATE)}
    assert {story.status for story in view.outreach} == {"sent", "not sent"}
    assert never not in [entry.record for entry in view.timeline]
    assert all(entry.topic.startswith(settings.topic_prefix) for entry in view.timeline)


async def test_a_restart_goes_on_where_it_stopped(settings: Settings, view_settings: Settings, write: Writer) -> None:
    """Of what was projected nothing is read again; what came meanwhile is."""
    await write.write(*on_its_topic(settings, DAY[:-1]))
    before = rebuilds()
    async with running(view_settings):
        pass
    assert rebuilds() == before + 1
    await write.write(*on_its_topic(settings, DAY[-1:]))
    read = projected()
    async with running(view_settings):
        await sees(view_settings, ASKED)
    assert projected() == read + 1
    assert rebuilds() == before + 1


async def test_an_emptied_redis_is_filled_again(settings: Settings, view_settings: Settings, write: Writer) -> None:
    """Somebody empties Redis while the role runs and nothing new comes: the view is soon the same as before."""
    await write.write(*on_its_topic(settings, DAY))
    url = view_settings.redis_url.get_secret_value()
    redis = Redis.from_url(url, decode_responses=True, encoding_errors="surrogateescape")
    async with running(view_settings) as role:
        before, had = await look(view_settings), await contents(redis)
        count = rebuilds()
        await redis.flushall()
        await until(lambda: rebuilds() == count + 1)
        await until(lambda: role.ready)
        assert await look(view_settings) == before
        assert await contents(redis) == had
    await redis.aclose()


async def contents(redis: Redis) -> dict[str, object]:
    """All keys but the view's own name, which is another in every view."""
    found: dict[str, object] = {}
    async for key in redis.scan_iter():
        kind = await redis.type(key)
        if kind == "hash":
            found[key] = await redis.hgetall(key)
        elif kind == "zset":
            found[key] = await redis.zrange(key, 0, -1, withscores=True)
        elif not key.endswith(":generation"):
            found[key] = await redis.get(key)
    assert found
    return found


async def test_a_redis_that_goes_away_costs_nothing(
    settings: Settings, view_settings: Settings, write: Writer, redis_server: OwnRedis
) -> None:
    """While it is away the role is not ready and says why; when it is back, empty, everything is there again."""
    await write.write(*on_its_topic(settings, DAY[:-1]))
    async with running(view_settings) as role:
        redis_server.stop()
        await write.write(*on_its_topic(settings, DAY[-1:]))
        await until(lambda: not role.ready)
        assert f"Redis at 127.0.0.1:{redis_server.port} does not answer" in role.waiting_for()[0]
        redis_server.start()
        await until(lambda: role.ready)
        view = await sees(view_settings, ASKED)
    assert {type(entry.record) for entry in view.timeline} == {type(record) for record in DAY} - {type(STATE)}


async def test_a_tombstone_deletes_the_customers_view(
    settings: Settings, view_settings: Settings, write: Writer
) -> None:
    """Erased means gone: state, timeline and outreach, and a rebuild does not bring them back."""
    ben = replace(DELAYED, customer_id="ben", event_id=uid("ben"))
    await write.write(*on_its_topic(settings, (*DAY, ben)))
    async with running(view_settings):
        assert (await look(view_settings)).known
    await write.write_raw((settings.topics.journeys, ANNA.encode(), None))
    redis = Redis.from_url(view_settings.redis_url.get_secret_value())
    for _ in range(2):
        async with running(view_settings):
            anna = await look(view_settings)
            assert not anna.known
            assert anna.erased_at is not None
            assert anna.outreach == ()
            assert (await look(view_settings, "ben")).known
        await redis.flushall()
    await redis.aclose()


async def test_what_cannot_be_read_is_passed_over(settings: Settings, view_settings: Settings, write: Writer) -> None:
    """Garbage, a tombstone where there is none, and an event of 1970 do not harm those around them."""
    topics = settings.topics
    await write.write((topics.touchpoints, DELAYED))
    await write.write_raw(
        (topics.touchpoints, ANNA.encode(), b"garbage"),
        (topics.touchpoints, ANNA.encode(), None),
        (topics.outcomes, ANNA.encode(), b"\0\x7f\xff\xff\xff\x01"),
    )
    old = replace(ASKED, event_id=uid("1970"), occurred_at=ASKED.occurred_at.replace(year=1970))
    await write.write((topics.touchpoints, old), (topics.touchpoints, ASKED), (topics.outcomes, SENT))
    async with running(view_settings):
        view = await look(view_settings)
    assert [entry.record for entry in view.timeline] == [ASKED, SENT, DELAYED]
    assert REFUSED not in [entry.record for entry in view.timeline]
