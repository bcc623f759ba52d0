"""What only the in-memory broker does: on request, what Kafka does in the background."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiokafka.errors import KafkaError, ProducerFenced

from streams.broker.contract import NewTopic, TopicPartition
from streams.broker.memory import MemoryBroker
from streams.clock import ManualClock, to_millis
from tests.streams.owning import committed

NOW = datetime(2026, 2, 9, 12, 0, tzinfo=UTC)
STATES = TopicPartition("states", 0)


@pytest.fixture
async def broker() -> MemoryBroker:
    """Return a broker with a topic, whose clock stands still."""
    made = MemoryBroker(clock=ManualClock(NOW))
    await made.admin().create([NewTopic(name="states", partitions=1, config={"cleanup.policy": "compact"})])
    return made


async def put(broker: MemoryBroker, *records: tuple[bytes, bytes | None], abort: bool = False) -> None:
    """Write these keys and values in a transaction."""
    producer = broker.transactional("owner", within=timedelta(seconds=10))
    await producer.start()
    await producer.begin_transaction()
    batch = producer.create_batch()
    for key, value in records:
        batch.append(timestamp=to_millis(NOW), key=key, value=value, headers=[])
    await (await producer.send_batch(batch, "states", partition=0))
    if abort:
        broker.fence("owner")
    else:
        await producer.commit_transaction()


async def shown(broker: MemoryBroker) -> list[tuple[int, bytes, bytes | None]]:
    """Return the records that a reader sees."""
    return [(record.offset, record.key, record.value) for record in await committed(broker, "states")]


async def test_compaction_keeps_the_latest_of_each_key(broker: MemoryBroker) -> None:
    """Compaction keeps offsets and the latest record of each key, and drops aborted records; tombstones go last."""
    await put(broker, (b"a", b"1"), (b"b", b"1"))
    await put(broker, (b"a", b"aborted"), abort=True)
    await put(broker, (b"a", b"2"), (b"b", None))
    before = broker.log(STATES).end
    broker.compact("states")
    assert await shown(broker) == [(5, b"a", b"2"), (6, b"b", None)]
    broker.compact("states", tombstones=False)
    assert await shown(broker) == [(5, b"a", b"2")]
    assert broker.log(STATES).end == before
    await put(broker, (b"c", b"1"))
    assert (await shown(broker))[-1] == (before, b"c", b"1")


async def test_compaction_touches_nothing_that_is_open(broker: MemoryBroker) -> None:
    """Records of an open transaction do not replace committed ones in a compaction."""
    await put(broker, (b"a", b"1"))
    producer = broker.transactional("another", within=timedelta(seconds=10))
    await producer.start()
    await producer.begin_transaction()
    batch = producer.create_batch()
    batch.append(timestamp=to_millis(NOW), key=b"a", value=b"2", headers=[])
    await (await producer.send_batch(batch, "states", partition=0))
    broker.compact("states")
    assert await shown(broker) == [(0, b"a", b"1")]
    await producer.commit_transaction()
    assert [value for _, _, value in await shown(broker)] == [b"1", b"2"]


async def test_a_reader_passes_over_what_was_compacted(broker: MemoryBroker) -> None:
    """A reader skips gaps; a position before the beginning moves to the beginning."""
    for value in (b"1", b"2", b"3"):
        await put(broker, (b"a", value))
    reader = broker.reader(fetch=1 << 20)
    await reader.start()
    reader.assign([STATES])
    broker.compact("states")
    reader.seek(STATES, 1)
    assert [record.value for record in (await reader.getmany(STATES))[STATES]] == [b"3"]
    broker.delete_before(STATES, 6)
    assert await reader.beginning_offsets([STATES]) == {STATES: 6}
    reader.seek(STATES, 0)
    assert await reader.position(STATES) == 6


async def test_a_transaction_that_lasts_too_long_is_aborted(broker: MemoryBroker) -> None:
    """A transaction that times out is aborted and its producer fenced."""
    producer = broker.transactional("owner", within=timedelta(seconds=10))
    await producer.start()
    await producer.begin_transaction()
    batch = producer.create_batch()
    batch.append(timestamp=to_millis(NOW), key=b"a", value=b"1", headers=[])
    await (await producer.send_batch(batch, "states", partition=0))
    broker.fence("owner")
    with pytest.raises(ProducerFenced):
        await producer.commit_transaction()
    assert await shown(broker) == []


async def test_a_session_that_ends_gives_its_partitions_to_others(broker: MemoryBroker) -> None:
    """The partitions of a stopped static member are reassigned when its session expires."""
    await broker.admin().create([NewTopic(name="input", partitions=2)])
    members = [broker.lasting_member("group", instance=name, client="test") for name in ("one", "two")]
    for member in members:
        member.subscribe(["input"])
        await member.start()
    assert [len(member.assignment()) for member in members] == [1, 1]
    await members[0].stop()
    assert len(members[1].assignment()) == 1
    await broker.expire_sessions("group")
    assert len(members[1].assignment()) == 2


async def test_a_topic_that_comes_later_is_dealt_out(broker: MemoryBroker) -> None:
    """A running member may subscribe to a topic before it exists; one that starts with such a subscription fails."""
    member = broker.member("group")
    await member.start()
    member.subscribe(["later"])
    await member.getmany(timeout_ms=1)
    assert member.assignment() == set()
    await broker.admin().create([NewTopic(name="later", partitions=1)])
    async with asyncio.timeout(5):
        while not member.assignment():  # noqa: ASYNC110
            await asyncio.sleep(0)
    assert member.assignment() == {TopicPartition("later", 0)}
    hasty = broker.member("group")
    hasty.subscribe(["never"])
    with pytest.raises(KafkaError):
        await hasty.start()


async def test_times_are_those_of_its_clock(broker: MemoryBroker) -> None:
    """Records without a timestamp, and fetches, have the time of the broker's clock."""
    producer = broker.occasional(largest=1 << 20)
    await producer.start()
    await producer.send_and_wait("states", key=b"a", value=b"1")
    reader: Any = broker.reader(fetch=1 << 20)
    await reader.start()
    reader.assign([STATES])
    [record] = (await reader.getmany())[STATES]
    assert record.timestamp == reader.last_poll_timestamp(STATES) == to_millis(NOW)


def test_a_forgotten_name_is_an_empty_broker() -> None:
    """A name stands for the same broker until it is forgotten."""
    one = MemoryBroker.named("forgotten")
    assert MemoryBroker.named("forgotten") is one
    MemoryBroker.forget("forgotten")
    assert MemoryBroker.named("forgotten") is not one
    MemoryBroker.forget("forgotten")
