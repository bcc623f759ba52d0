"""Small records that are designed to be expensive for their reader, with the expected result of each.

They are measured by ``python -m tests.benchmarks.hostile``, checked by tests/streams/test_work.py, and sent to the real
roles by the drive (:mod:`tests.fuzz.drive`).
"""

from __future__ import annotations

import copy
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx

import schemas
from streams.avro.binary import write_bytes, write_double, write_long, write_text
from streams.avro.records import NAMES
from streams.avro.specialised import encoder_of
from streams.config import Settings
from streams.errors import CarelineError
from streams.events import Channel, ContactOpened, OrderItem, OrderPlaced
from streams.registry.registry import FULL_TRANSITIVE, NONE, ConfluentRegistry
from tests.fuzz.shots import Shot

NOON = datetime(2026, 2, 9, 12, 0, tzinfo=UTC)
MOST = 900_000
"""Bytes of a value, so that the record fits onto its topic with framing, key and headers."""

_FACTS: dict[str, Any] = {
    "event_id": "3f0c4d4e-6b1c-4b57-9f0e-0d3a1a5f7c11",
    "customer_id": "odd1",
    "occurred_at": NOON,
    "source": "urn:test:fuzz",
}
_OPENED = ContactOpened(**_FACTS, contact_id="c1", channel=Channel.CHAT, summary="")
_LINE = OrderItem(item_id="", description="", quantity=0, unit_price=Decimal(0))


def order_of(lines: int) -> OrderPlaced:
    """An order with ``lines`` lines, each of as few bytes as possible."""
    return OrderPlaced(
        **_FACTS, order_id="o", description="d", total=Decimal(1), currency="EUR", items=(_LINE,) * lines
    )


def under(kind: Any) -> Any:
    """The schema of ContactOpened with an unknown field of that type in front."""
    schema = copy.deepcopy(schemas.latest("careline.touchpoint.ContactOpened"))
    schema["fields"].insert(0, {"name": "theirs", "type": kind, "doc": "a stranger's"})
    return schema


@dataclass(frozen=True, slots=True)
class Hostile:
    """``made`` returns the schema and the body; ``says`` is a part of the reader's message."""

    made: Callable[[], tuple[Any, bytes]]
    says: str


def _theirs(kind: Any, value: bytes | Callable[[], bytes], says: str) -> Hostile:
    def made() -> tuple[Any, bytes]:
        return under(kind), (value if isinstance(value, bytes) else value()) + _body(_OPENED)

    return Hostile(made, says)


def _body(event: Any) -> bytes:
    return encoder_of(schemas.latest(NAMES[type(event)]))(event)


def _ours(event: Callable[[], Any], says: str) -> Hostile:
    def made() -> tuple[Any, bytes]:
        found = event()
        return schemas.latest(NAMES[type(found)]), _body(found)

    return Hostile(made, says)


def _contact(**raw: bytes) -> Hostile:
    """A record under our own schema with the bytes of a field replaced."""

    def made() -> tuple[Any, bytes]:
        schema: Any = schemas.latest("careline.touchpoint.ContactOpened")
        names = [field["name"] for field in schema["fields"]]
        parts = [encoder_of(schema, only=[name])(_OPENED) for name in names]
        return schema, b"".join(raw.get(name, part) for name, part in zip(names, parts, strict=True))

    return Hostile(made, "undecodable" if any(len(value) < 100 for value in raw.values()) else "read")


def _money() -> Hostile:
    def made() -> tuple[Any, bytes]:
        schema: Any = schemas.latest("careline.touchpoint.OrderPlaced")
        order = order_of(0)
        parts = [encoder_of(schema, only=[field["name"]])(order) for field in schema["fields"]]
        at = [field["name"] for field in schema["fields"]].index("total")
        optional = isinstance(schema["fields"][at]["type"], list)
        parts[at] = (parts[at][:1] if optional else b"") + write_bytes(b"\x7f" * 500_000)
        return schema, b"".join(parts)

    return Hostile(made, "500000 bytes")


