"""A partition and its owner on the in-memory broker: acquired and lost as a whole, and no failure ends the process."""

from __future__ import annotations

import asyncio
import dataclasses
from datetime import timedelta
from typing import Any

import pytest
from aiokafka.errors import IllegalOperation, KafkaError, ProducerFenced

from streams.avro.codec import Codec
from streams.broker.memory import MemoryBroker
from streams.clock import to_millis
from streams.errors import PartitionLost, Unavailable
from streams.processor.feed import Feed
from streams.processor.partition import Partition
from tests.streams.given import LATE, NOON, contact, prepared
from tests.streams.owning import (
    QUICK,
    TOUCHPOINTS,
    broker_with_topics,
    committed,
    failing,
    handled,
    made,
    publish,
    running,
    taken,
    until,
    worker,
)

ERRORS = (
    ProducerFenced(),
    KafkaError(),
    IllegalOperation("not in a transaction"),  # what aiokafka raises for a send after it was fenced
    AssertionError("Invalid state transition"),  # and of a commit
)
CALLS = ("begin_transaction", "send_batch", "send_offsets_to_transaction", "commit_transaction")


@pytest.fixture(scope="module", name="codec")
async def a_codec() -> Codec:
    """Return a codec that knows every topic."""
    codec, _ = await prepared()
    return codec


@pytest.fixture
async def broker() -> MemoryBroker:
    return await broker_with_topics()


def asked(customer: str, number: int = 0) -> Any:
    """Return a contact of the customer."""
    return contact(event_id=f"event-{customer}-{number}", customer_id=customer, contact_id=f"c-{number}")


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("error", ERRORS, ids=repr)
async def test_a_transaction_that_is_cut_short_is_a_lost_partition(
    broker: MemoryBroker, codec: Codec, call: str, error: Exception
) -> None:
    """Wherever a transaction is fenced or fails, PartitionLost is raised, and nothing of it is committed."""
    await publish(broker, codec, asked("ana"))
    tenure = await taken(await worker(broker, codec))
    tx = await made(tenure)
    broker.before = failing(call, error)
    with pytest.raises(PartitionLost):
        await tenure.commit(tx)
    again = await taken(await worker(broker, codec))
    assert again.position == 0
    assert await committed(broker, "careline.journeys") == []


async def test_a_commit_that_took_although_it_failed_is_not_made_again(broker: MemoryBroker, codec: Codec) -> None:
    """If only the response to a commit is lost, the next owner starts after the committed records."""
    await publish(broker, codec, asked("ana"))
    tenure = await taken(await worker(broker, codec))
    tx = await made(tenure)
    broker.after = failing("commit_transaction", KafkaError())
    with pytest.raises(PartitionLost):
        await tenure.commit(tx)
    again = await taken(await worker(broker, codec))
    assert (again.position, len(again.store)) == (1, 1)


async def test_a_commit_says_what_it_changed(broker: MemoryBroker, codec: Codec) -> None:
    """A commit returns its states, offset and clock; the tenure changes only in ``take_over``."""
    await publish(broker, codec, asked("ana"), asked("ben"))
    tenure = await taken(await worker(broker, codec))
    changes = await tenure.commit(await made(tenure))
    assert set(changes.states) == {"ana", "ben"}
    assert (changes.position, changes.clock.millis) == (2, to_millis(NOON) + 60_000)
    assert (changes.handled, changes.written["careline.journeys"]) == ({"folded": 2}, 2)
    assert (tenure.position, len(tenure.store)) == (0, 0)
    tenure.take_over(changes)
    assert (tenure.position, len(tenure.store)) == (2, 2)


async def test_the_next_owner_knows_what_the_last_one_committed(broker: MemoryBroker, codec: Codec) -> None:
    """The next owner recovers the states, deadlines, offset and partition clock, even after compaction."""
    waits = [LATE, contact(event_id="e2", customer_id="ben")]
    await publish(broker, codec, *waits)
    first = await taken(await worker(broker, codec))
    await handled(first)
    await publish(broker, codec, asked("ana", 2))
    await handled(first)
    broker.compact("careline.journeys")
    second = await taken(await worker(broker, codec))
    assert second.position == first.position == 3
    assert {key: await second.store.get(key) for key in ("ana", "ben")} == {
        key: await first.store.get(key) for key in ("ana", "ben")
    }
    assert second.deadlines.keys() == first.deadlines.keys() == ["ana", "ben"]
    assert second._clock.millis == first._clock.millis


