"""The intake turns a record into an event, a dead letter with a reason, or an event for another partition."""

from __future__ import annotations

from typing import Any

import pytest
from aiokafka.partitioner import murmur2

from processors.playbook import load_playbook
from processors.roles.journeys import JourneyLogic
from streams.avro.codec import Codec
from streams.errors import PartitionStopped, Unreadable
from streams.processor import Incoming
from streams.processor.intake import Intake, Misplaced, partition_of
from streams.publishing.cloudevents import PUBLISHED_AT, published_at_millis
from streams.topics import MAX_EVENT_BYTES
from tests.streams.given import NOON, OPENED, TOPICS, contact, prepared, record

JAVA = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}
"""murmur2 hashes from Kafka's own Java tests."""


@pytest.mark.parametrize(("key", "java"), JAVA.items())
def test_the_hash_is_the_java_clients(key: bytes, java: int) -> None:
    """The partition of a key is the one that every Java producer chooses."""
    assert murmur2(key) & 0xFFFFFFFF == java & 0xFFFFFFFF
    for partitions in (1, 4, 7, 64):
        assert partition_of(key, partitions) == (java & 0x7FFFFFFF) % partitions


async def intake(
    *, partition: int = 0, partitions: int = 1, window: int = 10, share: float = 0.5
) -> tuple[Intake, Codec]:
    """Return the intake of the journeys role, and its codec."""
    codec, _ = await prepared()
    logic = JourneyLogic(topics=TOPICS, playbook=load_playbook())
    made = Intake(logic=logic, codec=codec, partition=partition, partitions=partitions, window=window, share=share)
    return made, codec


async def refused(value: bytes | None) -> Unreadable:
    """Return the error for a value that is no event."""
    way_in, _ = await intake()
    with pytest.raises(Unreadable) as caught:
        await way_in.read(record(value), NOON)
    return caught.value


async def test_an_event_comes_in() -> None:
    """An event is returned with its encoded form and its headers."""
    way_in, codec = await intake()
    value = codec.encode(TOPICS.touchpoints, OPENED)
    incoming = await way_in.read(record(value, headers=[("ce_id", b"1")]), NOON)
    assert incoming == Incoming(record=OPENED, value=value, headers=(("ce_id", b"1"),))


async def test_a_publisher_that_sets_no_header_is_measured_by_the_brokers_time() -> None:
    """Without a header the broker's time counts as the time of publishing, except in event time."""
    codec, _ = await prepared()
    logic = JourneyLogic(topics=TOPICS, playbook=load_playbook())
    value = codec.encode(TOPICS.touchpoints, OPENED)
    seen = []
    for broker_time, headers in [
        (True, ()),
        (True, ((PUBLISHED_AT, b"5"),)),
        (True, ((PUBLISHED_AT, b"soon"),)),
        (False, ()),
    ]:
        way_in = Intake(
            logic=logic, codec=codec, partition=0, partitions=1, window=10, share=0.5, broker_time=broker_time
        )
        incoming = await way_in.read(record(value, headers=headers), NOON)
        assert isinstance(incoming, Incoming)
        seen.append(published_at_millis(incoming.headers))
    assert seen == [1_770_638_400_000, 5, 1_770_638_400_000, None]


class TestDeadLetters:
    async def test_too_large(self) -> None:
        """A value of two megabytes is rejected without decoding it."""
        assert (await refused(b"\x00" * (2 * MAX_EVENT_BYTES))).reason == "too_large"

    async def test_a_tombstone(self) -> None:
        """A null value is a dead letter."""
        assert (await refused(None)).reason == "tombstone"

    async def test_garbage(self) -> None:
        """Bytes that are not Avro are a dead letter."""
        assert (await refused(b"garbage")).reason == "not_avro"

    async def test_a_record_of_another_topic(self) -> None:
        """A record of another topic is a dead letter that names its type."""
        from processors.journey.state import begin

        _, codec = await intake()
        why = await refused(codec.encode(TOPICS.journeys, begin("ana", NOON)))
        assert why.reason == "wrong_topic"
        assert "careline.journey.JourneyState" in why.detail

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"customer_id": ""}, "invalid_customer_id"),
            ({"event_id": ""}, "invalid_event_id"),
            ({"occurred_at": NOON.replace(year=1970)}, "invalid_occurred_at"),
            ({"occurred_at": NOON.replace(year=2999)}, "invalid_occurred_at"),
        ],
    )
    async def test_an_event_that_cannot_be_true(self, changes: dict[str, Any], reason: str) -> None:
        """An event of 1970, of the far future, or without a customer is a dead letter that names the field."""
        _, codec = await intake()
        assert (await refused(codec.encode(TOPICS.touchpoints, contact(**changes)))).reason == reason


class TestMisplaced:
    async def test_goes_to_its_customers_partition(self) -> None:
        """An event on another partition than its customer's is returned with the right partition."""
        home = partition_of(b"ana", 4)
        for partition in range(4):
            way_in, codec = await intake(partition=partition, partitions=4)
            found = await way_in.read(record(codec.encode(TOPICS.touchpoints, OPENED), partition=partition), NOON)
            assert isinstance(found, Incoming) is (partition == home)
            assert found == Misplaced("ana", home) or partition == home

    async def test_the_customer_counts_and_not_the_records_key(self) -> None:
        """The customer decides the partition, not the record's key."""
        for key in (None, b"bea"):
            way_in, codec = await intake(partition=partition_of(b"ana", 4), partitions=4)
            found = await way_in.read(record(codec.encode(TOPICS.touchpoints, OPENED), key=key), NOON)
            assert isinstance(found, Incoming)


class TestWindow:
    async def test_a_few_bad_records_do_not_stop_anybody(self) -> None:
        """Up to half of the window may be unreadable."""
        way_in, codec = await intake(window=10)
        good = codec.encode(TOPICS.touchpoints, OPENED)
        for _ in range(20):
            await way_in.read(record(good), NOON)
            with pytest.raises(Unreadable):
                await way_in.read(record(b"garbage"), NOON)

    async def test_when_most_cannot_be_read_it_stops_and_says_so(self) -> None:
        """If most records are unreadable the partition stops, and the error says where and why."""
        way_in, _ = await intake(window=10)
        for offset in range(5):
            with pytest.raises(Unreadable):
                await way_in.read(record(b"garbage", offset=offset), NOON)
        with pytest.raises(PartitionStopped) as caught:
            await way_in.read(record(b"garbage", offset=5), NOON)
        assert "6 of the latest 6 records of careline.touchpoints[0] up to offset 5" in str(caught.value)
        assert "not_avro" in str(caught.value)

    async def test_what_was_long_ago_is_forgotten(self) -> None:
        """Unreadable records that have left the window do not count."""
        way_in, codec = await intake(window=10)
        good = codec.encode(TOPICS.touchpoints, OPENED)
        for _ in range(3):
            for _ in range(5):
                with pytest.raises(Unreadable):
                    await way_in.read(record(b"garbage"), NOON)
            for _ in range(10):
                await way_in.read(record(good), NOON)
