"""What every broker does, Kafka and its twin in memory alike."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import pytest
from aiokafka.errors import (
    GroupCoordinatorNotAvailableError,
    IllegalOperation,
    IllegalStateError,
    InvalidTimestampError,
    KafkaError,
    MessageSizeTooLargeError,
)

from streams.broker.contract import Broker, Consumer, ConsumerRebalanceListener, NewTopic, TopicPartition
from streams.processor.intake import partition_of

FENCED = (KafkaError, IllegalOperation, AssertionError)
SOON = timedelta(seconds=10)
FETCH = 1 << 20
NOW = int(time.time() * 1000)


@pytest.fixture
async def opened() -> AsyncIterator[Callable[[Any], Any]]:
    """Starts a client, and stops it when the test is over."""
    async with AsyncExitStack() as stack:

        async def start(client: Any) -> Any:
            stack.push_async_callback(client.stop if hasattr(client, "stop") else client.close)
            await client.start()
            return client

        yield start


@pytest.fixture
async def admin(broker: Broker, opened: Callable[[Any], Any]) -> Any:
    return await opened(broker.admin())


@pytest.fixture
async def topic(admin: Any) -> str:
    """A topic of three partitions."""
    name = f"contract-{uuid.uuid4()}"
    await admin.create([NewTopic(name=name, partitions=3, config={"max.message.bytes": "100000"})])
    return name


@pytest.fixture
def owner(broker: Broker, opened: Callable[[Any], Any]) -> Callable[[str], Any]:
    """Makes an owner of a transactional id."""

    async def owner_of(name: str) -> Any:
        return await opened(broker.transactional(name, within=SOON))

    return owner_of


async def send(producer: Any, topic: str, *values: bytes, partition: int = 0) -> list[asyncio.Future[Any]]:
    """A batch in the producer's transaction."""
    batch = producer.create_batch()
    for value in values:
        assert batch.append(timestamp=NOW, key=b"k", value=value, headers=[("h", b"1")]) is not None
    assert batch.record_count() == len(values)
    return [await producer.send_batch(batch, topic, partition=partition)]


async def commit(producer: Any, topic: str, *values: bytes, partition: int = 0) -> None:
    """A whole transaction."""
    await producer.begin_transaction()
    await finish(producer, topic, *values, partition=partition)


async def finish(producer: Any, topic: str, *values: bytes, partition: int = 0) -> None:
    """One batch more, and the commit."""
    await asyncio.gather(*await send(producer, topic, *values, partition=partition))
    await producer.commit_transaction()


async def read(consumer: Consumer, tp: TopicPartition, *, until: int) -> list[Any]:
    """The records up to a position."""
    found: list[Any] = []
    async with asyncio.timeout(30):
        while await consumer.position(tp) < until:
            for records in (await consumer.getmany(tp, timeout_ms=100)).values():
                found += records
    return found


async def reader(broker: Broker, opened: Callable[[Any], Any], *tps: TopicPartition) -> Any:
    """A consumer of these partitions, at their beginning."""
    consumer = await opened(broker.reader(fetch=FETCH))
    consumer.assign(list(tps))
    await consumer.seek_to_beginning(*tps)
    return consumer


async def values(broker: Broker, opened: Callable[[Any], Any], tp: TopicPartition) -> list[bytes]:
    """All that is committed."""
    consumer = await reader(broker, opened, tp)
    end = (await consumer.end_offsets([tp]))[tp]
    return [record.value for record in await read(consumer, tp, until=end)]


