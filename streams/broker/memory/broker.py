"""The broker itself: topics, transactional ids, groups, and whoever waits for news."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from aiokafka import TopicPartition
from aiokafka.errors import (
    InvalidTimestampError,
    MessageSizeTooLargeError,
    ProducerFenced,
    UnknownTopicOrPartitionError,
)
from aiokafka.partitioner import murmur2

from streams.broker.contract import PATIENCE, Cluster, NewTopic
from streams.broker.memory.consumers import MemoryConsumer
from streams.broker.memory.groups import Group
from streams.broker.memory.log import Fate, Log, Open, records_of
from streams.broker.memory.producers import MemoryProducer, MemoryTransactions
from streams.clock import Clock, SystemClock, to_millis

_FUTURE = timedelta(hours=1)  # Kafka's message.timestamp.after.max.ms
_DEFAULTS = {"cleanup.policy": "delete", "max.message.bytes": "1048588", "retention.ms": "604800000"}


@dataclass(slots=True)
class _Topic:
    logs: list[Log]
    config: dict[str, str]


@dataclass(slots=True)
class _Owner:
    """A transactional id: its latest producer's epoch, and the transaction that is open."""

    epoch: int = -1
    open: Open | None = None


def _nothing(_: str) -> None:
    pass


@dataclass(slots=True, kw_only=True, eq=False)
class MemoryBroker:
    """See :class:`~streams.broker.contract.Broker`; what is more is for tests.

    ``before`` and ``after`` are told of every call by its name (``send_batch``, ``commit_transaction``), before it is
    carried out and when it has been: what they raise the caller gets, and of a commit that raised nobody knows whether
    it took. A transactional producer is of no more use then.
    """

    clock: Clock = field(default_factory=SystemClock)
    """Gives records their time, where their sender does not, and fetches theirs."""
    before: Callable[[str], None] = _nothing
    after: Callable[[str], None] = _nothing
    _topics: dict[str, _Topic] = field(default_factory=dict)
    _owners: dict[str, _Owner] = field(default_factory=dict)
    _groups: dict[str, Group] = field(default_factory=dict)
    _waiting: set[asyncio.Future[None]] = field(default_factory=set)
    _names: itertools.count[int] = field(default_factory=itertools.count)

    @classmethod
    def named(cls, name: str) -> MemoryBroker:
        """The broker of that name, the same for everybody in the process."""
        return _BY_NAME.setdefault(name, cls())

    @staticmethod
    def forget(name: str) -> None:
        """Whoever asks for the name from now on gets an empty broker."""
        _BY_NAME.pop(name, None)

    # -- clients ----------------------------------------------------------------------------------------------------

    def transactional(self, transactional_id: str, *, within: timedelta) -> MemoryTransactions:
        """See :meth:`Broker.transactional`. No transaction times out by itself: see :meth:`fence`."""
        return MemoryTransactions(self, transactional_id)

    def publishing(self, *, largest: int) -> MemoryProducer:
        """See :meth:`Broker.publishing`."""
        return MemoryProducer(self, largest=largest, compressed=True)

    def occasional(self, *, largest: int) -> MemoryProducer:
        """See :meth:`Broker.occasional`."""
        return MemoryProducer(self, largest=largest, compressed=False)

    def reader(self, *, from_end: bool = False, fetch: int) -> MemoryConsumer:
        """See :meth:`Broker.reader`."""
        return MemoryConsumer(self, from_end=from_end)

    def member(self, group: str, *, from_end: bool = False) -> MemoryConsumer:
        """See :meth:`Broker.member`."""
        name = f"member-{next(self._names):06}"
        return MemoryConsumer(self, group=self._group(group), name=name, from_end=from_end)

    def lasting_member(self, group: str, *, instance: str, client: str) -> MemoryConsumer:
        """See :meth:`Broker.lasting_member`. Its session ends with :meth:`expire_sessions`."""
        return MemoryConsumer(self, group=self._group(group), name=instance, lasting=True)

    def admin(self, client: str | None = None, *, within: timedelta = PATIENCE) -> MemoryAdmin:
        """See :meth:`Broker.admin`."""
        return MemoryAdmin(self)

    # -- what time does to a broker, when a test says so ------------------------------------------------------------

    def compact(self, topic: str, *, tombstones: bool = True) -> None:
        """Compact the topic now; without ``tombstones``, after ``delete.retention.ms``."""
        for log in self._topics[topic].logs:
            log.compact(tombstones=tombstones)

    def delete_before(self, partition: TopicPartition, offset: int) -> None:
        """Delete records, as retention does."""
        self.log(partition).delete_before(offset)

    async def expire_sessions(self, group: str) -> None:
        """Members of the group that stopped, and whose partitions waited for them, have lost them."""
        await self._group(group).expire()

    def fence(self, transactional_id: str) -> int:
        """The epoch of a new producer: earlier ones are fenced, and what they left open is aborted.

        So does a transaction's timeout; a test calls this for one.
        """
        if self._owner(transactional_id).open is not None:
            self.end(transactional_id, Fate.ABORTED)
        owner = self._owner(transactional_id)
        owner.epoch += 1
        return owner.epoch

    # -- for the clients --------------------------------------------------------------------------------------------

    async def reached(self, call: str) -> None:
        """A call is on its way: others have their turn."""
        await asyncio.sleep(0)
        self.before(call)

    def answered(self, call: str) -> None:
        """A call was carried out."""
        self.after(call)

    def log(self, partition: TopicPartition) -> Log:
        """The partition's log. Raises UnknownTopicOrPartitionError."""
        topic = self._topics.get(partition.topic)
        if topic is None or not 0 <= partition.partition < len(topic.logs):
            raise UnknownTopicOrPartitionError(str(partition))
        log: Log = topic.logs[partition.partition]
        return log

    def count(self, topic: str) -> int | None:
        """The number of the topic's partitions; None where there is no such topic."""
        return len(self._topics[topic].logs) if topic in self._topics else None

    def place(self, topic: str, key: bytes | None) -> TopicPartition:
        """The key's partition; without a key the first, as any would do."""
        count = len(self._topics[topic].logs)
        return TopicPartition(topic, 0 if key is None else (int(murmur2(key)) & 0x7FFFFFFF) % count)

    def append(self, partition: TopicPartition, batch: bytes, transaction: Open | None) -> int:
        """Take a batch; its first offset. Raises MessageSizeTooLargeError, InvalidTimestampError."""
        log = self.log(partition)
        base = log.end
        if transaction is not None:
            log.enter(transaction)
        most = int(self._topics[partition.topic].config["max.message.bytes"])
        if len(batch) > most:
            raise MessageSizeTooLargeError(f"a batch of {len(batch)} bytes; {partition.topic} takes {most}")
        records = records_of(batch, partition, base)
        ahead = to_millis(self.clock.now() + _FUTURE)
        if any(record.timestamp > ahead for record in records):
            raise InvalidTimestampError(f"a record of {partition.topic} is more than an hour ahead")
        log.append(records, transaction)
        self.wake()
        return base

    def open(self, transactional_id: str, epoch: int) -> Open:
        """The open transaction, a new one where there is none. Raises ProducerFenced for an earlier producer."""
        owner = self._owner(transactional_id)
        if owner.epoch != epoch:
            raise ProducerFenced
        owner.open = owner.open or Open()
        return owner.open

    def end(self, transactional_id: str, fate: Fate) -> None:
        """End the open transaction: every log gets its marker, and every group its offsets, all at once."""
        owner = self._owner(transactional_id)
        assert owner.open is not None
        transaction, owner.open = owner.open, None
        transaction.fate = fate
        for log in transaction.logs:
            log.close(transaction)
        if fate is Fate.COMMITTED:
            for group, partition, offset in transaction.offsets:
                self._group(group).commit({partition: offset})
        self.wake()

    def news(self) -> asyncio.Future[None]:
        """Done when anything has changed."""
        self._waiting = {one for one in self._waiting if not one.done() and not one.get_loop().is_closed()}
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        return future

    def wake(self) -> None:
        """Something has changed."""
        waiting, self._waiting = self._waiting, set()
        for future in waiting:
            if not future.done() and not future.get_loop().is_closed():
                future.set_result(None)

    def _owner(self, transactional_id: str) -> _Owner:
        return self._owners.setdefault(transactional_id, _Owner())

    def _group(self, name: str) -> Group:
        return self._groups.setdefault(name, Group(self._partitions_of))

    def _partitions_of(self, topic: str) -> Iterable[TopicPartition]:
        return [TopicPartition(topic, number) for number in range(self.count(topic) or 0)]


