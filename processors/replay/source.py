"""Where a replay reads: topics as they are kept, one partition after the other. There is nothing else it can do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from aiokafka import ConsumerRecord

from streams.avro.codec import Codec
from streams.events import Record
from streams.processor.intake import partition_of
from streams.topics import Topic, Topics


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """What is kept of one partition of the touchpoints, and how far the journeys role has come with it."""

    partition: int
    begin: int
    """The earliest offset that is kept; above 0 something was deleted."""
    end: int
    """The offset after the last record that is read."""
    position: int | None = None
    """Every record before this offset was handled by the role; None where nothing is known of that."""
    clock: int | None = None
    """The role's clock at ``position``, in ms."""


class Source(Protocol):
    """Reads topics of the contract up to where they ended when the first question was asked."""

    @property
    def topics(self) -> Topics: ...

    @property
    def codec(self) -> Codec:
        """Decodes what the records hold."""
        ...

    async def extents(self) -> tuple[Extent, ...]:
        """Every partition of the touchpoints, by number. Raises Unavailable."""
        ...

    def records(self, topic: Topic, partition: int) -> AsyncIterator[ConsumerRecord]:
        """What is committed, in the order of the offsets. Raises Unavailable."""
        ...


class MemorySource:
    """The twin in memory. It is filled with records that were encoded by its own codec, or with any bytes."""

    def __init__(self, *, topics: Topics, codec: Codec, partitions: int = 1) -> None:
        self.topics = topics
        self.codec = codec
        self._partitions = partitions
        self._logs: dict[tuple[str, int], list[ConsumerRecord]] = defaultdict(list)
        self._handled: dict[int, tuple[int, int]] = {}
        self._deleted: dict[int, int] = defaultdict(int)

    def put(self, topic: Topic, record: Record, *, at: int, key: str, partition: int | None = None) -> ConsumerRecord:
        """Append a record of that time (ms), to its key's partition unless told otherwise."""
        home = partition_of(key.encode(), self._partitions) if partition is None else partition
        return self.put_bytes(topic, self.codec.encode(topic, record), at=at, key=key, partition=home)

    def put_bytes(self, topic: Topic, value: bytes | None, *, at: int, key: str, partition: int) -> ConsumerRecord:
        """Append whatever somebody wrote; None is a tombstone."""
        log = self._logs[topic.name, partition]
        record: ConsumerRecord = ConsumerRecord(
            topic=self.topics.full_name(topic),
            partition=partition,
            offset=len(log),
            timestamp=at,
            timestamp_type=0,
            key=key.encode(),
            value=value,
            checksum=None,
            serialized_key_size=len(key),
            serialized_value_size=len(value or b""),
            headers=(),
        )
        log.append(record)
        return record

    def handled(self, positions: Mapping[int, tuple[int, int]]) -> None:
        """How far the journeys role came: offset and clock (ms) by partition."""
        self._handled.update(positions)

    def forget_before(self, partition: int, offset: int) -> None:
        """Delete touchpoints, as retention does."""
        self._deleted[partition] = offset

    async def extents(self) -> tuple[Extent, ...]:
        """See :meth:`Source.extents`."""
        found = []
        for partition in range(self._partitions):
            position, clock = self._handled.get(partition, (None, None))
            end = len(self._logs[self.topics.touchpoints.name, partition])
            begin = self._deleted[partition]
            found.append(Extent(partition=partition, begin=begin, end=end, position=position, clock=clock))
        return tuple(found)

    async def records(self, topic: Topic, partition: int) -> AsyncIterator[ConsumerRecord]:
        """See :meth:`Source.records`."""
        begin = self._deleted[partition] if topic == self.topics.touchpoints else 0
        for record in self._logs[topic.name, partition][begin:]:
            yield record
