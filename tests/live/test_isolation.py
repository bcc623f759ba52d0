"""One record costs itself: what is large unpacked, what the broker refuses, and a partition that gets no further."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from processors.playbook import load_playbook
from processors.republishing import all_kept, original_of
from processors.roles.journeys import JourneyLogic
from streams import Publisher, metrics
from streams.broker.closing import closed
from streams.broker.unpacking import MOST_UNPACKED
from streams.config import Settings
from streams.processor import Limits, Processor
from tests.live.reading import dead_letters, records, states, until
from tests.live.roles import Role
from tests.live.test_bad_input import delivered, home, late

pytestmark = pytest.mark.live

NOW = datetime.now(UTC).replace(microsecond=0)
HUGE = MOST_UNPACKED - 200  # what is read of a batch, and more than a dead letter holds with all that belongs to it
ENDLESS = 20 << 20


async def packed(settings: Settings, *, partition: int, **record: Any) -> None:
    """A record that is small on the wire, whatever it is unpacked."""
    producer = AIOKafkaProducer(
        **settings.kafka_client(), compression_type="gzip", max_request_size=64 << 20, max_batch_size=64 << 20
    )
    await producer.start()
    try:
        topic = settings.topics.full_name(settings.topics.touchpoints)
        await producer.send_and_wait(topic, partition=partition, **record)
    finally:
        await producer.stop()


async def takes_at_most(settings: Settings, topic: str, size: int) -> None:
    """Somebody changed what the topic takes."""
    admin = AIOKafkaAdminClient(**settings.kafka_client())
    await admin.start()
    name = settings.topic_prefix + topic
    try:
        await admin.alter_configs(
            [ConfigResource(ConfigResourceType.TOPIC, name, configs={"max.message.bytes": str(size)})]
        )
    finally:
        await admin.close()


async def test_what_is_large_unpacked_is_put_aside_and_the_rest_goes_on(
    settings: Settings, role_env: Mapping[str, str]
) -> None:
    """Eight megabytes of value, endless headers of an event on a wrong partition, an endless key: each is a dead
    letter with its beginning, its length and its place. Twenty megabytes are one as they were sent. Those around
    them are handled."""
    customers = [f"near-{number}" for number in range(8)]
    wrong = (home(settings, "wanderer") + 1) % settings.partitions
    async with Publisher(settings) as publisher:
        await publisher.enqueue_all(delivered(customer, "before") for customer in customers)
        await publisher.flush()
        for partition in range(settings.partitions):
            await packed(settings, partition=partition, key=b"huge", value=b"\0" * HUGE)
            await packed(settings, partition=partition, key=b"k" * HUGE, value=b"garbage")
            await packed(settings, partition=partition, key=b"endless", value=b"\0" * ENDLESS)
        wanderer = publisher._codec.encode(settings.topics.touchpoints, delivered("wanderer", "lost"))
        await packed(settings, partition=wrong, key=b"wanderer", value=wanderer, headers=[("trail", b"." * (3 << 20))])
        await publisher.enqueue_all(delivered(customer, "after") for customer in customers)
    async with Role("journeys", role_env) as journeys:
        await until(
            lambda: states(settings),
            lambda seen: [seen[one].touchpoints for one in customers if one in seen] == [2] * len(customers),
        )
        assert (await journeys.ask("/livez"))[0] == 200
    letters = await dead_letters(settings)
    by_reason = sorted((letter.reason, letter.truncated) for letter in letters)
    assert by_reason == sorted(
        [("too_large", ("value",))] * settings.partitions
        + [("not_avro", ("key",))] * settings.partitions
        + [("unprocessable", ())]
        + [("unreadable_batch", ())] * settings.partitions
    )
    [lost] = [letter for letter in letters if letter.reason == "unprocessable"]
    assert (lost.detail.split(":")[0], lost.value) == ("size", wanderer)
    [huge, *_] = [letter for letter in letters if letter.reason == "too_large"]
    assert (huge.length, len(huge.value or b"")) == (HUGE, 64 << 10)
    whole = await original_of(settings, huge)
    assert whole is not None
    assert (whole.value, whole.truncated) == (b"\0" * HUGE, ())
    kept = await all_kept(settings)
    assert len(kept) == len(letters)


async def test_a_record_that_the_broker_refuses_is_found(settings: Settings, role_env: Mapping[str, str]) -> None:
    """A topic takes less than the catalogue says: what leads to larger outputs is set aside, all else goes on."""
    await takes_at_most(settings, "decisions", 150)
    customers = [name for name in (f"c-{number}" for number in range(60)) if home(settings, name) == 0][:7]
    async with Publisher(settings) as publisher:
        for number, customer in enumerate(customers):
            await publisher.publish(late(customer) if number == 3 else delivered(customer, "o"))
    async with Role("journeys", role_env, wait=False):
        seen = await until(lambda: states(settings), lambda seen: len(seen) == len(customers) - 1, within=60)
    assert set(seen) == set(customers) - {customers[3]}
    [letter] = await dead_letters(settings)
    assert (letter.reason, letter.key) == ("unprocessable", customers[3].encode())
    assert letter.detail.startswith("broker: MessageSizeTooLargeError")
    assert await records(settings, "decisions") == []


async def test_a_partition_that_gets_no_further_is_told(settings: Settings) -> None:
    """Not even a dead letter can be written: the worker is neither ready nor live, and its lag counts what waits."""
    await takes_at_most(settings, "dead-letters", 150)
    await packed(settings, partition=0, key=b"c", value=b"garbage")
    await packed(settings, partition=0, key=b"c", value=b"more of it")
    logic = JourneyLogic(topics=settings.topics, playbook=load_playbook())
    limits = Limits(
        stuck_after=timedelta(seconds=3), retake_after=timedelta(seconds=0.2), retake_at_most=timedelta(seconds=1)
    )
    processor: Processor[Any] = Processor(settings=settings, role="journeys", logic=logic, limits=limits)
    await processor.start()
    try:

        async def broken() -> list[str]:
            return processor.broken()

        [why] = await until(broken, bool, within=40)
        assert why.startswith("partition 0 has not got past offset 0 for")
        assert "MessageSizeTooLargeError" in why
        assert any("partition 0 to be worked on" in waiting for waiting in processor.waiting_for())
        lag = {"role": "journeys", "partition": "0"}
        assert metrics.REGISTRY.get_sample_value("careline_processor_lag_records", lag) == 2
        await takes_at_most(settings, "dead-letters", 8 << 20)

        await until(lambda: dead_letters(settings), lambda seen: len(seen) == 2, within=30)
        await until(broken, lambda why: not why)
        assert processor.waiting_for() == []
        assert metrics.REGISTRY.get_sample_value("careline_processor_lag_records", lag) == 0
    finally:
        await processor.stop()


async def test_a_consumer_whose_fetch_is_under_way_is_closed_in_order(settings: Settings) -> None:
    """However often it is closed in the middle of a fetch, whoever closes it is not cancelled."""
    topic = settings.topics.full_name(settings.topics.touchpoints)
    for number in range(20):
        consumer = AIOKafkaConsumer(**settings.kafka_client(), isolation_level="read_committed")
        await consumer.start()
        consumer.assign([TopicPartition(topic, part) for part in range(settings.partitions)])
        fetching = asyncio.create_task(consumer.getmany(timeout_ms=1_000))
        await asyncio.sleep(0.01 * number)
        await closed(consumer)
        fetching.cancel()
        await asyncio.gather(fetching, return_exceptions=True)
