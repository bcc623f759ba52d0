"""All other schemas under which a stranger may write a record, if the registry accepts them."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

import fastavro.schema

import schemas
from streams.avro.codec import expand
from streams.errors import CarelineError
from streams.registry.registry import ConfluentRegistry
from streams.topics import Topics

Schema = Any


@dataclass(frozen=True, slots=True)
class Variation:
    """A schema that the registry accepted. ``wire`` is the same without logical types: numbers and bytes."""

    record: str
    name: str
    schema_id: int
    schema: Schema
    wire: Schema


def everywhere(schema: Schema, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Schema:
    """The schema with ``change`` applied to each part that is an object, inner ones first."""
    if isinstance(schema, list):
        return [everywhere(one, change) for one in schema]
    if not isinstance(schema, dict):
        return schema
    nested = ("type", "items", "values", "fields")
    return change({key: everywhere(part, change) if key in nested else part for key, part in schema.items()})


def _logical(name: str, **changed: Any) -> Callable[[Schema], Schema]:
    def change(part: dict[str, Any]) -> dict[str, Any]:
        return (
            {key: value for key, value in (part | changed).items() if value is not None}
            if part.get("logicalType") == name
            else part
        )

    return lambda schema: everywhere(schema, change)


def _primitive(old: str, new: Any) -> Callable[[Schema], Schema]:
    def changed(kind: Any) -> Any:
        if kind == old:
            return new
        return [changed(one) for one in kind] if isinstance(kind, list) else kind

    def change(part: dict[str, Any]) -> dict[str, Any]:
        if "logicalType" in part:
            return part
        return {key: changed(value) if key in ("type", "items", "values") else value for key, value in part.items()}

    return lambda schema: everywhere(schema, change)


def _more_fields(schema: Schema) -> Schema:
    inner = {
        "type": "record",
        "name": "FuzzExtra",
        "fields": [{"name": "deep", "type": {"type": "array", "items": "string"}}],
    }
    more = [
        {"name": "fuzz_text", "type": ["null", "string"], "default": None},
        {"name": "fuzz_number", "type": "double", "default": 0.0},
        {"name": "fuzz_record", "type": ["null", inner], "default": None},
        {"name": "fuzz_map", "type": {"type": "map", "values": "long"}, "default": {}},
    ]
    return schema | {"fields": [*schema["fields"], *more]}


def _symbols(schema: Schema) -> Schema:
    def change(part: dict[str, Any]) -> dict[str, Any]:
        return part | {"symbols": [*part["symbols"], "FUZZ_OTHER"]} if part.get("type") == "enum" else part

    return everywhere(schema, change)


def _inner_namespace(schema: Schema) -> Schema:
    def change(part: dict[str, Any]) -> dict[str, Any]:
        inner = part.get("type") in ("record", "enum", "fixed") and part["name"] != schema["name"]
        return part | {"namespace": "org.fuzz", "name": part["name"].rpartition(".")[2]} if inner else part

    return everywhere(schema, change)


VARIATIONS: dict[str, Callable[[Schema], Schema]] = {
    "as it is": lambda schema: schema,
    "more fields": _more_fields,
    "only what has no default": lambda schema: (
        schema | {"fields": [one for one in schema["fields"] if "default" not in one]}
    ),
    "another order": lambda schema: schema | {"fields": schema["fields"][::-1]},
    "microseconds": _logical("timestamp-millis", logicalType="timestamp-micros"),
    "local time": _logical("timestamp-millis", logicalType="local-timestamp-millis"),
    "plain numbers": _logical("timestamp-millis", logicalType=None),
    "scale 4": _logical("decimal", scale=4),
    "precision 38": _logical("decimal", precision=38),
    "scale 0": _logical("decimal", scale=0),
    "money as bytes": _logical("decimal", logicalType=None, precision=None, scale=None),
    "uuids as text": _logical("uuid", logicalType=None),
    "int to long": _primitive("int", "long"),
    "int to double": _primitive("int", "double"),
    "text as bytes": _primitive("string", "bytes"),
    "more symbols": _symbols,
    "an alias": lambda schema: schema | {"aliases": ["org.fuzz.Other", schema["name"] + "Old"]},
    "another namespace inside": _inner_namespace,
    "another namespace": lambda schema: schema | {"namespace": "org.fuzz"},
    "no doc": lambda schema: {key: value for key, value in schema.items() if key != "doc"},
}
"""What is done to the latest version, by name. Add whatever a stranger's tools might do."""


def candidates(record: str) -> Iterator[tuple[str, Schema]]:
    """The older versions, and the latest with each change that makes a difference."""
    for number, older in enumerate(schemas.versions(record)[:-1], start=1):
        yield f"version {number}", older
    ours = schemas.latest(record)
    for name, change in VARIATIONS.items():
        changed = change(copy.deepcopy(ours))
        if (name == "as it is" or changed != ours) and _is_schema(changed):
            yield name, changed


def _is_schema(schema: Schema) -> bool:
    """A change may have put the use of a named type before its definition."""
    try:
        expand(schema)
    except (fastavro.schema.UnknownType, fastavro.schema.SchemaParseException):
        return False
    return True


def without_logical_types(schema: Schema) -> Schema:
    """What the values are on the wire."""
    return everywhere(schema, lambda part: {key: value for key, value in part.items() if key != "logicalType"})


async def accepted(
    registry: ConfluentRegistry, topics: Topics, *, only: Collection[str] = ()
) -> tuple[list[Variation], list[str]]:
    """Each variation that the registry takes under the contract's subjects, and the names of those that it refuses.

    ``only`` of these types, all if empty.
    """
    names = [one for one in topics.touchpoints.records if not only or one.rpartition(".")[2] in only]
    found = await asyncio.gather(*(_accepted(registry, topics, record) for record in names))
    return [one for taken, _ in found for one in taken], [one for _, refused in found for one in refused]


async def _accepted(registry: ConfluentRegistry, topics: Topics, record: str) -> tuple[list[Variation], list[str]]:
    """Of one type, in the order of its variations: each is compared with those before."""
    taken: list[Variation] = []
    refused: list[str] = []
    subject = topics.subject(topics.touchpoints, record)
    for name, schema in candidates(record):
        try:
            schema_id = await registry.register(subject, schema)
        except CarelineError:
            refused.append(f"{record.rpartition('.')[2]}: {name}")
            continue
        taken.append(Variation(record, name, schema_id, expand(schema), expand(without_logical_types(schema))))
    return taken, refused
