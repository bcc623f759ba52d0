"""Writes records of any topic, as the roles do it: for tests of those who read them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaProducer

from streams.avro.codec import Codec
from streams.config import Settings
from streams.events import Record
from streams.registry.registry import ConfluentRegistry
from streams.topics import Topic

Written = tuple[Topic, Record]


class Writer:
    """Writes in transactions, each record keyed by its customer."""

    def __init__(self, settings: Settings, *, codec: Codec, producer: AIOKafkaProducer) -> None:
        self._topics = settings.topics
        self._codec = codec
        self._producer = producer

    async def write(self, *records: Written, abort: bool = False) -> None:
        """All of them in one transaction, which is taken back with ``abort``."""
        await self.write_raw(
            *((topic, record.customer_id.encode(), self._codec.encode(topic, record)) for topic, record in records),
            abort=abort,
        )

    async def write_raw(self, *records: tuple[Topic, bytes, bytes | None], abort: bool = False) -> None:
        """Bytes as they are; None is a tombstone."""
        await self._producer.begin_transaction()
        for topic, key, value in records:
            await self._producer.send_and_wait(self._topics.full_name(topic), key=key, value=value)
        await (self._producer.abort_transaction() if abort else self._producer.commit_transaction())


@asynccontextmanager
async def writer(settings: Settings) -> AsyncIterator[Writer]:
    """A writer for as long as the block runs."""
    registry = ConfluentRegistry(settings)
    codec = Codec(registry=registry, topics=settings.topics)
    producer = AIOKafkaProducer(**settings.kafka_client(), transactional_id=f"{settings.topic_prefix}writer")
    try:
        await codec.prepare(*settings.topics.all())
        await producer.start()
        yield Writer(settings, codec=codec, producer=producer)
    finally:
        await producer.stop()
        await registry.close()


def on_its_topic(settings: Settings, records: Sequence[Record]) -> list[Written]:
    """Each record with the topic of the contract that carries it; outcomes go to theirs."""
    topics = settings.topics
    own = (topics.journeys, topics.decisions, topics.outreach, topics.outcomes, topics.touchpoints)
    return [(next(topic for topic in own if _carries(topic, type(record).__name__)), record) for record in records]


def _carries(topic: Topic, name: str) -> bool:
    return any(full.endswith(f".{name}") for full in topic.records)
