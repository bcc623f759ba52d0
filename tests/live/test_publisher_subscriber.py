"""What other services build on, on a real broker: what a publisher and a subscriber promise."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from deploy.local.place import free_port
from streams import Message, Publisher, Subscriber
from streams.broker.provision import apply_topics, plan_topics
from streams.config import Settings
from streams.errors import InvalidEvent, Unavailable
from streams.events import JourneyState, OrderDelivered, Profile, replace
from tests.live.reading import dead_letters, messages, raw_records, records
from tests.live.writing import Writer, writer

pytestmark = pytest.mark.live

NOW = datetime.now(UTC).replace(microsecond=0)
PATIENCE = timedelta(seconds=1)
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def delivered(customer: str, order: str = "o-1", **other: Any) -> OrderDelivered:
    event = OrderDelivered(
        event_id=str(uuid.uuid4()), customer_id=customer, occurred_at=NOW, source="urn:test:shop", order_id=order
    )
    return replace(event, **other)


def state(customer: str) -> JourneyState:
    return JourneyState(
        customer_id=customer, revision=1, updated_at=NOW, profile=Profile(), touchpoints=1, recent_events=b""
    )


@pytest.fixture
async def settings(module_settings: Settings) -> AsyncIterator[Settings]:
    """One set of topics for the module; those that are not compacted are emptied after each test."""
    yield module_settings
    admin = AIOKafkaAdminClient(**module_settings.kafka_client())
    await admin.start()
    topics = module_settings.topics
    to_the_end = {
        TopicPartition(topics.full_name(topic), number): RecordsToDelete(before_offset=-1)
        for topic in (topics.touchpoints, topics.dead_letters)
        for number in range(module_settings.partitions)
    }
    await admin.delete_records(to_the_end)
    await admin.close()


@pytest.fixture
async def write(settings: Settings) -> AsyncIterator[Writer]:
    async with writer(settings) as one:
        yield one


@asynccontextmanager
async def losing_its_topic(settings: Settings) -> AsyncIterator[Publisher]:
    """A publisher that has published before, and whose events nobody acknowledges any more: their topic is gone."""
    admin = AIOKafkaAdminClient(**settings.kafka_client())
    await admin.start()
    try:
        async with Publisher(settings, patience=PATIENCE, max_in_flight=3) as publisher:
            await publisher.publish(delivered("anna"))
            await admin.delete_topics([settings.topics.full_name(settings.topics.touchpoints)])
            yield publisher
    finally:
        await admin.close()
        await apply_topics(await plan_topics(settings))


# -- the publisher ----------------------------------------------------------------------------------------------------


async def test_published_means_the_brokers_have_it(settings: Settings) -> None:
    """Publish says where the event is; it is there, with its key, its time and its CloudEvents headers."""
    event = delivered("anna")
    at = NOW - timedelta(hours=1)
    async with Publisher(settings) as publisher:
        place = await publisher.publish(event, at=at, traceparent=TRACE)
        [raw] = await raw_records(settings, "touchpoints")
    assert (raw.topic, raw.partition, raw.offset) == (place.topic, place.partition, place.offset)
    assert raw.key == b"anna"
    assert raw.timestamp == int(at.timestamp() * 1000)
    headers = dict(raw.headers)
    assert headers["ce_id"] == event.event_id.encode()
    assert headers["ce_type"] == b"careline.touchpoint.OrderDelivered"
    assert headers["ce_source"] == b"urn:test:shop"
    assert headers["ce_time"] == f"{NOW:%Y-%m-%dT%H:%M:%S}.000Z".encode()
    assert headers["traceparent"] == TRACE.encode()


async def test_enqueued_events_are_all_there_after_leaving_in_order_per_customer(settings: Settings) -> None:
    """Leaving the block waits for what was enqueued; each event is there once, a customer's in their order."""
    events = [delivered(f"c-{number % 30}", f"o-{number}") for number in range(3_000)]
    async with Publisher(settings, max_in_flight=200) as publisher:
        await publisher.enqueue_all(events)
    seen: dict[str, list[Any]] = defaultdict(list)
    for record in await records(settings, "touchpoints"):
        seen[record.customer_id].append(record)
    for customer in {event.customer_id for event in events}:
        assert seen[customer] == [event for event in events if event.customer_id == customer]