async def test_a_record_comes_back_as_it_was_sent(broker: Broker, opened: Callable[[Any], Any], topic: str) -> None:
    """Key, value, headers and time; on the partition that its key has with every client of Kafka."""
    producer = await opened(broker.publishing(largest=1 << 20))
    sent = await producer.send_and_wait(
        topic, key="änna".encode(), value=b"v", timestamp_ms=NOW - 5, headers=[("a", b"1"), ("a", b"")]
    )
    tp = TopicPartition(topic, partition_of("änna".encode(), 3))
    assert (sent.topic, sent.partition, sent.offset) == (topic, tp.partition, 0)
    [record] = await read(await reader(broker, opened, tp), tp, until=1)
    assert (record.topic, record.partition, record.offset) == (*tp, 0)
    assert (record.key, record.value, record.timestamp) == ("änna".encode(), b"v", NOW - 5)
    assert record.headers == (("a", b"1"), ("a", b""))
    assert (record.timestamp_type, record.serialized_key_size, record.serialized_value_size) == (0, 5, 1)


async def test_a_tombstone_comes_back(broker: Broker, opened: Callable[[Any], Any], topic: str) -> None:
    """A record without a value is not one with an empty value; without a time, it has the present."""
    producer = await opened(broker.occasional(largest=1 << 20))
    for value in (None, b""):
        await producer.send_and_wait(topic, key=b"k", value=value, partition=1)
    tp = TopicPartition(topic, 1)
    found = await read(await reader(broker, opened, tp), tp, until=2)
    assert [record.value for record in found] == [None, b""]
    assert all(abs(record.timestamp - time.time() * 1000) < 60_000 for record in found)


async def test_a_record_beyond_the_producers_limit_is_refused_at_once(
    broker: Broker, opened: Callable[[Any], Any], topic: str
) -> None:
    """Before anything is sent."""
    producer = await opened(broker.publishing(largest=50_000))
    with pytest.raises(MessageSizeTooLargeError):
        await producer.send(topic, key=b"k", value=bytes(60_000))


async def test_a_record_beyond_the_topics_limit_is_refused_by_the_broker(
    broker: Broker, opened: Callable[[Any], Any], topic: str
) -> None:
    """The topic takes 100,000 bytes, as they are on the wire: what packs well is taken."""
    noise = bytes(byte for number in range(4_000) for byte in uuid.uuid5(uuid.NAMESPACE_OID, str(number)).bytes) * 2
    plain = await opened(broker.occasional(largest=1 << 20))
    with pytest.raises(MessageSizeTooLargeError):
        await plain.send_and_wait(topic, key=b"k", value=noise)
    with pytest.raises(MessageSizeTooLargeError):
        await plain.send_and_wait(topic, key=b"k", value=bytes(120_000))
    packing = await opened(broker.publishing(largest=1 << 20))
    assert (await packing.send_and_wait(topic, key=b"k", value=bytes(120_000), partition=2)).offset == 0


async def test_a_record_from_the_future_is_refused(broker: Broker, opened: Callable[[Any], Any], topic: str) -> None:
    """More than an hour ahead of the broker's clock."""
    producer = await opened(broker.occasional(largest=1 << 20))
    with pytest.raises(InvalidTimestampError):
        await producer.send_and_wait(topic, key=b"k", value=b"v", timestamp_ms=NOW + 2 * 3_600_000)
    await producer.send_and_wait(topic, key=b"k", value=b"v", timestamp_ms=0, partition=0)


async def test_a_transaction_is_seen_once_it_is_committed(
    broker: Broker, opened: Callable[[Any], Any], owner: Callable[[str], Any], topic: str
) -> None:
    """All of it on every partition, and none of it before. Its end takes an offset that nobody sees."""
    tp = TopicPartition(topic, 0)
    producer = await owner(f"{topic}-a")
    consumer = await reader(broker, opened, tp)
    await producer.begin_transaction()
    await asyncio.gather(*await send(producer, topic, b"one", b"two"))
    await asyncio.gather(*await send(producer, topic, b"other", partition=1))
    assert await consumer.getmany(tp, timeout_ms=300) == {}
    assert (await consumer.end_offsets([tp]))[tp] == 0
    async with asyncio.timeout(20):
        while consumer.highwater(tp) != 2:
            await consumer.getmany(tp, timeout_ms=100)
    assert consumer.last_stable_offset(tp) == 0
    assert abs(consumer.last_poll_timestamp(tp) - time.time() * 1000) < 60_000
    await producer.commit_transaction()
    found = await read(consumer, tp, until=3)
    assert [(record.offset, record.value) for record in found] == [(0, b"one"), (1, b"two")]
    assert (await consumer.end_offsets([tp]))[tp] == 3
    assert await values(broker, opened, TopicPartition(topic, 1)) == [b"other"]
    await commit(producer, topic, b"three")
    [record] = await read(consumer, tp, until=5)
    assert record.offset == 3


