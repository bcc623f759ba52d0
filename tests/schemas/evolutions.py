"""One record and how it may, and may not, change: the same cases for the pure check and for the registries."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from schemas import Schema

BASE: Schema = {
    "type": "record",
    "name": "Waited",
    "namespace": "careline.test",
    "doc": "A record of the tests.",
    "fields": [
        {"name": "name", "type": "string", "doc": "A text."},
        {"name": "count", "type": "int", "doc": "A number.", "default": 0},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}, "doc": "A time."},
        {
            "name": "price",
            "type": ["null", {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2}],
            "doc": "Money.",
            "default": None,
        },
        {
            "name": "mood",
            "type": {"type": "enum", "name": "Mood", "doc": "A mood.", "symbols": ["NONE", "GOOD"], "default": "NONE"},
            "doc": "A mood.",
            "default": "NONE",
        },
        {
            "name": "size",
            "type": {"type": "enum", "name": "Size", "doc": "A size.", "symbols": ["S", "L"]},
            "doc": "A size.",
        },
        {
            "name": "lines",
            "type": {
                "type": "array",
                "items": {
                    "type": "record",
                    "name": "Line",
                    "doc": "A line.",
                    "fields": [{"name": "text", "type": "string", "doc": "Words."}],
                },
            },
            "doc": "Lines.",
            "default": [],
        },
        {"name": "tags", "type": {"type": "map", "values": "string"}, "doc": "Tags.", "default": {}},
    ],
}


@dataclass(frozen=True, slots=True)
class Bad:
    """``names`` is what the reason has to mention; Avro, and with it the registry, is blind to some."""

    schema: Schema
    names: str
    refused_by_registry: bool = True


def _field(schema: Schema, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(field for field in schema["fields"] if field["name"] == name)
    return found


def _with(field: dict[str, Any]) -> Schema:
    return {**BASE, "fields": [*BASE["fields"], field]}


def _without(name: str) -> Schema:
    return {**BASE, "fields": [field for field in BASE["fields"] if field["name"] != name]}


def _changed(field: str, **changes: Any) -> Schema:
    schema = deepcopy(BASE)
    _field(schema, field).update(changes)
    return schema


def _enum(name: str, symbols: list[str]) -> Schema:
    schema = deepcopy(BASE)
    _field(schema, name)["type"]["symbols"] = symbols
    return schema


def _line(*fields: dict[str, Any]) -> Schema:
    schema = deepcopy(BASE)
    _field(schema, "lines")["type"]["items"]["fields"] = list(fields)
    return schema


_TEXT = {"name": "text", "type": "string", "doc": "Words."}

GOOD: dict[str, Schema] = {
    "a new field with a default": _with({"name": "new", "type": "string", "doc": "New.", "default": ""}),
    "a new optional field": _with({"name": "new", "type": ["null", "string"], "doc": "New.", "default": None}),
    "a field with a default goes": _without("count"),
    "other documentation": {**BASE, "doc": "Said better."},
    "fields in another order": {**BASE, "fields": BASE["fields"][::-1]},
    "a new symbol in an enum with a default": _enum("mood", ["NONE", "GOOD", "BAD"]),
    "a symbol less in an enum with a default": _enum("mood", ["NONE"]),
    "a nested record grows by a field with a default": _line(
        _TEXT, {"name": "bold", "type": "boolean", "doc": "Bold.", "default": False}
    ),
}

BAD: dict[str, Bad] = {
    "a new field without a default": Bad(_with({"name": "new", "type": "string", "doc": "New."}), "new"),
    "a field without a default goes": Bad(_without("name"), "name"),
    "a field is renamed": Bad(_changed("name", name="title"), "title"),
    "another type": Bad(_changed("name", type="int"), "string"),
    "a wider number": Bad(_changed("count", type="long"), "count: was int, is long"),
    "text becomes optional": Bad(_changed("name", type=["null", "string"]), "null"),
    "another union": Bad(
        _changed("price", type=["null", "string"]), "price: was null or bytes, is null or string", False
    ),
    "one branch more": Bad(_changed("price", type=[*_field(BASE, "price")["type"], "string"]), "string", False),
    "a union loses its branch": Bad(_changed("price", type="null"), "null"),
    "a new symbol in an enum without a default": Bad(_enum("size", ["S", "L", "XL"]), "XL"),
    "a symbol less in an enum without a default": Bad(_enum("size", ["S"]), "L"),
    "a nested record grows without a default": Bad(
        _line(_TEXT, {"name": "bold", "type": "boolean", "doc": "Bold."}), "bold"
    ),
    "a field of a nested record changes its type": Bad(_line({**_TEXT, "type": "double"}), "double"),
    "other items": Bad(_changed("lines", type={"type": "array", "items": "string"}), "string"),
    "other values": Bad(_changed("tags", type={"type": "map", "values": "int"}), "int"),
    "another name": Bad({**BASE, "name": "Hurried"}, "Hurried"),
    "text becomes bytes": Bad(_changed("name", type="bytes"), "name: was string, is bytes", False),
    "a time becomes a number": Bad(_changed("at", type="long"), "at: logicalType", False),
    "milliseconds become microseconds": Bad(
        _changed("at", type={"type": "long", "logicalType": "timestamp-micros"}), "timestamp-micros", False
    ),
    "cents become tenths of cents": Bad(
        _changed("price", type=["null", {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 3}]),
        "scale",
        False,
    ),
    "an alias for a renamed field": Bad(_changed("count", name="number", aliases=["count"]), "alias", False),
}