async def test_a_publisher_gives_up_in_time(settings: Settings) -> None:
    """Brokers that acknowledge nothing: publish, enqueue without room, flush and leaving raise Unavailable, each soon.

    What the caller raised itself is not hidden behind that."""

    async def publish(publisher: Publisher) -> None:
        await publisher.publish(delivered("anna"))

    async def enqueue(publisher: Publisher) -> None:
        await publisher.enqueue_all(delivered("anna") for _ in range(3))

    async def flush(publisher: Publisher) -> None:
        await enqueue(publisher)
        await publisher.flush()

    async def too_many(publisher: Publisher) -> None:
        await publisher.enqueue_all(delivered("anna") for _ in range(4))

    for use, says in (
        (publish, "event .* was not acknowledged"),
        (enqueue, r"3 event\(s\) were not acknowledged"),
        (flush, r"3 event\(s\) were not acknowledged"),
        (too_many, "event .* was not acknowledged: no answer within 1 s"),
    ):
        with pytest.raises(Unavailable, match=says):
            await using(settings, use)
    with pytest.raises(ZeroDivisionError):
        await using(settings, failing_after(enqueue))
    async with Publisher(settings) as publisher:
        await publisher.publish(delivered("ben"))
    assert [record.customer_id for record in await records(settings, "touchpoints")] == ["ben"]


async def using(settings: Settings, use: Callable[[Publisher], Awaitable[None]]) -> None:
    async with losing_its_topic(settings) as publisher:
        began = time.monotonic()
        try:
            await use(publisher)
        finally:
            assert time.monotonic() - began < 5


def failing_after(use: Callable[[Publisher], Awaitable[None]]) -> Callable[[Publisher], Awaitable[None]]:
    async def fail(publisher: Publisher) -> None:
        await use(publisher)
        raise ZeroDivisionError

    return fail


async def test_room_that_comes_free_is_used(settings: Settings) -> None:
    """At most so many are in flight; whoever waits for room gets it when the brokers take one."""
    async with Publisher(settings, max_in_flight=2) as publisher:
        places = [await publisher.enqueue(delivered("anna", f"o-{number}")) for number in range(10)]
        assert sum(not place.done() for place in places) <= 2
        await publisher.flush()
        offsets = [place.result().offset for place in places]
        assert offsets == list(range(offsets[0], offsets[0] + 10))


async def test_servers_that_are_not_there_are_named_soon(settings: Settings) -> None:
    """A closed port of Kafka or the registry, or a server that says nothing: Unavailable, naming it, in seconds."""
    closed = f"127.0.0.1:{free_port(taken=set())}"
    began = time.monotonic()
    silent = await asyncio.start_server(lambda reading, _: None, "127.0.0.1", 0)
    mute = f"127.0.0.1:{silent.sockets[0].getsockname()[1]}"
    for broker in (closed, mute):
        without = settings.model_copy(update={"kafka_bootstrap": broker})
        with pytest.raises(Unavailable, match=broker):
            async with Publisher(without, patience=PATIENCE):
                pass
    silent.close()
    with pytest.raises(Unavailable, match=closed):
        async with Subscriber(settings.model_copy(update={"kafka_bootstrap": closed}), "journeys"):
            pass
    with pytest.raises(Unavailable, match=closed):
        async with Publisher(settings.model_copy(update={"registry_url": f"http://{closed}"})):
            pass
    assert time.monotonic() - began < 20


async def test_no_trace_context_is_refused(settings: Settings) -> None:
    """A traceparent that is none is the caller's mistake."""
    async with Publisher(settings) as publisher:
        with pytest.raises(InvalidEvent, match="traceparent"):
            await publisher.publish(delivered("anna"), traceparent="Ω")


# -- the subscriber ---------------------------------------------------------------------------------------------------


async def take(subscriber: Subscriber, count: int, *, within: float = 30) -> list[Message]:
    """The next so many messages, the last of them asked for and left unhandled by whoever stops here."""
    taken: list[Message] = []
    async with asyncio.timeout(within):
        async for message in subscriber:
            taken.append(message)
            if len(taken) == count:
                break
    return taken


async def test_a_group_goes_on_where_it_stopped_and_misses_nothing_after_a_crash(settings: Settings) -> None:
    """After a crash some messages come again and none is missed; after an orderly end only the one in hand does."""
    async with Publisher(settings) as publisher:
        placed = [await publisher.publish(delivered("anna", f"o-{number}")) for number in range(10)]
    first = placed[0].offset
    group = f"{settings.topic_prefix}crm"

    async def crash() -> None:
        async with Subscriber(settings, "touchpoints", group=group) as subscriber:
            await take(subscriber, 5)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await crash()
    async with Subscriber(settings, "touchpoints", group=group) as subscriber:
        again = await take(subscriber, 7)
    assert again[0].offset <= first + 4
    in_hand = again[-1].offset
    async with Subscriber(settings, "touchpoints", group=group) as subscriber:
        rest = await take(subscriber, first + 10 - in_hand)
    assert [message.offset for message in rest] == list(range(in_hand, first + 10))