async def test_what_follows_an_open_transaction_waits_for_its_end(
    broker: Broker, opened: Callable[[Any], Any], owner: Callable[[str], Any], topic: str
) -> None:
    """Readers see records in the order of their offsets: up to the last stable offset."""
    tp = TopicPartition(topic, 0)
    transactional, plain = await owner(f"{topic}-a"), await opened(broker.occasional(largest=1 << 20))
    await transactional.begin_transaction()
    await asyncio.gather(*await send(transactional, topic, b"first"))
    await plain.send_and_wait(topic, key=b"k", value=b"second", partition=0)
    assert await values(broker, opened, tp) == []
    await transactional.commit_transaction()
    assert await values(broker, opened, tp) == [b"first", b"second"]


async def test_who_takes_a_transactional_id_aborts_what_was_left_open(
    broker: Broker, opened: Callable[[Any], Any], owner: Callable[[str], Any], topic: str
) -> None:
    """Nobody ever sees it; readers' positions pass it, and what comes after it is seen."""
    tp = TopicPartition(topic, 0)
    first = await owner(f"{topic}-a")
    await commit(first, topic, b"before")
    await first.begin_transaction()
    await asyncio.gather(*await send(first, topic, b"lost", b"lost too"))
    second = await owner(f"{topic}-a")
    consumer = await reader(broker, opened, tp)
    end = (await consumer.end_offsets([tp]))[tp]
    assert end == 5, "one record, its end, two records, their end"
    assert [record.value for record in await read(consumer, tp, until=end)] == [b"before"]
    await commit(second, topic, b"after")
    assert [record.value for record in await read(consumer, tp, until=7)] == [b"after"]


@pytest.mark.parametrize("sent_before", [True, False])
async def test_a_fenced_owner_commits_nothing(
    broker: Broker, opened: Callable[[Any], Any], owner: Callable[[str], Any], topic: str, sent_before: bool
) -> None:
    """Whenever somebody else takes its id, the transaction fails at the latest when it is committed."""
    first = await owner(f"{topic}-a")
    await first.begin_transaction()
    if sent_before:
        await asyncio.gather(*await send(first, topic, b"zombie"))
    second = await owner(f"{topic}-a")
    await commit(second, topic, b"ours")
    with pytest.raises(FENCED):
        await finish(first, topic, b"zombie")
    with pytest.raises(FENCED):
        await commit(first, topic, b"zombie")
    await commit(second, topic, b"ours too")
    assert await values(broker, opened, TopicPartition(topic, 0)) == [b"ours", b"ours too"]


async def committed(admin: Any, group: str, tp: TopicPartition) -> tuple[int, str] | None:
    """The group's offset; a broker that has never had a group takes a moment to have one."""
    async with asyncio.timeout(30):
        while True:
            try:
                found: tuple[int, str] | None = await admin.committed(group, tp)
            except GroupCoordinatorNotAvailableError:
                await asyncio.sleep(0.1)
            else:
                return found


async def test_offsets_are_committed_with_their_transaction(
    owner: Callable[[str], Any], admin: Any, topic: str
) -> None:
    """With their text, and not before; those of an aborted transaction never."""
    tp, group = TopicPartition(topic, 0), f"{topic}-group"
    producer = await owner(f"{topic}-a")
    assert await committed(admin, group, tp) is None
    await producer.begin_transaction()
    await producer.send_offsets_to_transaction({tp: (7, "1770638400000")}, group)
    assert await committed(admin, group, tp) is None
    await producer.commit_transaction()
    assert await committed(admin, group, tp) == (7, "1770638400000")
    await producer.begin_transaction()
    await producer.send_offsets_to_transaction({tp: (8, "")}, group)
    await (await owner(f"{topic}-a")).begin_transaction()
    assert await committed(admin, group, tp) == (7, "1770638400000")
    with pytest.raises(FENCED):
        await producer.commit_transaction()