class MemoryAdmin:
    """See :class:`~streams.broker.contract.Admin`."""

    def __init__(self, broker: MemoryBroker) -> None:
        self._broker = broker

    async def start(self) -> None:
        """See :meth:`Admin.start`."""
        await self._broker.reached("start")

    async def close(self) -> None:
        """See :meth:`Admin.close`."""

    async def cluster(self) -> Cluster:
        """See :meth:`Admin.cluster`: the one broker, which has no address."""
        await self._broker.reached("metadata")
        return Cluster(brokers={0: "memory"}, controller=0)

    async def partitions(self, *names: str) -> dict[str, int]:
        """See :meth:`Admin.partitions`."""
        await self._broker.reached("metadata")
        topics = self._broker._topics
        return {name: len(topics[name].logs) for name in names or topics if name in topics}

    async def configs(self, names: Iterable[str]) -> dict[str, dict[str, tuple[str, bool]]]:
        """See :meth:`Admin.configs`."""
        await self._broker.reached("configs")
        found = {}
        for name in names:
            if name not in self._broker._topics:
                raise UnknownTopicOrPartitionError(name)
            config = self._broker._topics[name].config
            found[name] = {key: (value, value != _DEFAULTS.get(key)) for key, value in config.items()}
        return found

    async def create(self, topics: Sequence[NewTopic]) -> None:
        """See :meth:`Admin.create`."""
        await self._broker.reached("create")
        for one in topics:
            logs = [Log(TopicPartition(one.name, number)) for number in range(one.partitions)]
            self._broker._topics.setdefault(one.name, _Topic(logs, {**_DEFAULTS, **one.config}))
        for group in self._broker._groups.values():
            group.look_again()

    async def alter(self, configs: Mapping[str, Mapping[str, str]]) -> None:
        """See :meth:`Admin.alter`."""
        await self._broker.reached("alter")
        for name, config in configs.items():
            self._broker._topics[name].config = {**_DEFAULTS, **config}

    async def committed(self, group: str, partition: TopicPartition) -> tuple[int, str] | None:
        """See :meth:`Admin.committed`."""
        await self._broker.reached("committed")
        return self._broker._group(group).offsets.get(partition)


_BY_NAME: dict[str, MemoryBroker] = {}
