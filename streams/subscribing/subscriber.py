"""Subscribe to a topic of the contract: ``from streams import Subscriber``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import structlog

from streams.avro.codec import Codec
from streams.avro.records import types_of
from streams.broker.answering import kafka_answers
from streams.broker.choice import broker_of
from streams.broker.closing import closed
from streams.broker.contract import Broker, Consumer, ConsumerRecord, Producer, TopicPartition
from streams.config import Settings
from streams.errors import Unavailable, Unreadable
from streams.events import Record
from streams.publishing.cloudevents import source_of
from streams.registry.choice import registry_of
from streams.registry.registry import Registry
from streams.subscribing.dead_letters import FRAMING, count_dead_letters, kept_of, place_of
from streams.topics import Topic

log = structlog.get_logger()

_FETCH = 4 << 20  # bytes of a partition at once
_LARGEST_DEAD_LETTER = 9 << 20  # bytes, with its framing


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One record as read. ``record`` is None for a tombstone: the key's state was deleted. ``timestamp`` is in ms."""

    record: Record | None
    key: str
    topic: str
    partition: int
    offset: int
    timestamp: int
    headers: tuple[tuple[str, bytes], ...]


class Subscriber:
    """Reads one or more topics, read-committed, as typed records.

    With a ``group`` the members share the partitions and continue from the group's committed offsets. Requesting the
    next message acknowledges the previous one, so after a crash some messages come again (recognise them by their
    ids) and none is lost. Without a group it reads from the earliest record, or with ``from_end`` only new records;
    with ``until_end`` it stops at the end offsets of the moment it started.

    ::

        async with Subscriber(settings, "journeys", group="crm") as journeys:
            async for message in journeys:
                ...

    A record that cannot be read goes to the dead-letter topic (without a group it is only logged), and reading goes on.
    """

    def __init__(
        self,
        settings: Settings,
        *topics: str,
        group: str | None = None,
        from_end: bool = False,
        until_end: bool = False,
        registry: Registry | None = None,
        broker: Broker | None = None,
    ) -> None:
        if until_end and (group is not None or from_end):
            raise ValueError("until_end reads from the beginning and without a group")
        catalogue = {topic.name: topic for topic in settings.topics.all()}
        unknown = [name for name in topics if name not in catalogue]
        if unknown or not topics:
            raise ValueError(f"{unknown[0] if unknown else 'no topic'!r}: choose among {', '.join(catalogue)}")
        self._settings = settings
        self._topics: tuple[Topic, ...] = tuple(catalogue[name] for name in topics)
        # the dead-letter topic holds records of any type, and values that are no record at all
        self._types = {settings.topics.full_name(one): types_of(one) if one.records else None for one in self._topics}
        self._group = group
        self._from_end = from_end
        self._until_end = until_end
        self._own_registry = registry is None
        self._registry = registry or registry_of(settings)
        self._codec = Codec(registry=self._registry, topics=settings.topics)
        self._broker = broker or broker_of(settings)
        self._consumer: Consumer | None = None
        self._dead_letters: Producer | None = None
        self._ends: Mapping[TopicPartition, int] = {}
        self._handled: dict[TopicPartition, int] = {}

    async def __aenter__(self) -> Self:
        if self._group is None:
            consumer = self._broker.reader(from_end=self._from_end, fetch=_FETCH)
        else:
            consumer = self._broker.member(self._group, from_end=self._from_end)
        self._consumer = consumer
        try:
            with kafka_answers(self._settings):
                await consumer.start()
                names = [self._settings.topics.full_name(topic) for topic in self._topics]
                if self._group is not None:
                    consumer.subscribe(names)
                else:
                    await self._assign(consumer, names)
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None or kind is GeneratorExit:
                await self._commit()
        finally:
            await self._close()

    async def __aiter__(self) -> AsyncIterator[Message]:
        """The messages, in order within a partition. Requesting the next one acknowledges the previous one."""
        async for raw in self.raw():
            message = await self._read(raw)
            if message is not None:
                yield message

    async def raw(self) -> AsyncIterator[ConsumerRecord]:
        """The records as the broker stores them, not decoded: for the dead-letter topic, and for inspection."""
        consumer = self._started()
        while True:
            if self._until_end and await self._at_end():
                return
            for tp, records in (await consumer.getmany(timeout_ms=200, max_records=2_000)).items():
                for record in records:
                    if self._until_end and record.offset >= self._ends[tp]:
                        break
                    yield record
                    self._handled[tp] = record.offset + 1
            await self._commit()

    async def _assign(self, consumer: Consumer, names: list[str]) -> None:
        partitions = []
        for name in names:
            if not (known := await consumer.partitions_of(name)):
                raise Unavailable.no_topic(name)
            partitions += [TopicPartition(name, number) for number in sorted(known)]
        consumer.assign(partitions)
        self._ends = await consumer.end_offsets(partitions)
        if self._from_end:
            for tp, end in self._ends.items():
                consumer.seek(tp, end)
        else:
            await consumer.seek_to_beginning(*partitions)

    async def _at_end(self) -> bool:
        consumer = self._started()
        for tp, end in self._ends.items():
            if await consumer.position(tp) < end:
                return False
        return True

    async def _read(self, raw: ConsumerRecord) -> Message | None:
        record: Record | None = None
        if raw.value is not None:
            try:
                record = await self._codec.decode(raw.value, among=self._types[raw.topic])
            except Unreadable as why:
                await self._put_aside(raw, why)
                return None
        return Message(
            record=record,
            key="" if raw.key is None else raw.key.decode(errors="replace"),
            topic=raw.topic,
            partition=raw.partition,
            offset=raw.offset,
            timestamp=raw.timestamp,
            headers=tuple(raw.headers),
        )

    async def _put_aside(self, raw: ConsumerRecord, why: Unreadable) -> None:
        log.warning("unreadable", **place_of(raw), reason=why.reason)
        if self._group is None:
            return
        if self._dead_letters is None:
            self._dead_letters = self._broker.occasional(largest=_LARGEST_DEAD_LETTER)
            await self._dead_letters.start()
        topics = self._settings.topics
        most = topics.dead_letters.max_bytes - FRAMING
        key, value, headers = kept_of(raw, why, reader=self._group, most=most)
        await self._dead_letters.send_and_wait(
            topics.full_name(topics.dead_letters), key=key, value=value, headers=headers
        )
        count_dead_letters(self._group, why.reason, source_of(raw.headers))

    async def _commit(self) -> None:
        if self._group is not None and self._handled:
            consumer = self._started()
            owned = {tp: offset for tp, offset in self._handled.items() if tp in consumer.assignment()}
            if owned:
                await consumer.commit(owned)
            self._handled.clear()

    def _started(self) -> Consumer:
        if self._consumer is None:
            raise RuntimeError("use the subscriber as an async context manager")
        return self._consumer

    async def _close(self) -> None:
        if self._consumer is not None:
            await closed(self._consumer)
            self._consumer = None
        if self._dead_letters is not None:
            await closed(self._dead_letters)
            self._dead_letters = None
        if self._own_registry:
            await self._registry.close()