async def test_a_refused_batch_fails_by_itself(
    broker: Broker, opened: Callable[[Any], Any], owner: Callable[[str], Any], topic: str
) -> None:
    """Whoever does not wait for its future commits the rest: so every send has to be waited for."""
    noise = bytes(byte for number in range(8_000) for byte in uuid.uuid5(uuid.NAMESPACE_OID, str(number)).bytes)
    producer = await owner(f"{topic}-a")
    await producer.begin_transaction()
    [refused] = await send(producer, topic, noise)
    [taken] = await send(producer, topic, b"small", partition=1)
    with pytest.raises(MessageSizeTooLargeError):
        await refused
    await taken
    await producer.commit_transaction()
    assert await values(broker, opened, TopicPartition(topic, 0)) == []
    assert await values(broker, opened, TopicPartition(topic, 1)) == [b"small"]


async def test_outside_of_a_transaction_nothing_is_sent(owner: Callable[[str], Any], topic: str) -> None:
    """Neither before it begins nor after it ended."""
    producer = await owner(f"{topic}-a")
    for _ in range(2):
        with pytest.raises(IllegalOperation):
            await send(producer, topic, b"v")
        with pytest.raises(IllegalOperation):
            await producer.send_offsets_to_transaction({TopicPartition(topic, 0): (1, "")}, "group")
        with pytest.raises(AssertionError):
            await producer.commit_transaction()
        await commit(producer, topic, b"v")


async def test_a_cluster_names_its_brokers(admin: Any) -> None:
    """One of them is the controller; whoever asks gets the addresses of all."""
    cluster = await admin.cluster()
    assert cluster.brokers
    assert all(cluster.brokers.values())
    assert cluster.controller in cluster.brokers


async def test_an_endless_batch_is_full(owner: Callable[[str], Any]) -> None:
    """It takes a dead letter of 8 MiB and no second one."""
    producer = await owner(f"{uuid.uuid4()}")
    batch = producer.create_batch()
    large: dict[str, Any] = {"timestamp": NOW, "key": b"k", "value": bytes(8 << 20), "headers": []}
    assert batch.append(**large) is not None
    assert batch.append(**large) is None
    assert batch.record_count() == 1


async def test_a_consumer_goes_on_from_where_it_is_told(
    broker: Broker, opened: Callable[[Any], Any], topic: str
) -> None:
    """By offset, from the end, and never more at once than asked for."""
    producer = await opened(broker.occasional(largest=1 << 20))
    for number in range(5):
        await producer.send_and_wait(topic, key=b"k", value=b"%d" % number, partition=0)
    tp = TopicPartition(topic, 0)
    consumer = await reader(broker, opened, tp)
    consumer.seek(tp, 3)
    assert [record.value for record in await read(consumer, tp, until=5)] == [b"3", b"4"]
    consumer.seek(tp, 1)
    found = {}
    async with asyncio.timeout(20):
        while not found:
            found = await consumer.getmany(tp, timeout_ms=100, max_records=2)
    assert [record.value for record in found[tp]] == [b"1", b"2"]
    assert await consumer.position(tp) == 3
    assert await consumer.beginning_offsets([tp]) == {tp: 0}
    latest = await opened(broker.reader(from_end=True, fetch=FETCH))
    latest.assign([tp])
    assert await latest.position(tp) == 5
    assert await consumer.partitions_of(topic) == {0, 1, 2}
    with pytest.raises(IllegalStateError):
        consumer.seek(TopicPartition(topic, 1), 0)


