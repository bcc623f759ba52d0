"""What operators see of partitions at work, on the broker in memory."""

from __future__ import annotations

import asyncio
import dataclasses
from datetime import timedelta

import pytest

from processors.roles.journeys import JourneyLogic
from streams.avro.codec import Codec
from streams.broker.memory import MemoryBroker
from streams.clock import SystemClock, to_millis
from streams.config import Settings
from streams.metrics import REGISTRY
from streams.processor import Processor
from tests.streams.given import TOPICS, prepared
from tests.streams.owning import (
    QUICK,
    TOUCHPOINTS,
    broker_with_topics,
    playbook,
    running,
    until,
    worker,
)
from tests.streams.test_partition import asked

LIVE = Settings(partitions=1)


@pytest.fixture(scope="module", name="codec")
async def a_codec() -> Codec:
    """Knows every topic."""
    codec, _ = await prepared()
    return codec


@pytest.fixture
async def broker() -> MemoryBroker:
    return await broker_with_topics()


def seen(name: str, role: str, partition: str | None = "0") -> float | None:
    """The figure that /metrics has."""
    labels = {"role": role} if partition is None else {"role": role, "partition": partition}
    return REGISTRY.get_sample_value(f"careline_processor_{name}", labels)


async def told(broker: MemoryBroker, value: bytes, *, source: str | None = None, seconds_ago: float = 0) -> None:
    """A record on the touchpoints topic."""
    producer = broker.publishing(largest=2 << 20)
    await producer.start()
    at = to_millis(SystemClock().now()) - int(seconds_ago * 1000)
    headers = [] if source is None else [("ce_source", source.encode())]
    await producer.send_and_wait(TOUCHPOINTS.topic, value, b"ana", timestamp_ms=at, headers=headers)


async def test_an_idle_partition_has_no_lag_right_behind_a_marker(broker: MemoryBroker, codec: Codec) -> None:
    """Another worker's transaction ends the topic: the offset of its marker is nothing that waits."""
    producer = broker.transactional("another", within=timedelta(seconds=10))
    await producer.start()
    await producer.begin_transaction()
    batch = producer.create_batch()
    event = asked("ana")
    batch.append(
        timestamp=to_millis(SystemClock().now()), key=b"ana", value=codec.encode(TOPICS.touchpoints, event), headers=[]
    )
    await producer.send_batch(batch, TOUCHPOINTS.topic, partition=0)
    await producer.commit_transaction()
    async with running(await worker(broker, codec, settings=LIVE, role="behind-a-marker")) as partition:
        await until(lambda: partition.progress.position == 1)
        await until(lambda: seen("lag_records", "behind-a-marker") == 0)
        assert seen("lag_seconds", "behind-a-marker") == 0
    partition.let_go()


async def test_the_lag_of_a_stopped_partition_grows(broker: MemoryBroker, codec: Codec) -> None:
    """Nobody reads its records until somebody has looked: it shows as stopped, and its oldest record grows older."""
    role = "stopped-and-seen"
    limits = dataclasses.replace(QUICK, dead_letter_window=4)
    async with running(await worker(broker, codec, settings=LIVE, role=role, limits=limits)) as partition:
        await until(lambda: partition.progress.ready)
        for _ in range(5):
            await told(broker, b"garbage", source="shop", seconds_ago=60)
        await until(lambda: partition.keeping.stopped is not None)
        assert seen("partitions_stopped", role, None) == 1
        first = seen("lag_seconds", role)
        assert first is not None
        assert first >= 60
        await until(lambda: (seen("lag_seconds", role) or 0) > first)
        assert seen("lag_records", role) != 0
    partition.let_go()
    assert seen("partitions_stopped", role, None) == 0
    assert (seen("lag_seconds", role), seen("keys", role), seen("deadlines", role)) == (None, None, None)


async def test_a_publisher_s_garbage_is_counted_by_its_name(broker: MemoryBroker, codec: Codec) -> None:
    """As it names itself, unless that could be an address or a page's undoing."""
    role = "names-of-publishers"
    async with running(await worker(broker, codec, settings=LIVE, role=role)) as partition:
        for source in ("shop", "shop", None, "ana@example.com", '"}\n', "x" * 101):
            await told(broker, b"garbage", source=source)
        await until(lambda: partition.progress.position == 6)
        await until(lambda: seen("lag_records", role) == 0)
    partition.let_go()
    found = {
        source: REGISTRY.get_sample_value(
            "careline_contract_violations_total", {"role": role, "source": source, "reason": "not_avro"}
        )
        for source in ("shop", "unknown", "ana@example.com")
    }
    assert found == {"shop": 2, "unknown": 4, "ana@example.com": None}


async def test_a_worker_shows_its_partitions_only_while_it_has_them(broker: MemoryBroker) -> None:
    """From the assignment to the rebalance: every label set comes, is counted once, and goes."""
    role = "comes-and-goes"
    _, registry = await prepared()
    logic = JourneyLogic(topics=TOPICS, playbook=playbook())
    processor = Processor(settings=LIVE, role=role, logic=logic, registry=registry, broker=broker, limits=QUICK)
    await asyncio.wait_for(processor.start(), 30)
    await until(lambda: not processor.waiting_for())
    await until(lambda: seen("lag_seconds", role) == 0)
    assert (seen("recovery_remaining_records", role), seen("recovery_remaining_seconds", role)) == (0, 0)
    assert (seen("partitions_owned", role, None), seen("rebalances_total", role, None)) == (1, 1)
    await processor.stop()
    left = [
        sample.labels
        for family in REGISTRY.collect()
        for sample in family.samples
        if sample.labels.get("role") == role and "partition" in sample.labels
    ]
    assert left == []
    assert seen("partitions_owned", role, None) == 0
