"""Only what is registered under the contract's subjects is read: elsewhere nobody has checked it against ours."""

from __future__ import annotations

import struct
from typing import Any

import pytest

import schemas
from schemas import Schema
from streams.avro.codec import Codec
from streams.errors import SchemaNotRegistered, Unreadable
from streams.events import ContactOpened
from streams.registry.registry import InMemoryRegistry
from tests.streams.given import OPENED, TOPICS, prepared, schema_of

SUBJECT = TOPICS.subject(TOPICS.touchpoints, "careline.touchpoint.ContactOpened")
ELSEWHERE = (
    "another-subject",
    "careline.touchpoint.ContactOpened",
    "careline.touchpoints-value",
    "careline.touchpoints-careline.touchpoint.ContactClosed",
    f"other.{SUBJECT}",
)


class Counting(InMemoryRegistry):
    """Counts how often it is asked."""

    asked = 0

    async def schema(self, schema_id: int) -> Schema:
        """See :meth:`Registry.schema`."""
        self.asked += 1
        return await super().schema(schema_id)

    async def id_of(self, subject: str, schema: Schema) -> int:
        """See :meth:`Registry.id_of`."""
        self.asked += 1
        return await super().id_of(subject, schema)


def with_mood() -> Schema:
    """What a newer publisher may write."""
    schema = schema_of("ContactOpened")
    schema["fields"].append({"name": "mood", "type": ["null", "string"], "default": None, "doc": "new"})
    return schema


def mooded(codec: Codec, schema_id: int) -> bytes:
    return struct.pack(">bI", 0, schema_id) + codec.encode(TOPICS.touchpoints, OPENED)[5:] + b"\0"


@pytest.mark.parametrize("subject", ELSEWHERE)
async def test_under_another_subject(subject: str) -> None:
    """A schema that is called as ours under another subject is not read; the detail names where it belongs."""
    codec, registry = await prepared()
    value = mooded(codec, await registry.register(subject, with_mood()))
    with pytest.raises(Unreadable) as caught:
        await codec.decode(value)
    assert caught.value.reason == "foreign_schema"
    assert f"not registered under {SUBJECT}" in caught.value.detail


async def test_under_the_contracts_subject() -> None:
    """The same schema is read where it stands under the contract's subject."""
    codec, registry = await prepared()
    assert await codec.decode(mooded(codec, await registry.register(SUBJECT, with_mood()))) == OPENED


@pytest.mark.parametrize("subject", ELSEWHERE)
@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"doc": "as another house words it"},
        {"aliases": ["Old"]},
    ],
    ids=["ours", "worded otherwise", "an alias"],
)
async def test_our_own_schema_is_ours_wherever_it_is_registered(subject: str, changed: dict[str, Any]) -> None:
    """A client that registers our very schema under a subject of its own says the same as we do, and is read."""
    codec, registry = await prepared()
    schema_id = await registry.register(subject, schema_of("ContactOpened") | changed)
    assert await codec.decode(struct.pack(">bI", 0, schema_id) + codec.encode(TOPICS.touchpoints, OPENED)[5:]) == OPENED


@pytest.mark.parametrize("name", [one for one in schemas.names() if len(schemas.versions(one)) > 1])
async def test_every_published_version_is_ours(name: str) -> None:
    """Older versions of ours are taken for what they are, whichever subject their id stands under."""
    codec, registry = await prepared()
    for number, older in enumerate(schemas.versions(name)):
        registry._schemas[5_000 + number] = older
        with pytest.raises(Unreadable) as caught:
            await codec.decode(struct.pack(">bI", 0, 5_000 + number))
        assert caught.value.reason == "undecodable", "it was read, and there was nothing in it"


async def test_the_registry_is_asked_once_and_after_a_while_again() -> None:
    """A flood of such records costs one question; registered under our subject, the schema is read soon after."""
    registry, seconds = Counting(), [0.0]
    for subject, record in TOPICS.subjects():
        await registry.register(subject, schemas.latest(record))
    codec = Codec(registry=registry, topics=TOPICS, seconds=lambda: seconds[0])
    await codec.prepare(TOPICS.touchpoints)
    value = mooded(codec, await registry.register("elsewhere", with_mood()))
    with pytest.raises(SchemaNotRegistered):
        await registry.id_of(SUBJECT, with_mood())
    before = registry.asked
    for _ in range(100):
        with pytest.raises(Unreadable):
            await codec.decode(value)
    assert registry.asked - before <= 2
    await registry.register(SUBJECT, with_mood())
    seconds[0] += 60
    assert isinstance(await codec.decode(value), ContactOpened)
    before = registry.asked
    await codec.decode(value)
    assert registry.asked == before
