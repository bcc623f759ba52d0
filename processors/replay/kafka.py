"""The real source: Kafka, read-committed, without a group, and without committing anything."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Self

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from processors.replay.source import Extent
from streams.avro.codec import Codec
from streams.broker.answering import kafka_answers, kafka_unavailable
from streams.broker.closing import closed
from streams.broker.fetched import AIOKafkaConsumer
from streams.config import Settings
from streams.errors import Unavailable
from streams.registry.registry import ConfluentRegistry
from streams.topics import Topic, Topics

_ROLE = "journeys"
_SETTLE_SECONDS = 1.0
_FETCH_BYTES = 8 << 20
_FETCH_RECORDS = 5_000


class KafkaSource:
    """Reads the topics of the settings. The end of each is taken when it is entered."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._registry = ConfluentRegistry(settings)
        self.topics: Topics = settings.topics
        self.codec = Codec(registry=self._registry, topics=settings.topics)
        self._consumer: AIOKafkaConsumer | None = None
        self._extents: tuple[Extent, ...] = ()
        self._ends: dict[TopicPartition, int] = {}

    async def __aenter__(self) -> Self:
        try:
            with kafka_answers(self._settings):
                await self._look()
            self._consumer = AIOKafkaConsumer(
                **self._settings.kafka_client(),
                client_id="careline-replay",
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                isolation_level="read_committed",
                max_partition_fetch_bytes=_FETCH_BYTES,
            )
            with kafka_answers(self._settings):
                await self._consumer.start()
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    async def extents(self) -> tuple[Extent, ...]:
        """See :meth:`Source.extents`."""
        return self._extents

    async def records(self, topic: Topic, partition: int) -> AsyncIterator[ConsumerRecord]:
        """See :meth:`Source.records`. Waits for transactions that were open when the end was taken."""
        if self._consumer is None:
            raise RuntimeError("use the source as an async context manager")
        tp = TopicPartition(self.topics.full_name(topic), partition)
        end = self._ends[tp]
        try:
            self._consumer.assign([tp])
            await self._consumer.seek_to_beginning(tp)
            # by position: aborted records and markers before the end are passed over
            while await self._consumer.position(tp) < end:
                fetched = await self._consumer.getmany(tp, timeout_ms=500, max_records=_FETCH_RECORDS)
                for record in fetched.get(tp, ()):
                    if record.offset >= end:
                        return
                    yield record
        except KafkaError as error:
            raise kafka_unavailable(self._settings, error) from error

    async def _look(self) -> None:
        """Take the ends, in this order: how far the role has come; then what it wrote; last what it reads.

        So everything that the role wrote up to its position is before the ends, and so is every touchpoint that a
        state counts.
        """
        topics = self.topics
        admin = AIOKafkaAdminClient(**self._settings.kafka_client())
        # reads uncommitted: the end is to be behind a transaction whose commit is still on its way to the partition
        probe = AIOKafkaConsumer(**self._settings.kafka_client(), enable_auto_commit=False)
        try:
            await admin.start()
            await probe.start()
            touchpoints = await self._partitions(admin, topics.touchpoints)
            positions = await self._positions(admin, probe, touchpoints)
            for topic in (topics.decisions, topics.outreach, topics.journeys):
                self._ends |= await probe.end_offsets(await self._partitions(admin, topic))
            self._ends |= await probe.end_offsets(touchpoints)
            begins = await probe.beginning_offsets(touchpoints)
        finally:
            await probe.stop()
            await admin.close()
        extents = []
        for tp in touchpoints:
            position, clock = positions[tp.partition]
            extents.append(
                Extent(partition=tp.partition, begin=begins[tp], end=self._ends[tp], position=position, clock=clock)
            )
        self._extents = tuple(extents)

    async def _positions(
        self, admin: AIOKafkaAdminClient, probe: AIOKafkaConsumer, touchpoints: list[TopicPartition]
    ) -> dict[int, tuple[int | None, int | None]]:
        """How far the role has come: offset and clock by partition; (None, None) where Kafka has forgotten it.

        Offsets of a group that rests are forgotten after days. A role that has not begun has none either, and no
        state; one that is about to commit its first transaction has its state a moment before its offset.
        """
        found = await self._committed(admin, touchpoints)
        if len(found) < len(touchpoints):
            ends = await probe.end_offsets(await self._partitions(admin, self.topics.journeys))
            begun = {tp.partition for tp, end in ends.items() if end > 0}
            if begun - found.keys():
                await asyncio.sleep(_SETTLE_SECONDS)
                found = await self._committed(admin, touchpoints)
            for tp in touchpoints:
                found.setdefault(tp.partition, (None, None) if tp.partition in begun else (0, None))
        return found

    async def _committed(
        self, admin: AIOKafkaAdminClient, touchpoints: list[TopicPartition]
    ) -> dict[int, tuple[int | None, int | None]]:
        group = f"{self._settings.topic_prefix}{_ROLE}"
        offsets = await admin.list_consumer_group_offsets(group, partitions=touchpoints)
        return {
            tp.partition: (committed.offset, int(committed.metadata) if committed.metadata else None)
            for tp, committed in offsets.items()
            if committed.offset >= 0
        }

    async def _partitions(self, admin: AIOKafkaAdminClient, topic: Topic) -> list[TopicPartition]:
        name = self.topics.full_name(topic)
        [described] = await admin.describe_topics([name])
        if described["error_code"]:
            raise Unavailable.no_topic(name)
        return sorted(TopicPartition(name, one["partition"]) for one in described["partitions"])

    async def _close(self) -> None:
        if self._consumer is not None:
            await closed(self._consumer)
            self._consumer = None
        await self._registry.close()
