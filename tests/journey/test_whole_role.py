"""The whole journeys role on the in-memory broker: from published events to decisions, without a server."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from processors.playbook import load_playbook
from processors.roles import wiring
from processors.settings import Settings
from streams import Publisher, Subscriber, events, set_up
from streams.broker.memory import MemoryBroker
from streams.clock import ManualClock
from streams.config import TimeSource
from streams.events import JourneyState, OutreachRequested

NOON = datetime(2026, 2, 9, 12, 0, tzinfo=UTC)


@pytest.fixture
async def settings() -> AsyncIterator[Settings]:
    """Set up a broker and a registry for this test alone; their day is that of the records."""
    name = str(uuid.uuid4())
    made = Settings(
        kafka_bootstrap=f"memory://{name}",
        registry_url=f"memory://{name}",
        partitions=2,
        time_source=TimeSource.EVENTS,
    )
    MemoryBroker.named(name).clock = ManualClock(NOON + timedelta(days=1))
    await set_up(made)
    yield made
    MemoryBroker.forget(name)


@asynccontextmanager
async def role(settings: Settings) -> AsyncIterator[Any]:
    """Run the role."""
    journeys = wiring.journeys(settings, playbook=load_playbook())
    await journeys.start()
    try:
        async with asyncio.timeout(10):
            while journeys.waiting_for():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        yield journeys
    finally:
        await journeys.stop()


def delayed(customer: str) -> list[Any]:
    """Return a profile and a delay of four hours."""
    facts: dict[str, Any] = {"customer_id": customer, "source": "urn:test:departures", "occurred_at": NOON}
    address = events.Address(channel=events.OutreachChannel.EMAIL, address=f"{customer}@mail.example")
    profile = events.ProfileUpdated(
        **facts, event_id=str(uuid.uuid4()), name="Ana Ruiz", locale="en", time_zone="UTC", addresses=(address,)
    )
    delay = events.DelayNoticed(
        **facts, event_id=str(uuid.uuid4()), subject_kind="flight", subject_id="UA571", description="flight UA 571",
        promised_at=NOON + timedelta(hours=1), expected_at=NOON + timedelta(hours=5),
        reason=events.DelayReason.WEATHER,
    )  # fmt: skip
    return [profile, delay]


async def publish(settings: Settings, *told: Any) -> None:
    """Publish the events at noon of that day."""
    async with Publisher(settings, clock=ManualClock(NOON)) as publisher:
        for event in told:
            await publisher.publish(event)


async def read(settings: Settings, topic: str, met: Callable[[list[Any]], bool]) -> list[Any]:
    """Return all records of the topic, as soon as ``met`` is true of them."""
    async with asyncio.timeout(10):
        while True:
            async with Subscriber(settings, topic, until_end=True) as subscriber:
                found = [message.record async for message in subscriber]
            if met(found):
                return found
            await asyncio.sleep(0.01)


async def test_a_delay_becomes_a_request_for_a_letter(settings: Settings) -> None:
    """A published profile and delay lead to a state, a decision and an outreach request on their topics."""
    async with role(settings):
        await publish(settings, *delayed("ana"))
        [request] = await read(settings, "outreach", lambda found: len(found) == 1)
        assert isinstance(request, OutreachRequested)
        assert (request.customer_id, request.policy) == ("ana", "delay_care")
        states = await read(settings, "journeys", lambda found: found[-1:] != [] and found[-1].touchpoints == 2)
        assert isinstance(states[-1], JourneyState)
        decisions = await read(settings, "decisions", lambda found: len(found) == 1)
        assert decisions[0].kind is events.DecisionKind.SEND


async def test_a_role_that_is_started_again_goes_on(settings: Settings) -> None:
    """After a restart the role handles what was published meanwhile, and decides nothing twice."""
    async with role(settings):
        await publish(settings, *delayed("ana"))
        await read(settings, "outreach", lambda found: len(found) == 1)
    await publish(settings, *delayed("ben"), *delayed("ana")[:1])
    async with role(settings):
        requests = await read(settings, "outreach", lambda found: len(found) == 2)
        await read(settings, "journeys", lambda found: sum(one.touchpoints == 3 for one in found) == 1)
    assert [one.customer_id for one in requests] == ["ana", "ben"]


async def test_two_workers_share_the_partitions(settings: Settings) -> None:
    """Two workers share the partitions and handle every customer once."""
    other = Settings.model_validate({**settings.model_dump(), "instance": "1"})
    async with role(settings) as one, role(other) as two:
        async with asyncio.timeout(10):
            while one.waiting_for() or two.waiting_for():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        customers = [f"customer-{number}" for number in range(8)]
        await publish(settings, *(event for customer in customers for event in delayed(customer)))
        requests = await read(settings, "outreach", lambda found: len(found) >= len(customers))
    assert sorted(one.customer_id for one in requests) == customers