class Told(ConsumerRebalanceListener):
    """What a member was told."""

    def __init__(self) -> None:
        self.owned: set[int] = set()
        self.told: list[str] = []

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        self.owned -= {tp.partition for tp in revoked}
        self.told.append("revoked")

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        self.owned |= {tp.partition for tp in assigned}
        self.told.append("assigned")


async def lasting(broker: Broker, opened: Callable[[Any], Any], topic: str, instance: str) -> tuple[Any, Told]:
    """A member of the topic's group that is known by its instance."""
    consumer, told = broker.lasting_member(f"{topic}-group", instance=f"{topic}-{instance}", client="test"), Told()
    consumer.subscribe([topic], listener=told)
    return await opened(consumer), told


async def owned(*members: tuple[Any, Told]) -> list[set[int]]:
    """What each owns, once together they own everything."""
    async with asyncio.timeout(40):
        while sorted(one for _, told in members for one in told.owned) != [0, 1, 2]:
            for consumer, _ in members:
                await consumer.getmany(timeout_ms=20)
    return [told.owned for _, told in members]


async def test_members_share_the_partitions(broker: Broker, opened: Callable[[Any], Any], topic: str) -> None:
    """Each partition has one owner; who has to share is told before it loses any."""
    first = await lasting(broker, opened, topic, "a")
    assert await owned(first) == [{0, 1, 2}]
    second = await lasting(broker, opened, topic, "b")
    shares = await owned(first, second)
    assert all(shares)
    assert first[1].told[-2:] == ["revoked", "assigned"]
    assert {tp.partition for tp in first[0].assignment()} == first[1].owned


async def test_a_lasting_member_gets_its_partitions_back(
    broker: Broker, opened: Callable[[Any], Any], topic: str
) -> None:
    """A worker that is started again takes up its own partitions; the others are not disturbed."""
    first, second = await lasting(broker, opened, topic, "a"), await lasting(broker, opened, topic, "b")
    before, _ = await owned(first, second)
    told = list(second[1].told)
    await first[0].stop()
    again = await lasting(broker, opened, topic, "a")
    assert await owned(again, second) == [before, second[1].owned]
    assert second[1].told == told


async def test_a_group_goes_on_where_it_stopped(broker: Broker, opened: Callable[[Any], Any], topic: str) -> None:
    """What is committed is not read again, by whomever; nobody commits for a partition it does not have."""
    producer = await opened(broker.occasional(largest=1 << 20))
    for number in range(3):
        await producer.send_and_wait(topic, key=b"k", value=b"%d" % number, partition=0)
    tp, group = TopicPartition(topic, 0), f"{topic}-group"

    async def first_read(member: Any) -> bytes:
        member.subscribe([topic])
        async with asyncio.timeout(40):
            while not (found := await member.getmany(timeout_ms=100, max_records=1)):
                pass
        value: bytes = found[tp][0].value
        return value

    member = await opened(broker.member(group))
    assert await first_read(member) == b"0"
    await member.commit({tp: 1})
    with pytest.raises(IllegalStateError):
        await member.commit({TopicPartition("another", 0): 1})
    await member.stop()
    assert await first_read(await opened(broker.member(group))) == b"1"
    with pytest.raises(IllegalOperation):
        await (await reader(broker, opened, tp)).commit({tp: 1})


async def test_topics_are_created_and_changed(admin: Any, topic: str) -> None:
    """Creating one twice leaves it as it is; a change replaces what was set."""
    assert (await admin.partitions())[topic] == 3
    assert await admin.partitions(topic, f"{topic}-none") == {topic: 3}
    found = (await admin.configs([topic]))[topic]
    assert found["max.message.bytes"] == ("100000", True)
    assert found["cleanup.policy"] == ("delete", False)
    await admin.create([NewTopic(name=topic, partitions=5)])
    assert await admin.partitions(topic) == {topic: 3}
    await admin.alter({topic: {"cleanup.policy": "compact"}})
    found = (await admin.configs([topic]))[topic]
    assert found["cleanup.policy"] == ("compact", True)
    assert found["max.message.bytes"][1] is False
