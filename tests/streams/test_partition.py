"""A transaction that cannot be carried on costs the partition its memory, never the process."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiokafka.errors import IllegalOperation, KafkaError, ProducerFenced

from processors.playbook import load_playbook
from processors.roles.journeys import JourneyLogic
from streams.avro.codec import Codec
from streams.clock import PartitionClock, SystemClock
from streams.config import Settings
from streams.errors import PartitionLost
from streams.processor import Limits
from streams.processor.partition import Partition
from streams.processor.store import Overlay, Store
from streams.processor.transaction import Outgoing, Transaction
from tests.streams.given import TOPICS, prepared


class Producer:
    """A producer that lets nothing more be sent once it was fenced, which it learns between two sends."""

    def __init__(self, *, fails_at: str, error: Exception) -> None:
        self._fails_at, self._error = fails_at, error

    async def begin_transaction(self) -> None:
        """A transaction begins."""
        await self._at("begin_transaction")

    def create_batch(self) -> Any:
        """Takes everything."""
        return Batch()

    async def send_batch(self, batch: Any, topic: str, *, partition: int) -> asyncio.Future[None]:
        """On its way."""
        await self._at("send_batch")
        sent: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        sent.set_result(None)
        return sent

    async def send_offsets_to_transaction(self, offsets: Any, group: str) -> None:
        """How far it came."""
        await self._at("send_offsets_to_transaction")

    async def commit_transaction(self) -> None:
        """All of it is true."""
        await self._at("commit_transaction")

    async def _at(self, call: str) -> None:
        if call == self._fails_at:
            raise self._error


class Batch:
    """Counts what it is given."""

    def __init__(self) -> None:
        self._count = 0

    def record_count(self) -> int:
        """So many."""
        return self._count

    def size(self) -> int:
        """Nearly nothing."""
        return 0

    def append(self, **record: Any) -> object:
        """One more."""
        self._count += 1
        return record


ERRORS = (
    ProducerFenced(),
    KafkaError(),
    IllegalOperation("not in a transaction"),  # what aiokafka says of a send after it was fenced
    AssertionError("Invalid state transition"),  # and of a commit
)
CALLS = ("begin_transaction", "send_batch", "send_offsets_to_transaction", "commit_transaction")


@pytest.fixture(scope="module", name="codec")
async def a_codec() -> Codec:
    """Knows every topic."""
    codec, _ = await prepared()
    return codec


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("error", ERRORS, ids=repr)
async def test_a_transaction_that_is_cut_short_is_a_lost_partition(codec: Codec, call: str, error: Exception) -> None:
    """Fenced before, between or after its sends: the partition is taken afresh, and the worker's others go on."""
    logic = JourneyLogic(topics=TOPICS, playbook=load_playbook())
    nobody: Any = None
    partition = Partition(
        0, settings=Settings(), role="journeys", group="journeys", logic=logic, performer=None, codec=codec,
        consumer=nobody, admin=nobody, partitions=4, clock=SystemClock(), limits=Limits(),
        concurrency=asyncio.Semaphore(1),
    )  # fmt: skip
    partition._producer = Producer(fails_at=call, error=error)
    partition._store = Store(codec=codec, topic=TOPICS.journeys, cache_size=1)
    tx: Transaction[Any] = Transaction(overlay=Overlay(partition._store), clock=PartitionClock(), position=1)
    tx.outgoing["careline.decisions", 0].append(Outgoing(b"ana", b"a decision", 0, []))
    with pytest.raises(PartitionLost):
        await partition._commit(tx)