async def test_a_second_member_takes_its_share(settings: Settings) -> None:
    """While one member works another joins: neither fails, and everything is handled at least once."""
    total = 400
    group = f"{settings.topic_prefix}shared"
    async with Publisher(settings) as publisher:
        await publisher.enqueue_all(delivered(f"c-{number}") for number in range(total))
    seen: set[str] = set()
    by_member: dict[str, int] = defaultdict(int)

    async def work(name: str, enough: Callable[[], bool]) -> None:
        async with Subscriber(settings, "touchpoints", group=group) as subscriber:
            async for message in subscriber:
                seen.add(message.key)
                by_member[name] += 1
                await asyncio.sleep(0.02)
                if enough():
                    return

    async def join() -> None:
        async with Publisher(settings) as publisher:
            working = asyncio.create_task(work("second", lambda: by_member["second"] >= 20))
            while not working.done():
                await publisher.publish(delivered(f"c-{by_member['late'] % total}"))
                by_member["late"] += 1
                await asyncio.sleep(0.02)
            await working

    async with asyncio.timeout(90):
        first = asyncio.create_task(work("first", lambda: len(seen) == total and by_member["second"] >= 20))
        await join()
        async with Publisher(settings) as publisher:
            while not first.done():
                await publisher.publish(delivered("c-0"))
        await first
    assert len(seen) == total


async def test_from_end_sees_only_what_comes(settings: Settings) -> None:
    """What is there already is passed over."""
    async with Publisher(settings) as publisher:
        await publisher.publish(delivered("before"))
        async with Subscriber(settings, "touchpoints", from_end=True) as subscriber:
            await publisher.publish(delivered("after"))
            [message] = await take(subscriber, 1)
    assert message.key == "after"


async def test_what_an_aborted_transaction_wrote_is_never_seen(settings: Settings, write: Writer) -> None:
    """Reading to the end ends, also where the end is nothing but what was taken back."""
    touchpoints = settings.topics.touchpoints
    await write.write((touchpoints, delivered("kept")))
    await write.write((touchpoints, delivered("aborted")), abort=True)
    assert [message.key for message in await messages(settings, "touchpoints")] == ["kept"]
    await write.write((touchpoints, delivered("kept too")))
    assert {message.key for message in await messages(settings, "touchpoints")} == {"kept", "kept too"}


async def test_a_tombstone_is_a_message_without_a_record(settings: Settings, write: Writer) -> None:
    """Who keeps a copy of the journeys learns that a customer was forgotten."""
    journeys = settings.topics.journeys
    await write.write((journeys, state("anna")))
    await write.write_raw((journeys, b"anna", None))
    seen = [(message.key, message.record) for message in await messages(settings, "journeys")]
    assert seen == [("anna", state("anna")), ("anna", None)]


async def test_a_group_puts_aside_what_it_cannot_read(settings: Settings, write: Writer) -> None:
    """With a group the dead letters keep it; a reader without one only passes over it. A key may be any bytes."""
    touchpoints = settings.topics.touchpoints
    await write.write_raw((touchpoints, b"\xff\xfe", b"garbage"))
    await write.write_raw((touchpoints, b"\xff\xfe", None))
    await write.write((touchpoints, delivered("anna")))
    assert len(await messages(settings, "touchpoints")) == 2
    assert await dead_letters(settings) == []
    group = f"{settings.topic_prefix}careful"
    async with Subscriber(settings, "touchpoints", group=group) as subscriber:
        assert {message.record is None for message in await take(subscriber, 2)} == {True, False}
    [letter] = await dead_letters(settings)
    assert (letter.reason, letter.reader, letter.key, letter.value) == ("not_avro", group, b"\xff\xfe", b"garbage")


async def test_a_topic_that_is_none_is_named(settings: Settings) -> None:
    """The error says which there are; a topic that was not created yet says how to."""
    with pytest.raises(ValueError, match="touchpoints, journeys"):
        Subscriber(settings, "journey")
    elsewhere = Settings(kafka_bootstrap=settings.kafka_bootstrap, topic_prefix=f"nowhere-{uuid.uuid4().hex[:8]}.")
    with pytest.raises(Unavailable, match="careline topics apply"):
        async with Subscriber(elsewhere, "journeys", until_end=True):
            pass
