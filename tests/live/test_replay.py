"""A replay beside a running role: with the wall's clock, with disorder, and while the role goes on."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from processors.playbook import load_playbook
from processors.replay import Report, replay
from processors.replay.kafka import KafkaSource
from streams import Publisher, Settings, events
from streams.avro.codec import Codec
from streams.processor.intake import partition_of
from streams.registry.registry import ConfluentRegistry
from tests.live.reading import messages, raw_records, until
from tests.live.roles import Role

pytestmark = pytest.mark.live

DECIDED = ("touchpoints", "journeys", "decisions", "outreach", "exposures", "dead-letters")


def facts(customer: str, occurred_at: datetime) -> dict[str, Any]:
    """What every event carries."""
    return {"event_id": str(uuid.uuid4()), "customer_id": customer, "occurred_at": occurred_at, "source": "urn:test"}


def daylight(now: datetime) -> str:
    """A zone in which it is about noon; the sign of these names is the other way round."""
    offset = 12 - now.hour
    return f"Etc/GMT{-offset:+d}" if offset else "Etc/GMT"


def told(customer: str, now: datetime) -> tuple[events.Touchpoint, events.Touchpoint]:
    """Somebody, and a wait of nearly two hours that nobody knows the end of: a greater gesture is due in seconds."""
    address = events.Address(channel=events.OutreachChannel.EMAIL, address=f"{customer}@mail.example")
    profile = events.ProfileUpdated(
        **facts(customer, now), name=customer, locale="en", time_zone=daylight(now), addresses=(address,)
    )
    return profile, waiting(customer, now, subject="UA1")


def waiting(customer: str, now: datetime, *, subject: str) -> events.DelayNoticed:
    """A flight that should have gone two hours ago, less three seconds."""
    return events.DelayNoticed(
        **facts(customer, now),
        subject_kind="flight",
        subject_id=subject,
        description=f"flight {subject}",
        promised_at=now - timedelta(hours=2) + timedelta(seconds=3),
        reason=events.DelayReason.WEATHER,
    )


async def replayed(settings: Settings) -> Report:
    """All of it, under the playbook in force."""
    since, until = datetime(2020, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
    async with KafkaSource(settings) as source:
        return await replay(source, playbook=load_playbook(settings.playbook), since=since, until=until)


async def ends(settings: Settings) -> dict[str, int]:
    """How many records each topic holds that a role writes."""
    return {topic: len(await raw_records(settings, topic)) for topic in DECIDED}


async def disorder(settings: Settings, event: events.Touchpoint, now: datetime) -> None:
    """Garbage, and an event where a wrong hash put it."""
    registry = ConfluentRegistry(settings)
    codec = Codec(registry=registry, topics=settings.topics)
    producer = AIOKafkaProducer(**settings.kafka_client())
    topic = settings.topics.touchpoints
    try:
        await codec.prepare(topic)
        await producer.start()
        name, key = settings.topics.full_name(topic), event.customer_id.encode()
        wrong = (partition_of(key, settings.partitions) + 1) % settings.partitions
        stamp = int(now.timestamp() * 1000)
        await producer.send_and_wait(name, b"garbage", key=key, partition=wrong, timestamp_ms=stamp)
        value = codec.encode(topic, event)
        await producer.send_and_wait(name, value, key=key, partition=wrong, timestamp_ms=stamp)
    finally:
        await producer.stop()
        await registry.close()


@pytest.mark.timeout(180)
async def test_live_decisions_would_be_decided_again(settings: Settings, role_env: dict[str, str]) -> None:
    """Deadlines that fired with the wall's clock, late records, misplaced ones: all the same, twice the same bytes."""
    async with Role("journeys", role_env):
        customers = [f"c-{number}" for number in range(20)]
        now = datetime.now(UTC)
        async with Publisher(settings) as publisher:
            for customer in customers:
                for event in told(customer, now):
                    await publisher.enqueue(event)
                    await publisher.enqueue(event)
        await disorder(settings, waiting("c-1", now, subject="UA2"), now)
        await until(
            lambda: messages(settings, "decisions"),
            lambda seen: sum(getattr(one.record, "occasion", "") == "gesture-1" for one in seen) > len(customers),
        )
        async with Publisher(settings) as publisher:  # stamped a minute before it is sent; the role's clock is on
            now = datetime.now(UTC)
            for customer in customers:
                await publisher.enqueue(waiting(customer, now, subject="UA3"), at=now - timedelta(minutes=1))
        await until(
            lambda: messages(settings, "decisions"),
            lambda seen: sum("UA3" in getattr(one.record, "journey_id", "") for one in seen) >= 2 * len(customers),
        )
        await asyncio.sleep(1)
        before = await ends(settings)
        report = await replayed(settings)
        assert await ends(settings) == before, "a replay sends nothing"
    assert not report.difference, report.as_json()[:4000]
    assert len(report.difference.same) >= 4 * len(customers)
    assert report.recorded_twice == report.replayed_twice == 0
    tally = report.tally
    assert (tally.misplaced, tally.dead_letters, tally.duplicates) == (1, {"not_avro": 1}, 2 * len(customers))
    assert tally.timers >= 2 * len(customers)
    assert tally.moved > 0, "the late ones were handled later than they say"
    assert (await replayed(settings)).as_json() == report.as_json()


@pytest.mark.timeout(180)
async def test_a_role_that_goes_on_meanwhile_is_no_difference(settings: Settings, role_env: dict[str, str]) -> None:
    """What it decides while we read is left out, and so is what it has yet to decide."""

    async def publish() -> None:
        now = datetime.now(UTC)
        async with Publisher(settings) as publisher:
            for number in range(6_000):
                for event in told(f"c-{number}", now):
                    await publisher.enqueue(event)
                if number % 100 == 0:
                    await asyncio.sleep(0.1)

    async with Role("journeys", role_env):
        publishing = asyncio.create_task(publish())
        compared = []
        while not publishing.done():
            report = await replayed(settings)
            assert not report.difference, report.as_json()[:4000]
            compared.append(len(report.difference.same))
        await publishing
    assert len(compared) > 2
    assert compared[-1] > compared[0]
