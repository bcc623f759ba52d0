"""Where a replay reads its topics, one partition after another. A source can only read."""

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
    """The retained range of one touchpoints partition, and the journeys role's position in it."""

    partition: int
    begin: int
    """The earliest retained offset; above 0, records were deleted."""
    end: int
    """The offset after the last record to read."""
    position: int | None = None
    """The role has handled every record before this offset; None if its position is unknown."""
    clock: int | None = None
    """The role's clock at ``position``, in ms."""


class Source(Protocol):
    """Reads topics of the contract up to their ends at the time of the first call."""

    @property
    def topics(self) -> Topics: ...

    @property
    def codec(self) -> Codec:
        """The codec for the records' values."""
        ...

    async def extents(self) -> tuple[Extent, ...]:
        """All partitions of the touchpoints, by number. Raises Unavailable."""
        ...

    def records(self, topic: Topic, partition: int) -> AsyncIterator[ConsumerRecord]:
        """The committed records in the order of their offsets. Raises Unavailable."""
        ...


class MemorySource:
    """The in-memory twin. Fill it with records, which its codec encodes, or with any bytes."""

    def __init__(self, *, topics: Topics, codec: Codec, partitions: int = 1) -> None:
        self.topics = topics
        self.codec = codec
        self._partitions = partitions
        self._logs: dict[tuple[str, int], list[ConsumerRecord]] = defaultdict(list)
        self._handled: dict[int, tuple[int, int]] = {}
        self._deleted: dict[int, int] = defaultdict(int)

    def put(self, topic: Topic, record: Record, *, at: int, key: str, partition: int | None = None) -> ConsumerRecord:
        """Append a record with that time (ms), to its key's partition if ``partition`` is None."""
        home = partition_of(key.encode(), self._partitions) if partition is None else partition
        return self.put_bytes(topic, self.codec.encode(topic, record), at=at, key=key, partition=home)

    def put_bytes(self, topic: Topic, value: bytes | None, *, at: int, key: str, partition: int) -> ConsumerRecord:
        """Append any bytes; None is a tombstone."""
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
        """Set the journeys role's position: offset and clock (ms) by partition."""
        self._handled.update(positions)

    def forget_before(self, partition: int, offset: int) -> None:
        """Delete the touchpoints before an offset, like retention does."""
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
