"""The way in: an event, a dead letter with a reason, or a customer of another partition."""

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
"""murmur2 as Kafka's own Java tests have it."""


@pytest.mark.parametrize(("key", "java"), JAVA.items())
def test_the_hash_is_the_java_clients(key: bytes, java: int) -> None:
    """What we call a customer's partition is what every Java producer calls it."""
    assert murmur2(key) & 0xFFFFFFFF == java & 0xFFFFFFFF
    for partitions in (1, 4, 7, 64):
        assert partition_of(key, partitions) == (java & 0x7FFFFFFF) % partitions


async def intake(
    *, partition: int = 0, partitions: int = 1, window: int = 10, share: float = 0.5
) -> tuple[Intake, Codec]:
    """The way into the journeys."""
    codec, _ = await prepared()
    logic = JourneyLogic(topics=TOPICS, playbook=load_playbook())
    made = Intake(logic=logic, codec=codec, partition=partition, partitions=partitions, window=window, share=share)
    return made, codec


async def refused(value: bytes | None) -> Unreadable:
    """What is said of a value that is no event."""
    way_in, _ = await intake()
    with pytest.raises(Unreadable) as caught:
        await way_in.read(record(value), NOON)
    return caught.value


async def test_an_event_comes_in() -> None:
    """With the bytes it was decoded from and its headers."""
    way_in, codec = await intake()
    value = codec.encode(TOPICS.touchpoints, OPENED)
    incoming = await way_in.read(record(value, headers=[("ce_id", b"1")]), NOON)
    assert incoming == Incoming(record=OPENED, value=value, headers=(("ce_id", b"1"),))


async def test_a_publisher_that_sets_no_header_is_measured_by_the_brokers_time() -> None:
    """What it says itself counts first; where the broker's time is the event's, nothing is made up."""
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
        """A value of two megabytes is not even looked at."""
        assert (await refused(b"\x00" * (2 * MAX_EVENT_BYTES))).reason == "too_large"

    async def test_a_tombstone(self) -> None:
        """A null is no touchpoint."""
        assert (await refused(None)).reason == "tombstone"

    async def test_garbage(self) -> None:
        """Neither are bytes that mean nothing."""
        assert (await refused(b"garbage")).reason == "not_avro"

    async def test_a_record_of_another_topic(self) -> None:
        """A decision among the touchpoints is named as what it is."""
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
        """An event of 1970, of the far future, or of nobody has a reason that names the field."""
        _, codec = await intake()
        assert (await refused(codec.encode(TOPICS.touchpoints, contact(**changes)))).reason == reason


class TestMisplaced:
    async def test_goes_to_its_customers_partition(self) -> None:
        """An event that another partitioner put here is named with where it belongs."""
        home = partition_of(b"ana", 4)
        for partition in range(4):
            way_in, codec = await intake(partition=partition, partitions=4)
            found = await way_in.read(record(codec.encode(TOPICS.touchpoints, OPENED), partition=partition), NOON)
            assert isinstance(found, Incoming) is (partition == home)
            assert found == Misplaced("ana", home) or partition == home

    async def test_the_customer_counts_and_not_the_records_key(self) -> None:
        """A record without a key, or with somebody else's, still belongs to the customer it names."""
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
        """Instead of draining the topic into the dead letters the partition stops, and says where and why."""
        way_in, _ = await intake(window=10)
        for offset in range(5):
            with pytest.raises(Unreadable):
                await way_in.read(record(b"garbage", offset=offset), NOON)
        with pytest.raises(PartitionStopped) as caught:
            await way_in.read(record(b"garbage", offset=5), NOON)
        assert "6 of the latest 6 records of careline.touchpoints[0] up to offset 5" in str(caught.value)
        assert "not_avro" in str(caught.value)

    async def test_what_was_long_ago_is_forgotten(self) -> None:
        """Bad records that have left the window do not count any more."""
        way_in, codec = await intake(window=10)
        good = codec.encode(TOPICS.touchpoints, OPENED)
        for _ in range(3):
            for _ in range(5):
                with pytest.raises(Unreadable):
                    await way_in.read(record(b"garbage"), NOON)
            for _ in range(10):
                await way_in.read(record(good), NOON)
