"""Producers in memory. Batches are aiokafka's own, so that they are full, and too large, exactly when Kafka's are."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, TypeVar

from aiokafka import TopicPartition
from aiokafka.errors import (
    IllegalOperation,
    MessageSizeTooLargeError,
    ProducerClosed,
    ProducerFenced,
    UnknownTopicOrPartitionError,
)
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder
from aiokafka.structs import RecordMetadata
from aiokafka.util import commit_structure_validate

from streams.broker.contract import Headers
from streams.broker.memory.log import Fate, Open
from streams.clock import to_millis

if TYPE_CHECKING:
    from streams.broker.memory.broker import MemoryBroker

T = TypeVar("T")

_ROOM = 9 << 20


class MemoryProducer:
    """See :class:`~streams.broker.contract.Producer`."""

    def __init__(self, broker: MemoryBroker, *, largest: int, compressed: bool) -> None:
        self._broker = broker
        self._largest = largest
        self._codec = DefaultRecordBatch.CODEC_LZ4 if compressed else 0
        self._running = False

    async def start(self) -> None:
        """See :meth:`Producer.start`."""
        await self._broker.reached("start")
        self._running = True

    async def stop(self) -> None:
        """See :meth:`Producer.stop`."""
        self._running = False
        await asyncio.sleep(0)

    async def send(
        self,
        topic: str,
        value: bytes | None = None,
        key: bytes | None = None,
        partition: int | None = None,
        timestamp_ms: int | None = None,
        headers: Headers | None = None,
    ) -> asyncio.Future[Any]:
        """See :meth:`Producer.send`."""
        await self._broker.reached("send")
        if not self._running:
            raise ProducerClosed
        if self._broker.count(topic) is None:
            raise UnknownTopicOrPartitionError(topic)
        size = DefaultRecordBatchBuilder.estimate_size_in_bytes(key, value, headers or [])
        if size > self._largest:
            raise MessageSizeTooLargeError(f"{size} bytes; this producer sends {self._largest} at most")
        place = self._broker.place(topic, key) if partition is None else TopicPartition(topic, partition)
        batch = BatchBuilder(self._largest, self._codec)
        stamp = to_millis(self._broker.clock.now()) if timestamp_ms is None else timestamp_ms
        batch.append(timestamp=stamp, key=key, value=value, headers=headers or [])
        return _told(lambda: _metadata(place, self._broker.append(place, batch._build(), None), stamp))

    async def send_and_wait(
        self,
        topic: str,
        value: bytes | None = None,
        key: bytes | None = None,
        partition: int | None = None,
        timestamp_ms: int | None = None,
        headers: Headers | None = None,
    ) -> Any:
        """See :meth:`Producer.send_and_wait`."""
        return await (await self.send(topic, value, key, partition, timestamp_ms, headers))

    def give_up(self, why: Exception) -> None:
        """See :meth:`Producer.give_up`: nothing is ever queued here."""


class _State(Enum):
    NEW = auto()
    READY = auto()
    IN_TRANSACTION = auto()
    FATAL = auto()


class MemoryTransactions:
    """See :class:`~streams.broker.contract.TransactionalProducer`."""

    def __init__(self, broker: MemoryBroker, transactional_id: str) -> None:
        self._broker = broker
        self._id = transactional_id
        self._epoch = -1
        self._state = _State.NEW
        self._known = False  # whether the broker has heard of the transaction

    async def start(self) -> None:
        """See :meth:`TransactionalProducer.start`."""
        self._epoch = await self._answered("start", lambda: self._broker.fence(self._id))
        self._state = _State.READY

    async def stop(self) -> None:
        """See :meth:`TransactionalProducer.stop`."""
        self._state = _State.FATAL
        await asyncio.sleep(0)

    async def begin_transaction(self) -> None:
        """See :meth:`TransactionalProducer.begin_transaction`."""
        if self._state is not _State.READY:
            raise AssertionError(f"Invalid state transition {self._state} -> IN_TRANSACTION")
        await self._answered("begin_transaction", lambda: None)
        self._state, self._known = _State.IN_TRANSACTION, False

    def create_batch(self) -> BatchBuilder:
        """See :meth:`TransactionalProducer.create_batch`."""
        return BatchBuilder(_ROOM, DefaultRecordBatch.CODEC_LZ4, is_transactional=True)

    async def send_batch(self, batch: BatchBuilder, topic: str, *, partition: int) -> asyncio.Future[Any]:
        """See :meth:`TransactionalProducer.send_batch`."""
        self._ensure_in_transaction()
        place = TopicPartition(topic, partition)

        def sent() -> asyncio.Future[Any]:
            if self._broker.count(topic) is None:
                raise UnknownTopicOrPartitionError(topic)
            return _told(lambda: _metadata(place, self._broker.append(place, batch._build(), self._current()), -1))

        return await self._answered("send_batch", sent)

    async def send_offsets_to_transaction(
        self, offsets: Mapping[TopicPartition, tuple[int, str]], group_id: str
    ) -> None:
        """See :meth:`TransactionalProducer.send_offsets_to_transaction`."""
        self._ensure_in_transaction()
        checked = commit_structure_validate(dict(offsets))

        def sent() -> None:
            current = self._current()
            current.offsets += [(group_id, partition, tuple(offset)) for partition, offset in checked.items()]

        await self._answered("send_offsets_to_transaction", sent)

    async def commit_transaction(self) -> None:
        """See :meth:`TransactionalProducer.commit_transaction`."""
        if self._state is not _State.IN_TRANSACTION:
            raise AssertionError(f"Invalid state transition {self._state} -> COMMITTING_TRANSACTION")

        def ended() -> None:
            if self._known:
                self._current()
                self._broker.end(self._id, Fate.COMMITTED)

        await self._answered("commit_transaction", ended)
        self._state = _State.READY

    def _current(self) -> Open:
        """The transaction that is open at the broker. Raises ProducerFenced."""
        self._known = True
        try:
            return self._broker.open(self._id, self._epoch)
        except ProducerFenced:
            self._state = _State.FATAL
            raise

    def _ensure_in_transaction(self) -> None:
        if self._state is not _State.IN_TRANSACTION:
            raise IllegalOperation("Not in the middle of a transaction")

    async def _answered(self, call: str, do: Callable[[], T]) -> T:
        try:
            await self._broker.reached(call)
            result = do()
            self._broker.answered(call)
        except BaseException:
            self._state = _State.FATAL
            raise
        return result


def _metadata(place: TopicPartition, offset: int, stamp: int) -> RecordMetadata:
    return RecordMetadata(place.topic, place.partition, place, offset, stamp, 0, 0)


def _told(append: Callable[[], RecordMetadata]) -> asyncio.Future[Any]:
    """What the broker says, as a future: a refusal is not raised to whoever sends."""
    future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    try:
        future.set_result(append())
    except Exception as refusal:
        future.set_exception(refusal)
    return future
