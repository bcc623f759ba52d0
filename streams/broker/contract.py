"""What Careline asks of a broker: Kafka in production, and a twin in memory where none is needed.

The names, the records and the errors are aiokafka's, so that its clients satisfy this as they are and nothing is
wrapped on the hot path: a record is an ``aiokafka.ConsumerRecord``, a place is a ``TopicPartition``, and what fails
raises what ``aiokafka.errors`` has for it. Times are milliseconds since 1970. Consumers read committed records only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol, TypeAlias

from aiokafka import ConsumerRebalanceListener, ConsumerRecord, TopicPartition

__all__ = [
    "Admin",
    "Batch",
    "Broker",
    "Cluster",
    "Consumer",
    "ConsumerRebalanceListener",
    "ConsumerRecord",
    "Headers",
    "NewTopic",
    "Producer",
    "TopicPartition",
    "TransactionalProducer",
]

Headers: TypeAlias = Sequence[tuple[str, bytes]]

PATIENCE = timedelta(seconds=30)
"""How long an admin client waits for an answer, if nothing else is said."""


class Producer(Protocol):
    """Sends records one by one; what it could not deliver it sends again, and the broker keeps each of them once."""

    async def start(self) -> None:
        """Connect. Raises KafkaError."""
        ...

    async def stop(self) -> None:
        """Deliver what is queued and disconnect; a second time does nothing."""
        ...

    async def send(
        self,
        topic: str,
        value: bytes | None = None,
        key: bytes | None = None,
        partition: int | None = None,
        timestamp_ms: int | None = None,
        headers: Headers | None = None,
    ) -> asyncio.Future[Any]:
        """Queue a record; the future has its ``topic``, ``partition`` and ``offset``, or the broker's refusal.

        Without a partition the key's is taken (murmur2), without a timestamp the present. Raises
        MessageSizeTooLargeError for a record beyond the producer's own limit.
        """
        ...

    async def send_and_wait(
        self,
        topic: str,
        value: bytes | None = None,
        key: bytes | None = None,
        partition: int | None = None,
        timestamp_ms: int | None = None,
        headers: Headers | None = None,
    ) -> Any:
        """:meth:`send`, and what its future comes to."""
        ...

    def give_up(self, why: Exception) -> None:
        """Fail with ``why`` whatever is queued: :meth:`stop` would wait for the broker for ever."""
        ...


class Batch(Protocol):
    """Records of one partition that the broker takes or refuses together."""

    def append(self, *, timestamp: int | None, key: bytes | None, value: bytes | None, headers: Headers) -> Any | None:
        """Add a record; None, and nothing added, where the batch is full."""
        ...

    def record_count(self) -> int:
        """How many records it holds."""
        ...


class TransactionalProducer(Protocol):
    """Sends batches and offsets that take effect together, or not at all.

    Starting one fences every earlier producer of the same transactional id and aborts the transaction it left open. A
    fenced producer may still seem to work: what it sends is never seen, and its commit raises. Whatever is raised by
    one of these methods, or by a batch's future, means that the transaction cannot be committed any more, except for a
    refusal of the batch itself, as MessageSizeTooLargeError.

    Raised are KafkaError (ProducerFenced among it), IllegalOperation outside of a transaction, and AssertionError where
    the producer was fenced or failed earlier.
    """

    async def start(self) -> None:
        """Fence the earlier owner; returns when its last transaction is settled."""
        ...

    async def stop(self) -> None:
        """Disconnect. An open transaction is left to whoever starts next, or to its timeout."""
        ...

    async def begin_transaction(self) -> None:
        """Begin. The broker hears of it with the first batch."""
        ...

    def create_batch(self) -> Batch:
        """An empty batch."""
        ...

    async def send_batch(self, batch: Any, topic: str, *, partition: int) -> asyncio.Future[Any]:
        """Queue the batch; the future is done when the broker has it, or fails with the refusal."""
        ...

    async def send_offsets_to_transaction(
        self, offsets: Mapping[TopicPartition, tuple[int, str]], group_id: str
    ) -> None:
        """Commit the group's offsets, each with some text, together with the transaction."""
        ...

    async def commit_transaction(self) -> None:
        """Make all of it true. Where this raises, it may have become true all the same."""
        ...


