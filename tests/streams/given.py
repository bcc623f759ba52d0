"""Common objects for tests of ``streams``: an event, a codec over an in-memory registry, a consumed record."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from aiokafka import ConsumerRecord

import schemas
from schemas import Schema
from schemas.compatibility import canonical
from streams.avro.codec import Codec, full_name
from streams.events import Channel, ContactOpened, DelayNoticed, DelayReason, replace
from streams.registry.registry import InMemoryRegistry
from streams.topics import Topics

NOON = datetime(2026, 2, 9, 12, 0, tzinfo=UTC)
TOPICS = Topics()
EVENT_ID = "3f0c4d4e-6b1c-4b57-9f0e-0d3a1a5f7c11"

OPENED = ContactOpened(
    event_id=EVENT_ID,
    customer_id="ana",
    occurred_at=NOON,
    source="chat",
    contact_id="c1",
    channel=Channel.CHAT,
    summary="Where is my flight?",
)
LATE = DelayNoticed(
    event_id=EVENT_ID,
    customer_id="ana",
    occurred_at=NOON,
    source="airport",
    subject_kind="flight",
    subject_id="UA571",
    description="flight UA 571",
    promised_at=NOON,
    expected_at=NOON + timedelta(hours=1),
    reason=DelayReason.WEATHER,
)


def contact(**changes: Any) -> ContactOpened:
    """Return the chat's event with these changes."""
    return replace(OPENED, **changes)


async def prepared() -> tuple[Codec, InMemoryRegistry]:
    """Return a codec that knows every topic, and its registry."""
    registry = InMemoryRegistry()
    for subject, record in TOPICS.subjects():
        await registry.register(subject, schemas.latest(record))
    codec = Codec(registry=registry, topics=TOPICS)
    await codec.prepare(*TOPICS.all())
    return codec, registry


def put(registry: InMemoryRegistry, schema_id: int, schema: Any) -> None:
    """Store a schema in the registry under that id, and under the subjects of its record."""
    registry._schemas[schema_id] = schema
    registry._ids[canonical(schema)] = schema_id
    for subject, record in TOPICS.subjects():
        if record == full_name(schema):
            registry._subjects.setdefault(subject, []).append(schema_id)


def schema_of(record: str) -> Schema:
    """Return a copy of a touchpoint's schema, to make another version of it."""
    return copy.deepcopy(schemas.latest(f"careline.touchpoint.{record}"))


def record(
    value: bytes | None,
    *,
    key: bytes | None = b"ana",
    offset: int = 7,
    partition: int = 0,
    headers: Sequence[tuple[str, bytes]] = (),
    topic: str = "careline.touchpoints",
) -> ConsumerRecord:
    """Return a record as a consumer gets it."""
    return ConsumerRecord(
        topic=topic,
        partition=partition,
        offset=offset,
        timestamp=1_770_638_400_000,
        timestamp_type=0,
        key=key,
        value=value,
        checksum=None,
        serialized_key_size=len(key or b""),
        serialized_value_size=len(value or b""),
        headers=tuple(headers),
    )
