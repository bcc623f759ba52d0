"""A partition on the in-memory broker, for the processor's own tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import cache
from typing import Any

from processors.journey.playbook import Playbook
from processors.playbook import load_playbook
from processors.roles.journeys import JourneyLogic
from streams.avro.codec import Codec
from streams.broker.contract import NewTopic, TopicPartition
from streams.broker.memory import MemoryBroker
from streams.clock import Clock, SystemClock, to_millis
from streams.config import Settings, TimeSource
from streams.processor import Limits, Performer
from streams.processor.isolation import Search
from streams.processor.logic import Logic
from streams.processor.partition import Partition
from streams.processor.progress import Progress
from streams.processor.shared import Shared
from streams.processor.tenure import Tenure
from streams.processor.transaction import Transaction
from streams.tracing import Tracing
from tests import waiting
from tests.streams.given import NOON, TOPICS

EVENTS = Settings(time_source=TimeSource.EVENTS, partitions=1)
TOUCHPOINTS = TopicPartition("careline.touchpoints", 0)
QUICK = Limits(
    retake_after=timedelta(milliseconds=1), retake_at_most=timedelta(milliseconds=5), commit_every=timedelta(0)
)


@cache
def playbook() -> Playbook:
    """Return the packaged playbook, read once."""
    return load_playbook()


async def broker_with_topics() -> MemoryBroker:
    """Return a new broker with every topic."""
    broker = MemoryBroker()
    await set_up(broker)
    return broker


async def set_up(broker: MemoryBroker, settings: Settings = EVENTS) -> None:
    """Create every topic of the contract."""
    topics = settings.topics
    await broker.admin().create(
        [
            NewTopic(name=topics.full_name(topic), partitions=settings.partitions, config=topic.config())
            for topic in topics.all()
        ]
    )


async def worker(
    broker: MemoryBroker,
    codec: Codec,
    *,
    settings: Settings = EVENTS,
    role: str = "journeys",
    logic: Logic[Any] | None = None,
    performer: Performer | None = None,
    clock: Clock | None = None,
    limits: Limits = QUICK,
    tracing: Tracing | None = None,
) -> Shared[Any]:
    """Return what one worker's partitions share; its consumer has every partition of the input without joining a
    group."""
    logic = logic or JourneyLogic(topics=settings.topics, playbook=playbook())
    consumer = broker.reader(fetch=1 << 20)
    await consumer.start()
    topic = settings.topics.full_name(logic.input)
    consumer.assign([TopicPartition(topic, number) for number in range(settings.partitions)])
    return Shared(
        settings=settings,
        role=role,
        logic=logic,
        performer=performer,
        codec=codec,
        broker=broker,
        consumer=consumer,
        admin=broker.admin(),
        partitions=settings.partitions,
        clock=clock or SystemClock(),
        limits=limits,
        concurrency=asyncio.Semaphore(16),
        tracing=tracing or Tracing(),
    )


async def taken(shared: Shared[Any]) -> Tenure[Any]:
    """Return the tenure of the first partition, acquired by this worker."""
    return await Tenure.acquire(shared.at(0), shared=shared, effects=None, progress=Progress())


async def committed(broker: MemoryBroker, topic: str, partition: int = 0) -> list[Any]:
    """Return the committed records of a topic's partition, by the topic's full name."""
    tp = TopicPartition(topic, partition)
    records, _ = broker.log(tp).read(0, 1_000_000)
    return records


async def publish(broker: MemoryBroker, codec: Codec, *events: Any) -> None:
    """Publish the events on the touchpoints topic, a minute apart."""
    producer = broker.publishing(largest=2 << 20)
    await producer.start()
    begin = to_millis(NOON)
    for number, event in enumerate(events):
        value = codec.encode(TOPICS.touchpoints, event)
        await producer.send_and_wait(
            TOUCHPOINTS.topic, value, event.customer_id.encode(), timestamp_ms=begin + number * 60_000
        )


async def made(tenure: Tenure[Any]) -> Transaction[Any]:
    """Return a transaction of all records that can be read."""
    shared = tenure._shared
    shared.consumer.seek(TOUCHPOINTS, tenure.position)
    found = await shared.consumer.getmany(TOUCHPOINTS)
    return await tenure.make(found.get(TOUCHPOINTS, []), [], tick=None, room=1_000, search=Search(1_000))


async def handled(tenure: Tenure[Any]) -> None:
    """Commit all records that can be read, in one transaction."""
    tenure.take_over(await tenure.commit(await made(tenure)))


@asynccontextmanager
async def running(shared: Shared[Any]) -> AsyncIterator[Partition[Any]]:
    """Run the partition."""
    partition = Partition(0, shared=shared)
    task = asyncio.create_task(partition.run())
    try:
        yield partition
        partition.finish()
        await asyncio.wait_for(task, 5)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(met: Callable[[], bool]) -> None:
    """Wait until ``met`` is true, at most ten seconds, because nothing in memory takes time."""
    await waiting.until(met, within=10, every=0.002)


def failing(call: str, error: BaseException, *, times: int = 1) -> Callable[[str], None]:
    """Return a listener for a broker that makes this call fail ``times`` times."""
    left = times

    def listener(at: str) -> None:
        nonlocal left
        if at == call and left:
            left -= 1
            raise error

    return listener
