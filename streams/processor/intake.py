"""Decodes input records: each becomes an event or a dead letter, or is forwarded to the partition of its key."""

from __future__ import annotations

from collections import deque
from datetime import datetime
from functools import lru_cache

from aiokafka import ConsumerRecord
from aiokafka.partitioner import murmur2

from streams.avro.codec import Codec
from streams.avro.records import types_of
from streams.errors import InvalidEvent, PartitionStopped, Unreadable
from streams.events import Record, Value
from streams.processor.logic import Entrance, Incoming, Stage
from streams.publishing.cloudevents import dated
from streams.topics import MAX_EVENT_BYTES

_HOMES = 65_536


class Misplaced(Value, frozen=True):
    """An event on another partition than its customer's."""

    key: str
    partition: int


def partition_of(key: bytes, partitions: int) -> int:
    """Return the partition that the Java client's default partitioner (murmur2) chooses for the key."""
    return int(murmur2(key) & 0x7FFFFFFF) % partitions


class Intake:
    """Reads input records. Stops the partition if too many of the latest ``window`` records fail."""

    def __init__(
        self,
        *,
        logic: Entrance,
        codec: Codec,
        partition: int,
        partitions: int,
        window: int,
        share: float,
        broker_time: bool = False,
    ) -> None:
        """``broker_time``: use the broker's time where a publisher does not state when it published."""
        self._broker_time = broker_time
        self._logic = logic
        self._codec = codec
        self._partition = partition
        self._latest: deque[bool] = deque(maxlen=window)
        self._share = share
        self.stage = Stage.DECODE
        """The stage that the latest record reached."""
        self._known = types_of(logic.input)
        # customers recur, and the hash is slow
        self._home = lru_cache(maxsize=_HOMES)(lambda key: partition_of(key.encode(), partitions))

    async def read(self, record: ConsumerRecord, now: datetime) -> Incoming | Misplaced:
        """Return the event. Raises Unreadable for a dead letter, PartitionStopped if there were too many of them."""
        self.stage = Stage.DECODE
        try:
            event = await self.decode(record)
            self.stage = Stage.ADMIT
            incoming = self.admitted(event, record, now)
        except Unreadable as why:
            self.failed(record, why)
            raise
        self._latest.append(True)
        return incoming

    def failed(self, record: ConsumerRecord, why: Unreadable) -> None:
        """Count a record that becomes a dead letter. Raises PartitionStopped if there were too many of them."""
        self._latest.append(False)
        failed = self._latest.count(False)
        if self._latest.maxlen is not None and failed > self._share * self._latest.maxlen:
            raise PartitionStopped(
                f"{failed} of the latest {len(self._latest)} records of {record.topic}[{record.partition}] up to "
                f"offset {record.offset} could not be handled, the last because of {why.reason}"
            ) from why

    def mark(self) -> tuple[bool, ...]:
        """Return the current position for :meth:`undo`."""
        return tuple(self._latest)

    def undo(self, mark: tuple[bool, ...]) -> None:
        """Forget the records that were read since ``mark``."""
        self._latest.clear()
        self._latest.extend(mark)

    async def decode(self, record: ConsumerRecord) -> Record:
        """Return the decoded event, without validating it. Raises Unreadable if it is too large or no record of this
        topic."""
        if record.value is not None and len(record.value) > MAX_EVENT_BYTES:
            raise Unreadable("too_large", f"{len(record.value)} bytes; at most {MAX_EVENT_BYTES} are taken")
        return await self._codec.decode(record.value, among=self._known)

    def admitted(self, event: Record, record: ConsumerRecord, now: datetime) -> Incoming | Misplaced:
        """Return the decoded event, or Misplaced if it belongs to another partition. Raises Unreadable if it is
        invalid."""
        try:
            self._logic.admit(event, now)
        except InvalidEvent as why:
            raise Unreadable(f"invalid_{why.field}", str(why)) from why
        key = self._logic.key(event)
        if self._logic.forwards_misplaced:
            home = self._home(key)
            if home != self._partition:
                return Misplaced(key, home)
        headers = dated(record.headers, record.timestamp) if self._broker_time else record.headers
        return Incoming(record=event, value=record.value, headers=headers)
