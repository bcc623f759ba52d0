"""Exactly once on a real broker: roles are killed with -9, and what comes out is as if they were not."""

from __future__ import annotations

import asyncio
import dataclasses
import random
import uuid
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from processors.journey.core import advance, wake
from processors.journey.playbook import Playbook
from processors.outreach.role import LIMITS
from processors.playbook import load_playbook
from streams import Publisher, events
from streams.avro.codec import Codec
from streams.clock import PartitionClock, from_millis
from streams.config import Settings
from streams.events import Decision, JourneyState, OutreachRequested, OutreachRetracted, Touchpoint
from streams.order import due_before, follow
from streams.processor.deadlines import Deadlines
from streams.processor.intake import partition_of
from streams.registry.registry import ConfluentRegistry
from tests.live.reading import messages, raw_records, records, states, until
from tests.live.roles import Role

pytestmark = pytest.mark.live

BEGIN = datetime(2013, 2, 8, 15, tzinfo=UTC)
SEED = 20130208
KILLS = 4
REQUESTS = 600
KILLED_CUSTOMERS = 400


def story(rng: random.Random, customer: str) -> Iterable[tuple[datetime, Touchpoint]]:
    """One traveller's day: a profile, a delay that grows and ends, a question, and some of it told twice."""
    at = BEGIN + timedelta(minutes=rng.randrange(60))

    def common() -> dict[str, Any]:
        nonlocal at
        at += timedelta(minutes=rng.randrange(1, 40))
        identity = str(uuid.UUID(int=rng.getrandbits(128)))
        return {"event_id": identity, "customer_id": customer, "occurred_at": at, "source": "urn:test:day"}

    address = events.Address(channel=events.OutreachChannel.EMAIL, address=f"{customer}@mail.example")
    yield (
        at,
        events.ProfileUpdated(
            **common(), name="Made Up", locale="en", time_zone="America/New_York", addresses=(address,)
        ),
    )
    flight = f"F{rng.randrange(1_000)}"
    promised = at + timedelta(hours=6)
    for _ in range(rng.randrange(1, 5)):
        delay = events.DelayNoticed(
            **common(), subject_kind="flight", subject_id=flight, description=f"flight {flight}", promised_at=promised,
            expected_at=promised + timedelta(minutes=rng.randrange(10, 400)), reason=events.DelayReason.WEATHER,
        )  # fmt: skip
        yield at, delay
        if rng.random() < 0.3:
            yield at, delay
        if rng.random() < 0.3:
            yield at, events.ContactOpened(**common(), contact_id=f"c-{customer}", channel=events.Channel.CHAT)
    if rng.random() < 0.5:
        yield at, events.DelayEnded(**common(), subject_kind="flight", subject_id=flight)


def day(rng: random.Random, customers: int) -> list[tuple[datetime, Touchpoint]]:
    """All of them, in the order of time."""
    told = [one for number in range(customers) for one in story(rng, f"traveller-{number}")]
    return sorted(told, key=lambda one: one[0])


class Oracle:
    """The pure core over one partition's input, in order, with the records' own times: what has to come out."""

    def __init__(self) -> None:
        self.states: dict[str, JourneyState] = {}
        self.outputs: list[Any] = []
        self._wakes = Deadlines()
        self._clock = PartitionClock()
        self._playbook = load_playbook()

    def read(self, event: Any, stamp: int) -> None:
        now = self._clock.observe(stamp)
        for millis, customer in due_before(self._wakes, now):
            step = wake(self.states[customer], now=from_millis(millis), playbook=self._playbook)
            self._take(customer, step.state, step.outputs)
        customer = event.customer_id
        step = advance(self.states.get(customer), event, now=from_millis(now), playbook=self._playbook)
        if not step.duplicate:
            self._take(customer, step.state, step.outputs)

    def _take(self, customer: str, state: JourneyState | None, outputs: Iterable[Any]) -> None:
        assert state is not None
        self.states[customer] = state
        follow(self._wakes, customer, state)
        self.outputs += outputs


