"""States counted by class: followed or counted anew, it is the same, and what a worker lets go of counts no more."""

from __future__ import annotations

import asyncio
import dataclasses
from datetime import timedelta
from typing import Any

import pytest
from aiokafka.errors import KafkaError
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.roles.journeys import JourneyLogic
from streams.avro.codec import Codec
from streams.broker.memory import MemoryBroker
from streams.clock import to_millis
from streams.config import Settings, TimeSource
from streams.events import JourneyState, LedgerPhase, LedgerStatus, OutreachLedgerEntry, replace
from streams.order import follow
from streams.processor import Class, Figures, Processor
from streams.processor.census import Census
from streams.processor.deadlines import Deadlines
from streams.processor.intake import partition_of
from streams.processor.partition import Partition
from streams.processor.store import Overlay, Store
from tests.drawn import examples
from tests.streams.given import LATE, NOON, TOPICS, contact, prepared
from tests.streams.owning import (
    QUICK,
    TOUCHPOINTS,
    broker_with_topics,
    failing,
    playbook,
    publish,
    running,
    set_up,
    until,
    worker,
)

PHASES = list(LedgerPhase)


@pytest.fixture(scope="module", name="codec")
async def a_codec() -> Codec:
    """Knows every topic."""
    codec, _ = await prepared()
    return codec


class Phases:
    """Counts ledger entries by phase; each is due when it is to be woken."""

    def __init__(self) -> None:
        self.shown: Figures | None = None

    def class_of(self, state: OutreachLedgerEntry) -> Class | None:
        """Its phase; what is ended does not count."""
        ended = state.phase is LedgerPhase.ENDED
        return None if ended else Class(name=state.phase, due=None if state.attempts else state.wake_at)

    def show(self, partition: int, figures: Figures | None) -> None:
        """Keep them."""
        self.shown = figures


def entry(key: str, phase: LedgerPhase, wakes_in: int | None, attempts: int) -> OutreachLedgerEntry:
    """An entry in that phase, to be woken in so many minutes."""
    return OutreachLedgerEntry(
        outreach_id=key,
        customer_id="ana",
        status=LedgerStatus.INTENT,
        updated_at=NOON,
        phase=phase,
        attempts=attempts,
        wake_at=None if wakes_in is None else NOON + timedelta(minutes=wakes_in),
    )


STATES = st.none() | st.tuples(st.sampled_from(PHASES), st.none() | st.integers(-1_000, 1_000), st.integers(0, 1))
LIFE = st.lists(st.dictionaries(st.sampled_from("abcdefgh"), STATES, max_size=5), max_size=30)


def counted(states: dict[str, OutreachLedgerEntry | None]) -> tuple[dict[str, int], int | None]:
    """All of them, one by one."""
    waiting = [one for one in states.values() if one is not None and one.wake_at is not None]
    waiting = [one for one in waiting if one.phase is not LedgerPhase.ENDED]
    counts: dict[str, int] = {}
    for one in waiting:
        counts[one.phase] = counts.get(one.phase, 0) + 1
    due = [to_millis(one.wake_at) for one in waiting if one.wake_at is not None and not one.attempts]
    return counts, min(due, default=None)


def said(figures: Figures | None) -> tuple[dict[str, int], int | None]:
    """What was shown, without the classes that nothing is in."""
    assert figures is not None
    return {name: count for name, count in figures.counts.items() if count}, figures.oldest


@given(life=LIFE)
@settings(max_examples=examples(100), deadline=None)
async def test_it_is_what_a_full_count_finds(codec: Codec, life: list[dict[str, Any]]) -> None:
    """After whatever was committed, followed step by step or counted anew by the next owner of the partition."""
    store: Store[OutreachLedgerEntry] = Store(codec=codec, topic=TOPICS.outreach_ledger, cache_size=3)
    wakes, followed, states = Deadlines(), Phases(), dict[str, OutreachLedgerEntry | None]()
    census: Census[OutreachLedgerEntry] = Census(followed, 0)
    await census.take(store, wakes)
    for changed in life:
        overlay = Overlay(store)
        for key, drawn in changed.items():
            state = states[key] = None if drawn is None else entry(key, *drawn)
            overlay.put(key, state)
            follow(wakes, key, state)
        changes = store.encode(overlay)
        store.merge(changes)
        census.follow(changes)
        assert said(followed.shown) == counted(states)
    anew = Phases()
    again: Census[OutreachLedgerEntry] = Census(anew, 0)
    await again.take(store, wakes)
    assert said(anew.shown) == counted(states)