class Consumer(Protocol):
    """Reads committed records: partitions it was told to read (``assign``), or those its group gives it."""

    async def start(self) -> None:
        """Connect; with a subscription, returns when partitions are assigned."""
        ...

    async def stop(self) -> None:
        """Disconnect. A member with an instance of its own keeps its partitions for as long as its session lasts."""
        ...

    def assign(self, partitions: Collection[TopicPartition]) -> None:
        """Read these."""
        ...

    def subscribe(self, topics: Collection[str], listener: ConsumerRebalanceListener | None = None) -> None:
        """Read what the group assigns; ``listener`` is told before partitions are revoked and after they are given."""
        ...

    def assignment(self) -> Collection[TopicPartition]:
        """What it reads now."""
        ...

    async def partitions_of(self, topic: str) -> set[int]:
        """The topic's partitions; empty where there is no such topic."""
        ...

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Go on from there."""
        ...

    async def seek_to_beginning(self, *partitions: TopicPartition) -> Any:
        """Go on from the first record that is kept."""
        ...

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None
    ) -> dict[TopicPartition, list[ConsumerRecord]]:
        """The next records, of these partitions or of all; {} where none came in time."""
        ...

    async def position(self, partition: TopicPartition) -> int:
        """The offset it goes on from. It passes aborted records and the ends of transactions, which nobody sees."""
        ...

    def highwater(self, partition: TopicPartition) -> int | None:
        """The offset of the next record that will be written, as of the last fetch; None before it."""
        ...

    def last_stable_offset(self, partition: TopicPartition) -> int | None:
        """The offset up to which all transactions have ended, as of the last fetch; None before it."""
        ...

    def last_poll_timestamp(self, partition: TopicPartition) -> int | None:
        """When the last fetch was answered; None before it."""
        ...

    async def beginning_offsets(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        """The first offset of each that is kept."""
        ...

    async def end_offsets(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        """The last stable offset of each."""
        ...

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Have the group go on from these. Raises IllegalStateError for a partition that is not assigned."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTopic:
    """A topic to be created. ``config`` has Kafka's names."""

    name: str
    partitions: int
    replication: int = 1
    config: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """The brokers that answer for a cluster: ``host:port`` by broker id, and the controller's id if they name one."""

    brokers: Mapping[int, str]
    controller: int | None


class Admin(Protocol):
    """Looks at topics and groups, and sets topics up."""

    async def start(self) -> None:
        """Connect. Raises KafkaError."""
        ...

    async def close(self) -> None:
        """Disconnect."""
        ...

    async def cluster(self) -> Cluster:
        """The brokers there are now. Asks for nothing else, so it may be asked often. Raises KafkaError."""
        ...

    async def partitions(self, *names: str) -> dict[str, int]:
        """The number of partitions of each of these topics that exists; of all topics where none is named."""
        ...

    async def configs(self, names: Iterable[str]) -> dict[str, dict[str, tuple[str, bool]]]:
        """By topic and setting: the value in force, and whether it was set on the topic itself."""
        ...

    async def create(self, topics: Sequence[NewTopic]) -> None:
        """Create topics, and wait until they can be seen. One that exists already is left as it is.

        Raises InvalidReplicationFactorError, or what else the broker refuses it for.
        """
        ...

    async def alter(self, configs: Mapping[str, Mapping[str, str]]) -> None:
        """Replace everything that is set on these topics, and wait until it is in force."""
        ...

    async def committed(self, group: str, partition: TopicPartition) -> tuple[int, str] | None:
        """The group's committed offset and the text it was committed with; None where there is none."""
        ...


class Broker(Protocol):
    """Makes clients of one broker. None of them is connected before it is started."""

    def transactional(self, transactional_id: str, *, within: timedelta) -> TransactionalProducer:
        """A producer of transactions, each of which ends ``within``, or the broker aborts it."""
        ...

    def publishing(self, *, largest: int) -> Producer:
        """A producer for many records; none is larger than ``largest`` bytes."""
        ...

    def occasional(self, *, largest: int) -> Producer:
        """A producer for a record now and then."""
        ...

    def reader(self, *, from_end: bool = False, fetch: int) -> Consumer:
        """A consumer without a group. It begins at the beginning, or at the end; ``fetch``: bytes of a partition that
        it takes at once."""
        ...

    def member(self, group: str, *, from_end: bool = False) -> Consumer:
        """A member of a group, which begins where the group stopped."""
        ...

    def lasting_member(self, group: str, *, instance: str, client: str) -> Consumer:
        """A member that is known by its ``instance``: started again, it gets its partitions back at once."""
        ...

    def admin(self, client: str | None = None, *, within: timedelta = PATIENCE) -> Admin:
        """Topics and groups; a request that is not answered ``within`` fails."""
        ...