async def expected(settings: Settings) -> Oracle:
    """The oracle over what is on the touchpoints topic."""
    registry = ConfluentRegistry(settings)
    codec = Codec(registry=registry, topics=settings.topics)
    parts = [Oracle() for _ in range(settings.partitions)]
    for raw in await raw_records(settings, "touchpoints"):
        parts[raw.partition].read(await codec.decode(raw.value), raw.timestamp)
    await registry.close()
    whole = Oracle()
    for part in parts:
        whole.states |= part.states
        whole.outputs += part.outputs
    return whole


async def test_kills_change_nothing(settings: Settings, role_env: dict[str, str]) -> None:
    """The journeys role is killed four times while events stream in: state, decisions and outreach are what the pure
    core makes of the input, each once, in the order of each customer."""
    rng = random.Random(SEED)
    told = day(rng, customers=KILLED_CUSTOMERS)
    part = len(told) // (KILLS + 1) + 1
    async with Publisher(settings) as publisher, Role("journeys", role_env, time_source="events") as journeys:

        async def publish(some: list[tuple[datetime, Touchpoint]]) -> None:
            for number, (at, event) in enumerate(some):
                await publisher.enqueue(event, at=at)
                if number % 10 == 0:
                    await asyncio.sleep(0.02)  # so that something is under way whenever it is killed

        for begin in range(0, len(told), part):
            publishing = asyncio.create_task(publish(told[begin : begin + part]))
            await asyncio.sleep(rng.uniform(0.1, 0.8))
            if begin + part < len(told):
                await journeys.kill()
                await journeys.start()
            await publishing
        await publisher.flush()
        wanted = await expected(settings)
        assert len(wanted.states) == KILLED_CUSTOMERS
        await until(lambda: states(settings), lambda seen: seen == wanted.states, within=60)
    _same(await records(settings, "decisions"), [one for one in wanted.outputs if isinstance(one, Decision)])
    requests = [one for one in wanted.outputs if isinstance(one, (OutreachRequested, OutreachRetracted))]
    assert len(requests) > 300
    _same(await records(settings, "outreach"), requests)
    assert await raw_records(settings, "dead-letters") == []


def _same(seen: list[Any], wanted: list[Any]) -> None:
    """The same records for each customer, in the same order."""
    assert Counter(one.customer_id for one in seen) == Counter(one.customer_id for one in wanted)
    for customer in sorted({one.customer_id for one in wanted}):
        theirs = [one for one in seen if one.customer_id == customer]
        for one, other in zip(theirs, (one for one in wanted if one.customer_id == customer), strict=True):
            assert one == other


async def test_every_record_is_on_its_customers_partition(settings: Settings, role_env: dict[str, str]) -> None:
    """What comes out lies on the same partition as what went in, for every topic that is keyed by customer."""
    told = day(random.Random(SEED + 1), customers=40)
    async with Publisher(settings) as publisher:
        for at, event in told:
            await publisher.enqueue(event, at=at)
    async with Role("journeys", role_env, time_source="events"):
        await until(lambda: states(settings), lambda seen: len(seen) == 40)
        wanted = await expected(settings)
        await until(lambda: states(settings), lambda seen: seen == wanted.states)
    for message in await messages(settings, "journeys", "decisions", "outreach"):
        assert message.partition == partition_of(message.key.encode(), settings.partitions)


async def test_two_workers_share_the_partitions(settings: Settings, role_env: dict[str, str]) -> None:
    """A second worker takes over some of the partitions, the first leaves, and nothing is lost or doubled."""
    told = day(random.Random(SEED + 2), customers=200)
    third = len(told) // 3
    async with Publisher(settings) as publisher:

        async def publish(some: list[tuple[datetime, Touchpoint]]) -> None:
            for at, event in some:
                await publisher.enqueue(event, at=at)
            await publisher.flush()

        async with Role("journeys", role_env, time_source="events", instance="a") as first:
            await publish(told[:third])
            async with Role("journeys", role_env, time_source="events", instance="b") as second:
                await publish(told[third : 2 * third])
                await first.stop()
                await publish(told[2 * third :])
                wanted = await expected(settings)
                await until(lambda: states(settings), lambda seen: seen == wanted.states, within=60)
                assert "partition_taken" in second.log
    _same(await records(settings, "decisions"), [one for one in wanted.outputs if isinstance(one, Decision)])


