"""Publishers and subscribers of one process at ``memory://``, for other projects' tests."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from streams import Message, Publisher, Settings, Subscriber, events, set_up
from streams.broker.memory import MemoryBroker
from streams.errors import InvalidEvent, SettingsError, Unavailable
from streams.events import replace
from streams.processor.intake import partition_of
from streams.subscribing.dead_letters import DeadLetter


@pytest.fixture
async def settings() -> AsyncIterator[Settings]:
    """Set up a broker and a registry for this test alone."""
    name = f"memory://{uuid.uuid4()}"
    made = Settings(kafka_bootstrap=name, registry_url=name, partitions=3)
    await set_up(made)
    yield made
    MemoryBroker.forget(name.removeprefix("memory://"))


def delivered(customer: str, **other: Any) -> events.OrderDelivered:
    """Return an event of the customer."""
    event = events.OrderDelivered(
        event_id=str(uuid.uuid4()), customer_id=customer, occurred_at=datetime.now(UTC).replace(microsecond=0),
        source="urn:test:shop", order_id="o-1",
    )  # fmt: skip
    return replace(event, **other)


async def everything(settings: Settings, topic: str = "touchpoints") -> list[Message]:
    """Return all messages of the topic."""
    async with Subscriber(settings, topic, until_end=True) as subscriber:
        return [message async for message in subscriber]


async def test_what_is_published_is_read(settings: Settings) -> None:
    """Every published event is read, typed, on its customer's partition, in the order of each customer."""
    told = [delivered(customer, order_id=f"o-{number}") for number in range(5) for customer in ("ana", "ben", "cleo")]
    async with Publisher(settings) as publisher:
        place = await publisher.publish(told[0])
        await publisher.enqueue_all(told[1:])
    assert place.partition == partition_of(b"ana", 3)
    seen = await everything(settings)
    for customer in ("ana", "ben", "cleo"):
        theirs = [event for event in told if event.customer_id == customer]
        assert [message.record for message in seen if message.key == customer] == theirs


async def test_an_invalid_event_is_refused(settings: Settings) -> None:
    """An invalid event raises InvalidEvent with the field, and nothing is published."""
    async with Publisher(settings) as publisher:
        with pytest.raises(InvalidEvent) as caught:
            await publisher.publish(delivered(""))
    assert caught.value.field == "customer_id"
    assert await everything(settings) == []


async def test_a_group_goes_on_where_it_stopped(settings: Settings) -> None:
    """Requesting the next message acknowledges the previous one; the last one is delivered again."""
    async with Publisher(settings) as publisher:
        await publisher.enqueue_all(delivered("ana", order_id=f"o-{number}") for number in range(3))

    async def take(most: int) -> list[str]:
        seen: list[str] = []
        async with asyncio.timeout(10), Subscriber(settings, "touchpoints", group="crm") as subscriber:
            async for message in subscriber:
                assert isinstance(message.record, events.OrderDelivered)
                seen.append(message.record.order_id)
                if len(seen) == most:
                    break
        return seen

    assert await take(2) == ["o-0", "o-1"]
    assert await take(2) == ["o-1", "o-2"]


async def test_a_waiting_subscriber_is_told_at_once(settings: Settings) -> None:
    """A waiting subscriber receives an event as soon as it is published."""
    async with Subscriber(settings, "touchpoints", from_end=True) as subscriber, Publisher(settings) as publisher:
        waiting = asyncio.ensure_future(anext(aiter(subscriber)))
        await asyncio.sleep(0.01)
        await publisher.publish(delivered("ana"))
        assert (await asyncio.wait_for(waiting, 1)).key == "ana"


async def test_what_cannot_be_read_is_a_dead_letter(settings: Settings) -> None:
    """An unreadable record becomes a dead letter with the reason, and the group reads on."""
    topic = settings.topics.full_name(settings.topics.touchpoints)
    broker = MemoryBroker.named(settings.kafka_bootstrap.removeprefix("memory://"))
    raw = broker.occasional(largest=1 << 20)
    await raw.start()
    await raw.send_and_wait(topic, key=b"ana", value=b"nonsense")
    async with Publisher(settings) as publisher:
        await publisher.publish(delivered("ana"))
    async with Subscriber(settings, "touchpoints", group="crm") as subscriber:
        message = await asyncio.wait_for(anext(aiter(subscriber)), 10)
    assert message.offset == 1
    async with Subscriber(settings, "dead-letters", until_end=True) as subscriber:
        [dead] = [DeadLetter.of(record) async for record in subscriber.raw()]
    assert (dead.value, dead.topic, dead.offset, dead.reader) == (b"nonsense", topic, 0, "crm")


async def test_names_are_apart() -> None:
    """A broker of another name is empty; the error names the missing topic and the command that creates it."""
    one, other = (Settings(kafka_bootstrap=f"memory://{uuid.uuid4()}", registry_url="memory://apart") for _ in "ab")
    await set_up(one)
    with pytest.raises(Unavailable, match="careline topics apply"):
        await everything(other)
    async with Publisher(other) as publisher:
        with pytest.raises(Unavailable):
            await publisher.publish(delivered("ana"))
    assert await everything(one) == []


def test_what_needs_a_kafka_says_so() -> None:
    """A Kafka client cannot be configured with a ``memory://`` address."""
    with pytest.raises(SettingsError, match="CARELINE_KAFKA_BOOTSTRAP"):
        Settings(kafka_bootstrap="memory://tests").kafka_client()
