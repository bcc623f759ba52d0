"""A read-committed reader of everything, while the drive runs and once more when it is over."""

from __future__ import annotations

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from streams.broker.closing import closed
from streams.config import Settings
from streams.topics import Topic

LIFE = "chaos-life"
"""The header by which the workers of a drive sign what they write: ``<process>.<take>.<begun, ms>``."""


def digest(value: bytes | None) -> bytes:
    """Enough of a value to know it again."""
    return hashlib.blake2b(value or b"", digest_size=12).digest()


@dataclass(frozen=True, slots=True)
class Seen:
    """A record as the reader got it. ``life`` is who wrote it, "" for others than the workers of the drive."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: str
    value: bytes | None
    life: str
    headers: tuple[tuple[str, bytes], ...] = ()


class Watcher:
    """Reads the role's input and outputs, read-committed, for as long as the block runs.

    ``records`` holds what was seen so far by topic (its name without the prefix) and partition, in the order seen.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        topics = settings.topics
        self._topics = {
            topics.full_name(topic): topic
            for topic in (
                topics.touchpoints,
                topics.journeys,
                topics.decisions,
                topics.outreach,
                topics.exposures,
                topics.dead_letters,
            )
        }
        self.records: dict[tuple[str, int], list[Seen]] = defaultdict(list)
        self.count = 0
        self._consumer: AIOKafkaConsumer | None = None
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._consumer = await _reader(self._settings, self._topics)
        self._task = asyncio.create_task(self._run(self._consumer), name="watcher")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        if self._consumer is not None:
            await closed(self._consumer)

    def of(self, topic: Topic) -> list[Seen]:
        """What was seen of the topic, each partition in its order."""
        return [seen for (name, _), found in sorted(self.records.items()) if name == topic.name for seen in found]

    def by(self, processes: Iterable[str], *, before: int) -> int:
        """How many records are seen of these processes, written by what they owned before that time (ms)."""
        wanted = set(processes)
        return sum(
            1
            for found in self.records.values()
            for seen in found
            if seen.life and (parts := seen.life.split("."))[0] in wanted and int(parts[2]) < before
        )

    async def to_the_end(self, *, within: float = 60) -> None:
        """Wait until everything committed by now was seen. Raises TimeoutError."""
        consumer = self._consumer
        assert consumer is not None
        async with asyncio.timeout(within):
            ends = await consumer.end_offsets(consumer.assignment())
            for tp, end in ends.items():
                while await consumer.position(tp) < end:  # noqa: ASYNC110, there is no event for it
                    await asyncio.sleep(0.05)

    async def _run(self, consumer: AIOKafkaConsumer) -> None:
        while True:
            try:
                fetched = await consumer.getmany(timeout_ms=200, max_records=5_000)
            except KafkaError:  # the broker is one of the things that are killed
                await asyncio.sleep(0.5)
                continue
            for tp, found in fetched.items():
                topic = self._topics[tp.topic]
                self.records[topic.name, tp.partition] += [seen_of(topic, raw) for raw in found]
                self.count += len(found)


async def everything(settings: Settings) -> Watcher:
    """What a reader sees that begins only now, up to the end."""
    async with Watcher(settings) as watcher:
        await watcher.to_the_end()
    return watcher


async def _reader(settings: Settings, topics: Iterable[str]) -> AIOKafkaConsumer:
    consumer = AIOKafkaConsumer(
        **settings.kafka_client(),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        max_partition_fetch_bytes=8 << 20,
    )
    await consumer.start()
    partitions = [TopicPartition(name, number) for name in topics for number in range(settings.partitions)]
    consumer.assign(partitions)
    await consumer.seek_to_beginning(*partitions)
    return consumer


def seen_of(topic: Topic, raw: ConsumerRecord) -> Seen:
    """The record as a drive keeps it."""
    life = next((value.decode() for name, value in raw.headers if name == LIFE), "")
    key = "" if raw.key is None else raw.key.decode(errors="replace")
    kept = tuple(raw.headers) if topic.name == "dead-letters" else ()
    return Seen(topic.name, raw.partition, raw.offset, raw.timestamp, key, raw.value, life, kept)