async def test_nothing_is_left_of_a_partition_that_could_not_be_taken(broker: MemoryBroker, codec: Codec) -> None:
    """After a failure at any point of acquiring, the next attempt succeeds with the full state."""
    shared = await worker(broker, codec)
    for number, call in enumerate(("start", "end_offsets", "getmany", "committed")):
        await publish(broker, codec, asked("ana", number))
        await handled(await taken(shared))
        broker.before = failing(call, Unavailable("the broker is away"))
        with pytest.raises(Unavailable):
            await taken(shared)
        assert (await (await taken(shared)).store.get("ana")).touchpoints == number + 1


async def test_the_old_owner_commits_nothing(broker: MemoryBroker, codec: Codec) -> None:
    """A zombie that resumes after another worker acquired its partition cannot commit."""
    await publish(broker, codec, asked("ana"))
    zombie = await taken(await worker(broker, codec))
    late = await made(zombie)
    owner = await taken(await worker(broker, codec))
    await handled(owner)
    seen = await committed(broker, "careline.journeys")
    with pytest.raises(PartitionLost):
        await zombie.commit(late)
    assert await committed(broker, "careline.journeys") == seen
    await publish(broker, codec, asked("ben"))
    await handled(owner)
    assert owner.position == 2


async def test_a_partition_that_is_lost_is_taken_again(broker: MemoryBroker, codec: Codec) -> None:
    """After three failures in a row everything is handled once."""
    shared = await worker(broker, codec)
    async with running(shared) as partition:
        await until(lambda: partition.progress.ready)
        for number, call in enumerate(("send_batch", "commit_transaction", "getmany")):
            broker.before = failing(call, KafkaError(call))
            await publish(broker, codec, asked("ana", number))
            await until(lambda reached=number + 1: partition.progress.position == reached)  # type: ignore[misc]
        assert partition.keeping.broken() is None
    state = await (await taken(shared)).store.get("ana")
    assert state.touchpoints == 3


async def test_a_partition_that_does_not_get_any_further_says_why(broker: MemoryBroker, codec: Codec) -> None:
    """A partition without progress is not ready, with the error; after the limit it counts as stuck, and it recovers by
    itself."""
    limits = dataclasses.replace(QUICK, stuck_after=timedelta(seconds=1))
    shared = await worker(broker, codec, limits=limits)
    await publish(broker, codec, asked("ana"))
    broker.before = failing("send_batch", KafkaError("no room left"), times=1_000_000)
    async with running(shared) as partition:
        await until(lambda: "has not got past offset 0" in str(partition.keeping.broken()))
        assert "no room left" in str(partition.keeping.waiting_for())
        broker.before = lambda _: None
        await until(lambda: partition.progress.position == 1 and partition.keeping.waiting_for() is None)
        assert partition.keeping.broken() is None


async def test_a_cancellation_is_not_lost_while_reading_ends(broker: MemoryBroker, codec: Codec) -> None:
    """A cancellation that arrives while the feed stops still cancels the task."""
    shared = await worker(broker, codec)
    feed = Feed(
        consumer=shared.consumer, tp=TOUCHPOINTS, batch=10, news=asyncio.Event(), waits=lambda records, oldest: None
    )
    feed.start(0)
    for _ in range(5):
        await asyncio.sleep(0)
    stopping = asyncio.create_task(feed.stop())
    await asyncio.sleep(0)
    stopping.cancel()
    await asyncio.wait({stopping}, timeout=5)
    assert stopping.cancelled()


@pytest.mark.parametrize("turns", range(4))
async def test_a_cancelled_partition_ends(broker: MemoryBroker, codec: Codec, turns: int) -> None:
    """Also when it is cancelled in the moment in which it hears of records: the worker lets go of it in time."""
    partition = Partition(0, shared=await worker(broker, codec))
    task = asyncio.create_task(partition.run())
    await until(lambda: partition.progress.ready)
    await asyncio.sleep(0.01)
    partition._news.set()
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task}, timeout=5)
    partition.let_go()
    assert task.cancelled()


async def test_who_is_told_to_finish_commits_and_ends(broker: MemoryBroker, codec: Codec) -> None:
    """On ``finish``, as for a rebalance or a stop, taken records are committed and the partition ends."""
    shared = await worker(broker, codec)
    await publish(broker, codec, *(asked("ana", number) for number in range(5)))
    async with running(shared) as partition:
        await until(lambda: partition.progress.position == 5)
    assert not partition.progress.ready
    assert await shared.admin.committed(shared.group, TOUCHPOINTS) == (5, str(to_millis(NOON) + 4 * 60_000))
