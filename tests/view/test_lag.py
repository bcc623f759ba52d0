"""How far the view is behind, as a scraper reads it: true at that moment, 0 once everything is shown, never absurd."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiokafka import ConsumerRecord, TopicPartition
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.settings import Settings
from processors.view import metrics
from processors.view.lag import Lag
from processors.view.projection import Write
from processors.view.role import ViewRole
from processors.view.showing import Shown
from processors.view.store import InMemoryViewStore, Position, StoreFigures, ViewProgress
from streams.avro.codec import Codec
from streams.broker.memory import MemoryBroker
from streams.clock import ManualClock, to_millis
from streams.errors import Unavailable
from streams.events import Record, replace
from tests.drawn import examples
from tests.scraped import scraped, shown
from tests.streams.given import TOPICS, prepared
from tests.streams.given import record as record_of
from tests.streams.owning import set_up, until
from tests.view.sample import ASKED, uid

NOON = datetime(2026, 2, 9, 12, 0, tzinfo=UTC)
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
NAME = "careline.touchpoints"
TP, OTHER = TopicPartition(NAME, 0), TopicPartition(NAME, 1)


@pytest.fixture(autouse=True)
def _nothing_is_left_of_another_test() -> None:
    for gauge in (metrics.VIEW_LAG_SECONDS, metrics.VIEW_LAG_RECORDS):
        gauge.clear()


def lag_of(clock: ManualClock, *, anew: bool = False, live: bool = True) -> Lag:
    """Of a view that begins to read."""
    lag = Lag([NAME], clock=clock, live=live)
    lag.begin([TP, OTHER], anew=[TP, OTHER] if anew else [])
    return lag


def came(*at: datetime, tp: TopicPartition = TP) -> dict[TopicPartition, list[ConsumerRecord]]:
    """Records of these times."""
    one = record_of(b"", topic=tp.topic, partition=tp.partition)
    return {tp: [dataclasses.replace(one, timestamp=to_millis(moment)) for moment in at]}


def seen() -> tuple[float, float]:
    """What a scraper reads: records, seconds."""
    return scraped("careline_view_lag_records", topic=NAME), scraped("careline_view_lag_seconds", topic=NAME)


def test_what_is_read_and_not_written_counts_and_grows_older() -> None:
    """Redis is away with records in hand: they wait, and longer with each scrape."""
    clock = ManualClock(NOON)
    lag = lag_of(clock)
    lag.stands({TP: 0, OTHER: 0})
    assert seen() == (0, 0)
    clock.advance(10 * SECOND)
    lag.takes(came(NOON + 8 * SECOND, NOON + 9 * SECOND))
    lag.stands({TP: 5, OTHER: 0})
    assert seen() == (5, 2)
    clock.advance(HOUR)
    assert seen() == (5, 3_602)
    lag.written()
    lag.stands({TP: 0, OTHER: 0})
    assert seen() == (0, 0)
    lag.hide()
    assert not shown("careline_view_lag_seconds", topic=NAME)


def test_after_a_pause_it_is_as_old_as_what_was_missed() -> None:
    """The role was down for an hour: its view is an hour old."""
    clock = ManualClock(NOON)
    lag = lag_of(clock)
    lag.takes(came(NOON - HOUR, NOON - HOUR + SECOND))
    lag.stands({TP: 9_000, OTHER: 0})
    assert seen() == (9_000, 3_600)
    lag.written()
    lag.stands({TP: 8_998, OTHER: 0})
    assert seen() == (8_998, 3_599)


def test_a_record_of_long_ago_is_as_old_as_its_arrival() -> None:
    """A timer of the day before, or a publisher with a wrong clock, does not make the view a day late."""
    clock = ManualClock(NOON)
    lag = lag_of(clock)
    lag.stands({TP: 0, OTHER: 0})
    clock.advance(SECOND)
    lag.takes(came(NOON - 24 * HOUR))
    lag.stands({TP: 1, OTHER: 0})
    assert seen() == (1, 1)
    lag.takes(came(NOON + 24 * HOUR))
    lag.stands({TP: 1, OTHER: 0})
    assert seen() == (1, 0)


@pytest.mark.parametrize("live", [True, False])
def test_a_rebuild_counts_from_its_beginning(live: bool) -> None:
    """Not from the years that its topics go back."""
    clock = ManualClock(NOON)
    lag = lag_of(clock, anew=True, live=live)
    lag.takes(came(datetime(2013, 2, 8, tzinfo=UTC)))
    lag.stands({TP: 100, OTHER: 100})
    clock.advance(30 * SECOND)
    assert seen() == (200, 30)


def test_in_event_time_the_wall_says_how_far_it_is_behind() -> None:
    """The storm of 2013 is played back: its records are as old as their arrival."""
    clock = ManualClock(NOON)
    lag = lag_of(clock, live=False)
    lag.stands({TP: 0, OTHER: 0})
    clock.advance(2 * SECOND)
    lag.takes(came(datetime(2013, 2, 8, tzinfo=UTC)))
    lag.stands({TP: 1, OTHER: 0})
    assert seen() == (1, 2)


def test_a_view_that_is_always_a_little_behind_is_a_little_old() -> None:
    """Under steady load nothing adds up."""
    clock = ManualClock(NOON)
    lag = lag_of(clock)
    for _ in range(100):
        lag.takes(came(clock.now() - SECOND))
        lag.stands({TP: 10, OTHER: 0})
        assert seen() == (10, 1)
        lag.written()
        lag.stands({TP: 9, OTHER: 0})
        assert seen() == (9, 1)
        clock.advance(SECOND)


MOVES = st.lists(
    st.tuples(
        st.sampled_from(["takes", "written", "stands", "pause"]),
        st.integers(0, 5),
        st.integers(-(10**12), 4 * 10**12),
    ),
    max_size=40,
)


@given(moves=MOVES, live=st.booleans(), anew=st.booleans())
@settings(max_examples=examples(200), deadline=None)
def test_whatever_comes_it_is_a_number_and_0_only_if_nothing_is_left(
    moves: list[tuple[str, int, int]], live: bool, anew: bool
) -> None:
    """With records of any time, and however reading goes."""
    clock = ManualClock(NOON)
    lag = lag_of(clock, anew=anew, live=live)
    for move, count, stamp in moves:
        if move == "takes":
            one = dataclasses.replace(record_of(b"", topic=NAME), timestamp=stamp)
            lag.takes({TP: [one]})
        elif move == "written":
            lag.written()
        elif move == "pause":
            clock.advance(count * SECOND)
        else:
            lag.stands({TP: count, OTHER: 0})
            records, age = seen()
            assert records == count
            assert age >= 0
            assert count or age == 0


class Gated(InMemoryViewStore):
    """A Redis that can be away."""

    def __init__(self) -> None:
        super().__init__()
        self.away = False
        self.tried = 0

    async def apply(
        self, progress: ViewProgress, writes: Sequence[Write], positions: Mapping[Position, int]
    ) -> ViewProgress:
        """Not while it is away."""
        if self.away:
            self.tried += 1
            raise Unavailable("Redis is away")
        return await super().apply(progress, writes, positions)


class Viewing:
    """A view role at work on the broker in memory."""

    def __init__(self, view: ViewRole, consumer: Any) -> None:
        self.view, self.consumer = view, consumer

    @classmethod
    @asynccontextmanager
    async def of(
        cls, broker: MemoryBroker, codec: Codec, store: InMemoryViewStore, clock: ManualClock, *, look: timedelta
    ) -> AsyncIterator[Viewing]:
        """It follows the topics, until the end of the block. ``look``: how often it looks whether Redis is there."""
        _, registry = await prepared()
        view = ViewRole(Settings(partitions=1), store=store, registry=registry, clock=clock, look_every=look)
        await view._codec.prepare(*TOPICS.all())
        consumer: Any = broker.reader(fetch=1 << 20)
        await consumer.start()
        consumer.assign([TopicPartition(name, 0) for name in view._names])
        work = asyncio.create_task(view._follow(consumer))
        try:
            yield cls(view, consumer)
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            view._lag.hide()


async def publish(broker: MemoryBroker, codec: Codec, *events: Record) -> None:
    """In a transaction, as a role writes: a marker follows the records."""
    producer = broker.transactional("test", within=timedelta(seconds=10))
    await producer.start()
    await producer.begin_transaction()
    for event in events:
        batch = producer.create_batch()
        value = codec.encode(TOPICS.touchpoints, event)
        batch.append(key=b"x", value=value, timestamp=to_millis(NOON), headers=[])
        await (await producer.send_batch(batch, NAME, partition=0))
    await producer.commit_transaction()


@pytest.mark.parametrize("in_hand", [True, False])
async def test_a_view_shows_its_lag_while_redis_is_away_and_0_behind_a_marker(in_hand: bool) -> None:
    """What waits counts also while nothing can be written; the end of a transaction is no record to wait for."""
    codec, _ = await prepared()
    clock, broker, store = ManualClock(NOON), MemoryBroker(), Gated()
    await set_up(broker)
    customers = [replace(ASKED, event_id=uid(name), customer_id=name) for name in "abc"]
    look = HOUR if in_hand else timedelta(milliseconds=1)
    async with Viewing.of(broker, codec, store, clock, look=look) as viewing:
        await publish(broker, codec, replace(ASKED, customer_id="before"))
        await until(lambda: shown("careline_view_lag_seconds", topic=NAME) and seen() == (0, 0))
        store.away = True
        if not in_hand:
            await until(lambda: store.tried > 0)
        clock.advance(SECOND)
        await publish(broker, codec, *customers)
        if in_hand:
            await until(lambda: seen()[0] >= 3)
        await asyncio.sleep(0.5)
        await viewing.view._lag.look(viewing.consumer, after=0.5)
        assert seen()[0] >= 3
        clock.advance(timedelta(minutes=5))
        assert seen()[1] in (300, 301)
        store.away = False
        await until(lambda: seen() == (0, 0))
        assert len((await store.customer("c", limit=5)).timeline) == 1


def team(name: str) -> tuple[float, float]:
    """The team's tasks: open, overdue."""
    return scraped("careline_view_tasks_open", team=name), scraped("careline_view_tasks_overdue", team=name)


def test_the_tasks_of_each_team_are_shown_and_those_of_many_teams_added_up() -> None:
    """At most twenty, whatever teams a playbook names; one without a queue is gone."""
    shows = Shown()
    shows.show(StoreFigures(bytes=1_000, open={"rescue": 3, "refunds": 1}, overdue={"rescue": 2, "refunds": 0}))
    assert (team("rescue"), team("refunds")) == ((3, 2), (1, 0))
    assert scraped("careline_view_redis_bytes") == 1_000
    many = {f"team-{number}": 1 for number in range(30)}
    shows.show(StoreFigures(bytes=None, open={"rescue": 1, **many}, overdue={"rescue": 0, **many}))
    assert (team("rescue"), shown("careline_view_tasks_open", team="refunds")) == ((1, 0), False)
    names = ["rescue", "other", *many]
    assert sum(team(name)[0] for name in names) == 31
    assert sum(shown("careline_view_tasks_open", team=name) for name in names) <= metrics.TEAMS.most + 1
    shows.hide()
    assert not shown("careline_view_redis_bytes")
    assert not any(shown("careline_view_tasks_open", team=name) for name in names)
