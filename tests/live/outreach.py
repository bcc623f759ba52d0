"""Outreach requested in bulk and what became of it: for those who drive the dispatcher alone."""

from __future__ import annotations

import asyncio
import os
import random
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaProducer

from deploy.local import Stack
from deploy.local.stack import MAIL_VARIABLE
from processors.settings import Settings
from streams.avro.codec import Codec
from streams.broker.provision import set_up
from streams.events import (
    Address,
    OutreachChannel,
    OutreachFailed,
    OutreachLedgerEntry,
    OutreachRequested,
    OutreachSent,
    OutreachUncertain,
    Purpose,
)
from streams.registry.registry import ConfluentRegistry
from tests.live.reading import messages

OUTREACH_HEADER = "Careline-Outreach-Id"
_OUTCOMES = (OutreachSent, OutreachFailed, OutreachUncertain)
_NAMESPACE = uuid.UUID("0d9b6c52-1f5e-5d0b-9a61-2f6f0c6f7d10")
_CHUNK = 500
_OF_USE = timedelta(hours=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Topics of one drive alone on a running stack."""

    settings: Settings
    env: Mapping[str, str]
    """The whole environment of a role as a process of its own."""
    mail: Path | None
    """Where the stack's mail server keeps its letters, if it is our own."""

    @classmethod
    async def on(cls, stack: Stack, *, prefix: str, **settings: str) -> Surroundings:
        """Topics and schemas under ``prefix`` and a random name; ``settings`` are further CARELINE_ variables."""
        given = stack.environment()
        mail = given.pop(MAIL_VARIABLE, None)
        given |= {"CARELINE_TOPIC_PREFIX": f"{prefix}-{uuid.uuid4().hex[:8]}."}
        given |= {f"CARELINE_{name.upper()}": value for name, value in settings.items()}
        made = Settings.from_environment(given)
        await set_up(made, keep_history=True)
        return cls(settings=made, env={**os.environ, **given}, mail=None if mail is None else Path(mail))


def outreach_requests(
    count: int, *, customers: int, channel: OutreachChannel, address: str, seed: int
) -> list[OutreachRequested]:
    """Requests for letters about delays, each customer's numbered in ``occasion``, the customers drawn by ``seed``.

    ``address`` may hold ``{customer}``. They are of use for two hours from now.
    """
    draw = random.Random(seed)
    now = datetime.now(UTC).replace(microsecond=0)
    written: Counter[str] = Counter()
    requests = []
    for _ in range(count):
        customer = f"customer-{draw.randrange(customers)}"
        number = written[customer]
        written[customer] += 1
        late = draw.randrange(6, 30) * 10
        requests.append(
            OutreachRequested(
                outreach_id=str(uuid.uuid5(_NAMESPACE, f"{seed}/{customer}/{number}")),
                customer_id=customer,
                requested_at=now,
                decision_id=str(uuid.uuid5(_NAMESPACE, f"{seed}/{customer}/{number}/decision")),
                policy="delay_care",
                playbook_version="1",
                journey_id=f"{customer}/flight",
                occasion=str(number),
                purpose=Purpose.SERVICE,
                addresses=(Address(channel=channel, address=address.format(customer=customer)),),
                template="delay_care/notice",
                locale=draw.choice(("en-US", "es-MX", "de")),
                time_zone="America/New_York",
                variables={
                    "name": f"Passenger {customer}",
                    "description": f"flight UA {draw.randrange(100, 999)} from New York to Houston",
                    "subject_kind": "flight",
                    "promised_at": now.isoformat(),
                    "expected_at": (now + timedelta(minutes=late)).isoformat(),
                    "reason": "WEATHER",
                    "wait_minutes": str(late),
                    "gesture_title": "free wifi, and a book or film of your choice",
                    "gesture_link": f"https://care.example/g/{customer}/{number}",
                    "previous_expected_at": now.isoformat(),
                },
                why="Your flight is late, and we want you to hear it from us first.",
                useful_until=now + _OF_USE,
            )
        )
    return requests


async def publish(settings: Settings, requests: Sequence[OutreachRequested]) -> None:
    """Write them to the outreach topic, keyed by customer, in their order, as the journeys role does it."""
    registry = ConfluentRegistry(settings)
    topic = settings.topics.outreach
    codec = Codec(registry=registry, topics=settings.topics)
    producer = AIOKafkaProducer(
        **settings.kafka_client(), transactional_id=f"{settings.topic_prefix}{uuid.uuid4().hex}", linger_ms=5
    )
    try:
        await codec.prepare(topic)
        await producer.start()
        for begin in range(0, len(requests), _CHUNK):
            async with producer.transaction():
                sent = [
                    await producer.send(
                        settings.topics.full_name(topic),
                        key=request.customer_id.encode(),
                        value=codec.encode(topic, request),
                    )
                    for request in requests[begin : begin + _CHUNK]
                ]
                await asyncio.gather(*sent)
    finally:
        await producer.stop()
        await registry.close()


@dataclass(slots=True)
class Told:
    """What the topics tell of outreach, by ``outreach_id``."""

    outcomes: dict[str, list[str]] = field(default_factory=dict)
    """Names of the outcome records, each as often as it was told."""
    ledger: dict[str, str] = field(default_factory=dict)
    """Status of the latest ledger entry."""

    def ended(self, requests: Iterable[OutreachRequested]) -> bool:
        """Whether each has an outcome."""
        return all(request.outreach_id in self.outcomes for request in requests)

    def named(self, kind: type[Any]) -> set[str]:
        """The outreach that came to that end."""
        return {key for key, names in self.outcomes.items() if kind.__name__ in names}


async def told(settings: Settings) -> Told:
    """Outcomes and ledger as a read-committed reader sees them now."""
    found = Told()
    for message in await messages(settings, "outcomes", "outreach-ledger"):
        match message.record:
            case OutreachLedgerEntry() as entry:
                found.ledger[entry.outreach_id] = entry.status.value
            case record if isinstance(record, _OUTCOMES):
                found.outcomes.setdefault(record.outreach_id, []).append(type(record).__name__)
            case _:
                pass
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """One letter in the mailbox."""

    outreach_id: str
    order: int
    """Place in the order in which the mail server took letters."""
    at: float
    """When, as a POSIX time."""


def mailbox(directory: Path, *, of: Iterable[OutreachRequested]) -> list[Arrived]:
    """The letters of these requests that the mail server keeps in ``directory``, in the order it took them."""
    wanted = {request.outreach_id for request in of}
    parser = BytesHeaderParser()
    found = []
    for name in os.listdir(directory):
        stamp, _, rest = name.partition("-")
        if not name.endswith(".eml") or name.startswith("."):
            continue
        with (directory / name).open("rb") as file:
            head = parser.parse(file)
        outreach_id = str(head[OUTREACH_HEADER])
        if outreach_id in wanted:
            at = datetime.strptime(stamp, "%Y%m%dT%H%M%S.%fZ").replace(tzinfo=UTC).timestamp()
            found.append(Arrived(outreach_id=outreach_id, order=int(rest.partition("-")[0]), at=at))
    return sorted(found, key=lambda letter: letter.order)


def order_breaks(requests: Iterable[OutreachRequested], seen: Iterable[str]) -> int:
    """How often a customer got a letter after one that was asked for later; a repeat of a letter is no break."""
    place = {request.outreach_id: (request.customer_id, int(request.occasion)) for request in requests}
    latest: dict[str, int] = {}
    once: set[str] = set()
    breaks = 0
    for outreach_id in seen:
        if outreach_id in once:
            continue
        once.add(outreach_id)
        customer, number = place[outreach_id]
        breaks += number < latest.get(customer, -1)
        latest[customer] = max(number, latest.get(customer, -1))
    return breaks
