"""A partition on the broker in memory: what the processor's own tests start from."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from processors.playbook import load_playbook
from processors.roles.journeys import JourneyLogic
from streams.avro.codec import Codec
from streams.broker.contract import NewTopic, TopicPartition
from streams.broker.memory import MemoryBroker
from streams.clock import Clock, SystemClock
from streams.config import Settings, TimeSource
from streams.processor import Limits, Performer
from streams.processor.logic import Logic
from streams.processor.progress import Progress
from streams.processor.shared import Shared
from streams.processor.tenure import Tenure

EVENTS = Settings(time_source=TimeSource.EVENTS, partitions=1)
TOUCHPOINTS = TopicPartition("careline.touchpoints", 0)
QUICK = Limits(
    retake_after=timedelta(milliseconds=1), retake_at_most=timedelta(milliseconds=5), commit_every=timedelta(0)
)


async def broker_with_topics() -> MemoryBroker:
    """A broker of a test's own, which has every topic."""
    broker = MemoryBroker()
    await set_up(broker)
    return broker


async def set_up(broker: MemoryBroker, settings: Settings = EVENTS) -> None:
    """Every topic of the contract."""
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
) -> Shared[Any]:
    """What one worker's partitions share; its consumer has every partition of the input without asking a group."""
    logic = logic or JourneyLogic(topics=settings.topics, playbook=load_playbook())
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
    )


async def taken(shared: Shared[Any]) -> Tenure[Any]:
    """The first partition, taken by this worker."""
    return await Tenure.acquire(shared.at(0), shared=shared, effects=None, progress=Progress())


async def committed(broker: MemoryBroker, topic: str, partition: int = 0) -> list[Any]:
    """The committed records of a topic's partition, by the topic's full name."""
    tp = TopicPartition(topic, partition)
    records, _ = broker.log(tp).read(0, 1_000_000)
    return records
