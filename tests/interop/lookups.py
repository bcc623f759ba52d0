"""What Confluent-compatible clients ask a registry before they write a record, request by request.

Each was read from the client's source in the version named. Serializers of Avro for Java do not keep a schema's text:
they write it anew from the parsed schema, so that the registry is asked for other bytes than those of our file.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

Wording = Callable[[str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """One client under one setting. ``ask`` gives the schema id it would write, or fails with the registry's answer."""

    client: str
    setting: str
    ask: Callable[[httpx.Client, str, str], int]
    """Over a client with the registry's address as base, for a subject and the text of a schema file."""

    def __str__(self) -> str:
        return f"{self.client}, {self.setting}"


def as_written(text: str) -> str:
    """The file as it is."""
    return text


def stripped(text: str) -> str:
    """Without the space around it."""
    return text.strip()


def as_java_writes(text: str) -> str:
    """As ``org.apache.avro.Schema.toString`` (1.12) has it: no white space, keys in its own order."""
    return json.dumps(_ordered(json.loads(text)), separators=(",", ":"), ensure_ascii=False)


def _ordered(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_ordered(branch) for branch in schema]
    if not isinstance(schema, dict):
        return schema
    first = [
        key for key in ("type", "name", "namespace", "doc", "fields", "symbols", "items", "values") if key in schema
    ]
    rest = [key for key in schema if key not in first]
    inner = {"fields": _fields, "type": _ordered, "items": _ordered, "values": _ordered}
    return {key: inner[key](schema[key]) if key in inner else schema[key] for key in [*first, *rest]}


def _fields(fields: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"name": field["name"], "type": _ordered(field["type"])}
        | {key: field[key] for key in ("doc", "default") if key in field}
        for field in fields
    ]


def by_content(query: str, wording: Wording, **body: str) -> Callable[[httpx.Client, str, str], int]:
    """``POST /subjects/{subject}`` with the schema's text."""

    def ask(registry: httpx.Client, subject: str, text: str) -> int:
        answer = registry.post(f"subjects/{quote(subject, safe='')}{query}", json={"schema": wording(text), **body})
        return int(answer.raise_for_status().json()["id"])

    return ask


def by_latest(registry: httpx.Client, subject: str, text: str) -> int:
    """``GET /subjects/{subject}/versions/latest``; the text is not asked about."""
    del text
    return int(_latest(registry, subject)["id"])


def by_latest_then_content(registry: httpx.Client, subject: str, text: str) -> int:
    """As Java does: the latest version is fetched, written anew, and looked up by content for its id."""
    latest = _latest(registry, subject)
    return by_content("?normalize=false&deleted=false", as_java_writes)(registry, subject, latest["schema"])


def _latest(registry: httpx.Client, subject: str) -> dict[str, Any]:
    answer = registry.get(f"subjects/{quote(subject, safe='')}/versions/latest").raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


CONTENT = "auto.register.schemas=false"
NORMALIZED = f"{CONTENT}, normalize.schemas=true"
LATEST = f"{CONTENT}, use.latest.version=true"

# Java: RestService.lookUpSubjectVersion and AbstractKafkaAvroSerializer.serializeImpl, kafka-avro-serializer 7.4 to 7.9
_JAVA = "Java, kafka-avro-serializer 7"
# Python: SchemaRegistryClient.lookup_schema and AvroSerializer, confluent-kafka 2.16
_PYTHON = "Python, confluent-kafka 2.16"
# Go: schemaregistry/internal/rest_service.go (SubjectsNormalize) and serde.BaseSerializer.GetID, v2.11
_CONFLUENT_GO = "Go, confluent-kafka-go 2.11"
# Go: sr.Client.LookupSchema and SchemaByVersion, pkg/sr v1.5 and v1.8
_FRANZ_GO = "Go, franz-go/pkg/sr 1"

LOOKUPS = (
    Lookup(client=_JAVA, setting=CONTENT, ask=by_content("?normalize=false&deleted=false", as_java_writes)),
    Lookup(client=_JAVA, setting=NORMALIZED, ask=by_content("?normalize=true&deleted=false", as_java_writes)),
    Lookup(client=_JAVA, setting=LATEST, ask=by_latest_then_content),
    Lookup(
        client=_PYTHON,
        setting=CONTENT,
        ask=by_content("?normalize=False&deleted=False", stripped, schemaType="AVRO"),
    ),
    Lookup(
        client=_PYTHON,
        setting=NORMALIZED,
        ask=by_content("?normalize=True&deleted=False", stripped, schemaType="AVRO"),
    ),
    Lookup(client=_PYTHON, setting=LATEST, ask=by_latest),
    Lookup(client=_CONFLUENT_GO, setting=CONTENT, ask=by_content("?normalize=false", as_written)),
    Lookup(client=_CONFLUENT_GO, setting=NORMALIZED, ask=by_content("?normalize=true", as_written)),
    Lookup(client=_CONFLUENT_GO, setting=LATEST, ask=by_latest),
    Lookup(client=_FRANZ_GO, setting="LookupSchema", ask=by_content("", as_written)),
    Lookup(client=_FRANZ_GO, setting="LookupSchema, sr.Normalize", ask=by_content("?normalize=true", as_written)),
    Lookup(client=_FRANZ_GO, setting="SchemaByVersion, -1", ask=by_latest),
)
