"""A producer that shares no code with this project: librdkafka with its own Avro serializer. A letter arrives.

What is published here is made of the published schema files and the README's settings, and of nothing else of ours.
"""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from confluent_kafka import Producer
from confluent_kafka.schema_registry import SchemaRegistryClient, topic_record_subject_name_strategy
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

from tests.live.reading import records, states, until
from tests.live.roles import Role

pytestmark = pytest.mark.live

SCHEMAS = Path(__file__).parents[2] / "schemas" / "touchpoint"
ZONES = ("America/New_York", "Europe/Berlin", "Asia/Tokyo", "Pacific/Auckland", "America/Los_Angeles", "Asia/Kolkata")


class ForeignProducer:
    """What a Java, Go or .NET service would do, in the client they all share."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._topic = f"{env['CARELINE_TOPIC_PREFIX']}touchpoints"
        self._registry = SchemaRegistryClient({"url": env["CARELINE_REGISTRY_URL"]})
        self._producer = Producer(
            {"bootstrap.servers": env["CARELINE_KAFKA_BOOTSTRAP"], "partitioner": "murmur2_random", "acks": "all"}
        )

    def publish(self, events: Iterable[tuple[str, dict[str, Any]]]) -> None:
        failed: list[Any] = []
        for record, event in events:
            serialize = AvroSerializer(
                self._registry,
                (SCHEMAS / record / "v1.avsc").read_text(),
                conf={
                    "auto.register.schemas": False,
                    "use.latest.version": True,
                    "subject.name.strategy": topic_record_subject_name_strategy,
                },
            )
            self._producer.produce(
                self._topic,
                key=event["customer_id"].encode(),
                value=serialize(event, SerializationContext(self._topic, MessageField.VALUE)),
                on_delivery=lambda error, _: failed.append(error) if error is not None else None,
            )
        assert self._producer.flush(30) == 0
        assert failed == []


def where_it_is_day(now: datetime) -> str:
    """A time zone in which nobody is woken by a letter for some hours to come."""
    return next(zone for zone in ZONES if 8 <= now.astimezone(ZoneInfo(zone)).hour < 18)


def letters_in(folder: Path, recipient: str) -> list[EmailMessage]:
    """The letters to one person."""
    found = []
    for file in sorted(folder.rglob("*.eml")):
        letter = BytesParser(EmailMessage, policy=policy.default).parsebytes(file.read_bytes())
        if recipient in str(letter["To"]):
            found.append(letter)
    return found


async def latencies(role: Role) -> int:
    """From how many events the role knows how long they took, each in less than a minute."""
    async with httpx.AsyncClient() as client:
        text = (await client.get(f"http://127.0.0.1:{role.port}/metrics")).text
    name = "careline_processor_event_to_commit_seconds"
    counts = [re.search(rf"^{name}_{of}\S* (\S+)$", text, re.MULTILINE) for of in ("count", 'bucket{le="60.0"')]
    assert all(counts), text
    whole, quick = (int(float(count[1])) for count in counts if count is not None)
    assert whole == quick
    return whole


async def test_a_foreign_producer_publishes_a_touchpoint_and_a_letter_arrives(
    settings: Any, role_env: dict[str, str], mail_dir: Path
) -> None:
    """A profile and a delay from librdkafka; a letter in the mailbox; the outcome in the topic and in the journey."""
    now = datetime.now(UTC)
    customer = f"traveller-{uuid.uuid4().hex[:8]}"
    address = f"{customer}@mail.example"
    common = {"customer_id": customer, "source": "urn:foreign:departures"}
    ForeignProducer(role_env).publish(
        [
            ("ProfileUpdated", {
                **common, "event_id": str(uuid.uuid4()), "occurred_at": now - timedelta(minutes=2),
                "name": "Noor de Vries", "locale": "en-US", "time_zone": where_it_is_day(now),
                "addresses": [{"channel": "EMAIL", "address": address}],
            }),
            ("DelayNoticed", {
                **common, "event_id": str(uuid.uuid4()), "occurred_at": now - timedelta(minutes=1),
                "subject_kind": "flight", "subject_id": "KL 641", "description": "flight KL 641 to Amsterdam",
                "order_id": None, "promised_at": now + timedelta(hours=1), "expected_at": now + timedelta(hours=4),
                "cancelled": False, "reason": "WEATHER",
            }),
        ]
    )  # fmt: skip
    async with Role("journeys", role_env) as journeys, Role("outreach", role_env) as outreach:
        [letter] = await until(lambda: asyncio.to_thread(letters_in, mail_dir, address), bool, within=60)
        [request] = await records(settings, "outreach")
        [sent] = await until(lambda: records(settings, "outcomes"), bool)
        seen = await until(
            lambda: states(settings),
            lambda seen: [note.outreach_id for note in seen[customer].outreach if note.outcome] == [sent.outreach_id],
        )
        measured = [await latencies(role) for role in (journeys, outreach)]
    assert measured == [3, 1], "two facts without our header, the letter, and its outcome"
    assert letter["To"] == address or address in letter["To"]
    assert letter["Careline-Outreach-Id"] == request.outreach_id == sent.outreach_id
    assert "flight" in letter["Subject"]
    body = letter.get_body(("plain",))
    assert body is not None
    assert "flight KL 641 to Amsterdam" in body.get_content()
    assert type(sent).__name__ == "OutreachSent"
    assert seen[customer].touchpoints == 2
    assert seen[customer].profile.name == "Noor de Vries"
    assert len(letters_in(mail_dir, address)) == 1


async def test_a_default_librdkafka_partitioner_does_no_harm(settings: Any, role_env: dict[str, str]) -> None:
    """Without the documented partitioner events land on wrong partitions; they are forwarded, none is lost."""
    env = role_env
    producer = ForeignProducer(env)
    producer._producer = Producer({"bootstrap.servers": env["CARELINE_KAFKA_BOOTSTRAP"], "acks": "all"})
    now = datetime.now(UTC)
    customers = [f"c-{number}" for number in range(24)]
    producer.publish(
        ("OrderDelivered", {
            "event_id": str(uuid.uuid4()), "customer_id": customer, "occurred_at": now, "source": "urn:foreign:shop",
            "order_id": f"o-{turn}",
        })
        for turn in range(3)
        for customer in customers
    )  # fmt: skip
    async with Role("journeys", role_env):
        seen = await until(
            lambda: states(settings),
            lambda seen: {name: state.touchpoints for name, state in seen.items()} == dict.fromkeys(customers, 3),
        )
    assert all(len(state.orders) == 3 for state in seen.values())
    assert len(await records(settings, "touchpoints")) > 3 * len(customers)  # the forwarded ones are there twice