async def test_a_letter_is_never_sent_twice_in_silence(
    settings: Settings, role_env: dict[str, str], mail_dir: Path
) -> None:
    """The dispatcher is killed while it writes letters: each request comes to exactly one end, and of no outreach is
    there more than one letter; where nobody knows whether it left, it says so, and those are few."""
    rng = random.Random(SEED + 3)
    run = uuid.uuid4().hex[:8]
    now = datetime.now(UTC).replace(microsecond=0)
    registry = ConfluentRegistry(settings)
    codec = Codec(registry=registry, topics=settings.topics)
    playbook = load_playbook()
    requests = [_request(f"reader-{run}-{number}", now, playbook) for number in range(REQUESTS)]
    await _write(settings, codec, requests)
    async with Role("outreach", role_env) as outreach:
        for _ in range(KILLS):
            await asyncio.sleep(rng.uniform(0.0, 0.4))
            await outreach.kill()
            await outreach.start()
        outcomes = await until(
            lambda: records(settings, "outcomes"), lambda seen: len(seen) >= len(requests), within=60
        )
    await registry.close()
    assert Counter(one.outreach_id for one in outcomes) == Counter(one.outreach_id for one in requests)
    ends = Counter(type(one).__name__ for one in outcomes)
    assert set(ends) <= {"OutreachSent", "OutreachUncertain"}
    letters = Counter(await asyncio.to_thread(_letters, mail_dir, run))
    assert set(letters.values()) == {1}
    # of a worker that dies, those it had begun or was about to
    assert ends["OutreachUncertain"] <= KILLS * settings.partitions * LIMITS.effects
    sent = {one.outreach_id for one in outcomes if isinstance(one, events.OutreachSent)}
    uncertain = {one.outreach_id for one in outcomes if isinstance(one, events.OutreachUncertain)}
    assert sent <= set(letters) <= sent | uncertain
    told = await records(settings, "touchpoints")  # each outcome is told to the journey, too
    assert Counter(one.event_id for one in told) == Counter(one.event_id for one in outcomes)


def _request(customer: str, now: datetime, playbook: Playbook) -> OutreachRequested:
    delay = events.DelayNoticed(
        event_id=str(uuid.uuid4()), customer_id=customer, occurred_at=now, source="urn:test:day", subject_kind="flight",
        subject_id="F1", description="flight F 1", promised_at=now + timedelta(hours=1),
        expected_at=now + timedelta(hours=5), reason=events.DelayReason.WEATHER,
    )  # fmt: skip
    profile = events.ProfileUpdated(
        event_id=str(uuid.uuid4()), customer_id=customer, occurred_at=now, source="urn:test:day", name="Made Up",
        time_zone="UTC", addresses=(
            events.Address(channel=events.OutreachChannel.EMAIL, address=f"{customer}@mail.example"),
        ),
    )  # fmt: skip
    awake = dataclasses.replace(playbook, quiet_hours=None)
    known = advance(None, profile, now=now, playbook=awake).state
    step = advance(known, delay, now=now, playbook=awake)
    return next(one for one in step.outputs if isinstance(one, OutreachRequested))


async def _write(settings: Settings, codec: Codec, requests: list[OutreachRequested]) -> None:
    topic = settings.topics.outreach
    await codec.prepare(topic)
    producer = AIOKafkaProducer(**settings.kafka_client(), enable_idempotence=True)
    await producer.start()
    for request in requests:
        await producer.send(
            settings.topics.full_name(topic), codec.encode(topic, request), key=request.customer_id.encode()
        )
    await producer.stop()


def _letters(folder: Path, run: str) -> list[str]:
    """The outreach id of every letter of this run."""
    found = []
    for file in folder.rglob("*.eml"):
        letter = BytesParser(EmailMessage, policy=policy.default).parsebytes(file.read_bytes(), headersonly=True)
        if f"reader-{run}-" in str(letter["To"]):
            found.append(str(letter["Careline-Outreach-Id"]))
    return found
