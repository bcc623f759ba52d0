"""Clients of other languages find our schemas, with the settings that the README documents."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from confluent_kafka.schema_registry import SchemaRegistryClient, topic_record_subject_name_strategy
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

import schemas
from schemas import contract
from streams.config import Settings
from streams.registry.recognition import recognises
from streams.registry.registry import ConfluentRegistry
from tests.interop.lookups import LOOKUPS, Lookup, as_java_writes

pytestmark = pytest.mark.live

TOUCHPOINTS = Path(contract.HOME) / "touchpoint"
DOCUMENTED: tuple[dict[str, Any], ...] = (
    {"auto.register.schemas": False, "use.latest.version": True},
    {"auto.register.schemas": False, "normalize.schemas": True},
    {"auto.register.schemas": False},
)


def files(record: str) -> list[Path]:
    """A record's published versions, oldest first."""
    return sorted((TOUCHPOINTS / record).glob("v*.avsc"), key=lambda file: int(file.stem[1:]))


@pytest.mark.parametrize("lookup", LOOKUPS, ids=str)
async def test_every_client_finds_every_touchpoint(lookup: Lookup, module_settings: Settings) -> None:
    """By content the version it was built with, by latest the latest: the ids that our own publisher uses."""
    topics = module_settings.topics
    records = sorted(folder.name for folder in TOUCHPOINTS.iterdir() if (folder / "v1.avsc").is_file())
    assert len(records) >= 19
    found: dict[str, list[int]] = {}
    expected: dict[str, list[int]] = {}
    registry = ConfluentRegistry(module_settings)
    try:
        with httpx.Client(base_url=f"{module_settings.registry_url}/") as http:
            for record in records:
                name = f"careline.touchpoint.{record}"
                subject = topics.subject(topics.touchpoints, name)
                ids = [await registry.id_of(subject, schema) for schema in schemas.versions(name)]
                latest = "latest" in lookup.setting or "SchemaByVersion" in lookup.setting
                expected[record] = [ids[-1]] * len(ids) if latest else ids
                found[record] = [lookup.ask(http, subject, file.read_text()) for file in files(record)]
    finally:
        await registry.close()
    assert found == expected


@pytest.mark.parametrize("settings_of_client", DOCUMENTED, ids=lambda one: ", ".join(one))
async def test_the_python_client_serializes_with_each_documented_setting(
    settings_of_client: dict[str, Any], module_settings: Settings
) -> None:
    """Confluent's own client, once by the latest version and once by the content of the file it was built with."""
    topic = module_settings.topics.full_name(module_settings.topics.touchpoints)
    serialize = AvroSerializer(
        SchemaRegistryClient({"url": module_settings.registry_url}),
        (TOUCHPOINTS / "OrderDelivered" / "v1.avsc").read_text(),
        conf={**settings_of_client, "subject.name.strategy": topic_record_subject_name_strategy},
    )
    event = {
        "event_id": str(uuid.uuid4()),
        "customer_id": "ana",
        "occurred_at": datetime.now(UTC) - timedelta(minutes=1),
        "source": "urn:acme:shop",
        "order_id": "o-1",
    }
    value = serialize(event, SerializationContext(topic, MessageField.VALUE))
    assert value is not None
    registry = ConfluentRegistry(module_settings)
    try:
        written = await registry.schema(int.from_bytes(value[1:5]))
    finally:
        await registry.close()
    assert f"{written['namespace']}.{written['name']}" == "careline.touchpoint.OrderDelivered"


async def test_setting_up_would_tell_of_a_registry_that_compares_text(module_settings: Settings) -> None:
    """The stack's recognises a schema in any order of keys; another schema of that subject it does not know."""
    topics = module_settings.topics
    name = "careline.touchpoint.OrderDelivered"
    subject = topics.subject(topics.touchpoints, name)
    ours = schemas.latest(name)
    assert await recognises(module_settings, subject, ours)
    fields = [*ours["fields"], {"name": "more", "type": "int", "default": 0}]
    assert not await recognises(module_settings, subject, {**ours, "fields": fields})


def test_javas_text_is_another_text_of_the_same_schema() -> None:
    """The look-ups above would show nothing if Java's text were the file's own."""
    for file in TOUCHPOINTS.glob("*/v*.avsc"):
        text = file.read_text()
        assert as_java_writes(text) != text
        assert json.loads(as_java_writes(text)) == json.loads(text)