def _many(item: bytes, says_how_many: int | None = None) -> Callable[[], bytes]:
    def made() -> bytes:
        count = MOST // len(item) if says_how_many is None else says_how_many
        return write_long(count) + item * min(count, MOST // len(item)) + b"\0"

    return made


def nested(levels: int, *, of: str = "boolean") -> Any:
    """A schema of lists nested ``levels`` deep."""
    kind: Any = of
    for _ in range(levels):
        kind = {"type": "array", "items": kind}
    return kind


def doubling(levels: int, *, of: str = "int") -> Any:
    """A schema in which each type contains the one below it twice."""
    kind: Any = {"type": "record", "name": "T0", "fields": [{"name": "n", "type": of}]}
    for level in range(1, levels):
        fields = [{"name": "a", "type": kind}, {"name": "b", "type": f"T{level - 1}"}]
        kind = {"type": "record", "name": f"T{level}", "fields": fields}
    return kind


def _record(name: str, kinds: list[Any]) -> Any:
    return {
        "type": "record",
        "name": name,
        "fields": [{"name": f"f{at}", "type": kind} for at, kind in enumerate(kinds)],
    }


def _list(items: Any) -> Any:
    return {"type": "array", "items": items}


LIST_WITHIN = _list(_list("boolean"))
_NEXT = {"type": "record", "name": "N", "fields": [{"name": "next", "type": ["null", "N"]}]}
_WIDE_UNION = [*({"type": "fixed", "name": f"F{number}", "size": number} for number in range(62)), "boolean"]
_TOO_MANY = "values"
_AGAIN = "within itself"

HOSTILE: Mapping[str, Hostile] = {
    # nesting
    "a type within itself, 900,000 deep": _theirs(_NEXT, b"\x02" * MOST, _AGAIN),
    "a list of itself": _theirs(
        {"type": "record", "name": "N", "fields": [{"name": "n", "type": _list("N")}]}, b"", _AGAIN
    ),
    "a map of itself": _theirs(
        {"type": "record", "name": "N", "fields": [{"name": "n", "type": {"type": "map", "values": "N"}}]}, b"", _AGAIN
    ),
    "lists within lists, 300 deep": _theirs(nested(300), b"\x02" * 300, "deep"),
    "lists within lists, 30 deep": _theirs(nested(30), lambda: b"\x02" * 29 + _many(b"\1")(), _TOO_MANY),
    "types that double 30 times": _theirs(doubling(30), bytes(1_000), "types within one another"),
    "a record of 3,000 optional fields": _theirs(
        _record("R", [["null", "int"]] * 3_000), bytes(3_000), "types within one another"
    ),
    "a record of 220 optional fields": _theirs(_record("R", [["null", "int"]] * 220), bytes(220), "read"),
    # arrays
    "300,000,000 nothings": _theirs(_list("null"), write_long(300_000_000) + b"\0", "no bytes"),
    "300,000,000 empty records": _theirs(_list(_record("E", ["null"])), write_long(300_000_000) + b"\0", "no bytes"),
    "300,000,000 fixed of no byte": _theirs(
        _list({"type": "fixed", "name": "F", "size": 0}), write_long(300_000_000) + b"\0", "no bytes"
    ),
    "more flags than bytes": _theirs(_list("boolean"), write_long(1 << 50) + b"\0", "bytes"),
    "900,000 flags": _theirs(_list("boolean"), _many(b"\1"), _TOO_MANY),
    "29,000 flags": _theirs(_list("boolean"), _many(b"\1", 29_000), "read"),
    "7,400 flags in blocks of one": _theirs(_list("boolean"), b"\x02\1" * 7_400 + b"\0", "read"),
    "400,000 flags in blocks of one": _theirs(_list("boolean"), lambda: b"\x02\1" * 400_000 + b"\0", _TOO_MANY),
    "450,000 empty lists": _theirs(LIST_WITHIN, _many(b"\0"), _TOO_MANY),
    "4,900 empty lists": _theirs(LIST_WITHIN, _many(b"\0", 4_900), "read"),
    "4,000 records of 200 optional fields": _theirs(
        _list(_record("R", [["null", "int"]] * 200)), _many(bytes(200)), _TOO_MANY
    ),
    "25 records of 200 optional fields": _theirs(
        _list(_record("R", [["null", "int"]] * 200)), _many(bytes(200), 25), "read"
    ),
    "150,000 lines of an order": _ours(lambda: order_of(150_000), _TOO_MANY),
    "1,500 lines of an order": _ours(lambda: order_of(1_500), "read"),
    # maps
    "200,000 entries of a map": _theirs(
        {"type": "map", "values": "boolean"},
        lambda: write_long(100_000) + b"".join(write_text(f"{at:05x}") + b"\1" for at in range(100_000)) + b"\0",
        _TOO_MANY,
    ),
    "5,500 entries of a map": _theirs(
        {"type": "map", "values": "boolean"},
        lambda: write_long(5_500) + b"".join(write_text(f"{at:05x}") + b"\1" for at in range(5_500)) + b"\0",
        "read",
    ),
    "a map with one key over and over": _theirs({"type": "map", "values": "boolean"}, _many(b"\0\1"), _TOO_MANY),
    # unions
    "a union of 63 types, 900,000 times the last": _theirs(_list(_WIDE_UNION), _many(b"\x7c\1"), _TOO_MANY),
    "a union of 63 types, 3,000 times the last": _theirs(_list(_WIDE_UNION), _many(b"\x7c\1", 3_000), "read"),
    "a union of 80 types": _theirs(
        _list([{"type": "fixed", "name": f"F{number}", "size": 1} for number in range(80)]), _many(b"\0"), "union"
    ),
    "an enum of 20,000 words": _theirs(
        {"type": "enum", "name": "E", "symbols": [f"S{at}" for at in range(20_000)]}, b"\2", "read"
    ),
    # texts, bytes, numbers
    "a text of 900,000 letters": _contact(summary=b"\2" + write_text("é" * (MOST // 2))),
    "a text longer than the record": _contact(summary=b"\2" + write_long(1 << 40) + b"x"),
    "a text of a length below zero": _contact(summary=b"\2" + write_long(-5) + b"x"),
    "a number of a million bytes": _theirs("long", b"\xff" * MOST, "ten bytes"),
    "29,000 doubles": _theirs(_list("double"), lambda: _many(write_double(1.5), 29_000)(), "read"),
    "7,400 numbers of ten bytes": _theirs(_list("long"), _many(write_long(-(1 << 63)), 7_400), "read"),
    "7,400 texts": _theirs(_list("string"), _many(write_text("é"), 7_400), "read"),
    "7,400 texts of clumsy lengths": _theirs(_list("string"), _many(b"\x80" * 9 + b"\0", 7_400), "read"),
    # money
    "500,000 bytes of money": _money(),
}


async def hostile_shots(settings: Settings, registry: ConfluentRegistry) -> tuple[list[Shot], list[str]]:
    """Each record of the catalogue as a shot under its schema, and the names of those whose schema is refused.

    A registry that checks compatibility accepts such schemas only with a default; so the check is off while they are
    registered, because the readers are what is tested.
    """
    topics, shots, refused = settings.topics, [_HEADERS], []
    await _checks(settings, registry, NONE)
    try:
        for name, hostile in HOSTILE.items():
            schema, body = hostile.made()
            record = f"{schema['namespace']}.{schema['name']}"
            try:
                schema_id = await registry.register(topics.subject(topics.touchpoints, record), schema)
            except CarelineError:
                refused.append(f"hostile: {name}")
                continue
            value = struct.pack(">bI", 0, schema_id) + body
            shots.append(Shot(f"hostile: {name}", schema["name"], b"odd1", value))
    finally:
        await _checks(settings, registry, FULL_TRANSITIVE)
    return shots, refused


_HEADERS = Shot("hostile: 200,000 headers", "", b"odd1", b"", [("", None)] * 200_000)


async def _checks(settings: Settings, registry: ConfluentRegistry, level: str) -> None:
    """Set the registry's compatibility level, for every subject of the catalogue and as the default."""
    topics = settings.topics
    for record in ("ContactOpened", "OrderPlaced"):
        await registry.set_compatibility(topics.subject(topics.touchpoints, f"careline.touchpoint.{record}"), level)
    async with httpx.AsyncClient() as client:
        answer = await client.put(f"{settings.registry_url}/config", json={"compatibility": level})
        answer.raise_for_status()