async def test_a_state_that_cannot_be_read_does_not_keep_the_partition_from_being_taken(codec: Codec) -> None:
    """It has no class; the others count."""
    store: Store[OutreachLedgerEntry] = Store(codec=codec, topic=TOPICS.outreach_ledger, cache_size=3)
    good = codec.encode(TOPICS.outreach_ledger, entry("good", LedgerPhase.CALLING, 1, 0))
    wakes = Deadlines()
    for key, value in (("good", good), ("bad", good[:12])):
        store.put_encoded(key, value)
        wakes.set(key, 1)
    phases = Phases()
    await Census(phases, 0).take(store, wakes)
    assert said(phases.shown)[0] == {"CALLING": 1}


class Waits:
    """Counts the journeys that time will change."""

    def __init__(self) -> None:
        self.shown: dict[int, Figures] = {}

    def class_of(self, state: JourneyState) -> Class | None:
        """All alike."""
        return Class(name="waits", due=state.wake_at)

    def show(self, partition: int, figures: Figures | None) -> None:
        """Keep what is shown."""
        self.shown.pop(partition, None)
        if figures is not None:
            self.shown[partition] = figures

    @property
    def total(self) -> int:
        """Of all partitions."""
        return sum(figures.counts.get("waits", 0) for figures in self.shown.values())

    @property
    def count(self) -> int | None:
        """Of partition 0; None where nothing is shown."""
        return self.shown[0].counts.get("waits", 0) if 0 in self.shown else None


@pytest.fixture
async def broker() -> MemoryBroker:
    return await broker_with_topics()


def late(customer: str) -> Any:
    """A wait of the customer's, which has a deadline."""
    return replace(LATE, customer_id=customer, event_id=f"late-{customer}")


async def publish_to(broker: MemoryBroker, codec: Codec, event: Any, *, partition: int) -> None:
    """Put it on that partition of the touchpoints."""
    producer = broker.publishing(largest=2 << 20)
    await producer.start()
    value, key = codec.encode(TOPICS.touchpoints, event), event.customer_id.encode()
    await producer.send_and_wait(TOUCHPOINTS.topic, value, key, partition=partition, timestamp_ms=to_millis(NOON))


async def test_what_is_committed_counts_and_nothing_else(broker: MemoryBroker, codec: Codec) -> None:
    """A transaction that fails changes no figure; the one that is made instead does, once."""
    await publish(broker, codec, late("ana"), contact(customer_id="ben", event_id="e1"))
    waits = Waits()
    shared = dataclasses.replace(await worker(broker, codec), classes=waits)
    seen: list[int | None] = []
    again = failing("commit_transaction", KafkaError("away"), times=2)

    def before(call: str) -> None:
        if call == "commit_transaction":
            seen.append(waits.count)
        again(call)

    broker.before = before
    async with running(shared) as partition:
        await until(lambda: partition.progress.position == 2)
        assert seen == [0, 0, 0]
        assert waits.count == 2
        partition.let_go()
        assert waits.shown == {}


async def test_after_a_kill_the_next_worker_counts_what_there_is(broker: MemoryBroker, codec: Codec) -> None:
    """Without a word of the one before."""
    await publish(broker, codec, *(late(f"customer-{number}") for number in range(250)))
    killed = dataclasses.replace(await worker(broker, codec), classes=Waits())
    partition = Partition(0, shared=killed)
    task = asyncio.create_task(partition.run())
    await until(lambda: partition.progress.position == 250)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    waits = Waits()
    shared = dataclasses.replace(await worker(broker, codec), classes=waits)
    async with running(shared) as successor:
        await until(lambda: successor.progress.ready)
        assert waits.count == killed.classes.count == 250  # type: ignore[union-attr]
        assert waits.shown[0].oldest == killed.classes.shown[0].oldest is not None  # type: ignore[union-attr]


async def test_a_rebalance_moves_the_share_of_a_partition_to_its_new_owner(codec: Codec) -> None:
    """Each state counts at one worker, whoever joins; who has left shows none."""
    settings, registry = Settings(time_source=TimeSource.EVENTS, partitions=2), (await prepared())[1]
    broker = MemoryBroker()
    await set_up(broker, settings)
    names = [f"customer-{number}" for number in range(20)]
    for name in names:
        await publish_to(broker, codec, late(name), partition=partition_of(name.encode(), 2))
    counted = [Waits(), Waits()]
    workers = [
        Processor(
            settings=settings.model_copy(update={"instance": str(number)}),
            role="journeys",
            logic=JourneyLogic(topics=settings.topics, playbook=playbook()),
            classes=waits,
            registry=registry,
            broker=broker,
            limits=QUICK,
        )
        for number, waits in enumerate(counted)
    ]
    first, second = counted
    async with workers[0]:
        await until(lambda: first.total == 20)
        async with workers[1]:
            await until(lambda: len(first.shown) == len(second.shown) == 1 and first.total + second.total == 20)
            assert 0 < first.total < 20
        assert second.shown == {}
    assert first.shown == {}
