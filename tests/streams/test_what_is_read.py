"""A decoded record can be encoded again, whatever its bytes, writer and schema."""

from __future__ import annotations

import asyncio
import io
import itertools
import struct
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any

import fastavro
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import schemas
from schemas.jsonform import from_json
from streams.avro.binary import write_bytes, write_long, write_text
from streams.avro.codec import Codec, parse
from streams.avro.records import NAMES, RECORDS, builder_of, to_values
from streams.errors import Unreadable
from streams.events import FeedbackGiven, FeedbackKind, GestureGiven, replace
from streams.events.earlier import phase_of
from streams.registry.registry import InMemoryRegistry
from streams.topics import Topic
from tests.drawn import examples
from tests.fuzz.hostile import doubling, nested
from tests.streams.any_record import any_record
from tests.streams.given import EVENT_ID, NOON, OPENED, TOPICS, prepared, put, schema_of
from tests.streams.other_versions import other_version, value_of

FACTS: dict[str, Any] = {"event_id": EVENT_ID, "customer_id": "ana", "occurred_at": NOON, "source": "desk"}
GIVEN = GestureGiven(**FACTS, gesture_id="g", agent_id="a", code="meal", cost=Decimal("12.50"), currency="EUR")
RATED = FeedbackGiven(**FACTS, feedback_id="f", kind=FeedbackKind.CSAT, score=5)

PHASES = tuple(phase for phase in Phase if phase is not Phase.explain)  # it takes minutes here

TOPIC_OF: dict[str, Topic] = {name: topic for topic in TOPICS.all() for name in topic.records}


@cache
def everything() -> tuple[Codec, InMemoryRegistry]:
    """Return a codec that knows every topic, and its registry; made once."""
    with ThreadPoolExecutor() as aside:
        return aside.submit(asyncio.run, prepared()).result()


_ids = itertools.count(1_000_000)


def held(schema: Any) -> int:
    """Return the id of a schema in the registry, whatever it is."""
    schema_id = next(_ids)
    put(everything()[1], schema_id, schema)
    return schema_id


async def refusal(codec: Codec, value: bytes) -> Unreadable:
    """Return why the value is unreadable."""
    with pytest.raises(Unreadable) as caught:
        await codec.decode(value)
    return caught.value


async def read(codec: Codec, value: bytes) -> Any:
    """Return the record, after encoding and decoding it again; None if it is unreadable."""
    try:
        record = await codec.decode(value)
    except Unreadable:
        return None
    again = codec.encode(TOPIC_OF[NAMES[type(record)]], record)
    assert await codec.decode(again) == record
    return record


def body(name: str, record: Any, **raw: bytes) -> bytes:
    """Return the encoded record without its header, with the bytes of some fields replaced."""
    out = b""
    values = to_values(record)
    for field in parse(schemas.latest(name))["fields"]:
        part = io.BytesIO()
        fastavro.schemaless_writer(part, field["type"], values[field["name"]])
        out += raw.get(field["name"], part.getvalue())
    return out


def varint(number: int) -> bytes:
    """Return a number of any size as Avro encodes it."""
    left, out = (number << 1) if number >= 0 else (-number << 1) - 1, bytearray()
    while left > 127:
        out.append(left & 127 | 128)
        left >>= 7
    return bytes((*out, left))


async def raw(record: Any, **fields: bytes) -> tuple[Codec, bytes]:
    """Return a codec, and the record under our own schema with the bytes of some fields replaced."""
    codec, _ = everything()
    header = codec.encode(TOPIC_OF[NAMES[type(record)]], record)[:5]
    return codec, header + body(NAMES[type(record)], record, **fields)


def amount(unscaled: int, length: int | None = None) -> bytes:
    """Return an amount as encoded."""
    return write_bytes(unscaled.to_bytes(length or (unscaled.bit_length() + 8) // 8, "big", signed=True))


_CHANGES = st.one_of(
    st.tuples(st.just("cut"), st.integers(0, 400), st.just(b"")),
    st.tuples(st.just("over"), st.integers(0, 400), st.binary(min_size=1, max_size=12)),
    st.tuples(st.just("in"), st.integers(0, 400), st.binary(min_size=1, max_size=12)),
    st.tuples(
        st.sampled_from(["over", "in"]),
        st.integers(0, 400),
        st.sampled_from([varint(sign * (1 << bits) - 1) for bits in (31, 32, 46, 62, 63, 64, 69) for sign in (1, -1)]),
    ),
)


def changed(value: bytes, change: tuple[str, int, bytes]) -> bytes:
    """Return the value with some bytes after the header changed."""
    how, at, by = change
    at = 5 + at % max(len(value) - 5, 1)
    return value[:at] + by + ({"cut": b"", "over": value[at + len(by) :], "in": value[at:]}[how])


@pytest.mark.parametrize("name", sorted(RECORDS))
@settings(
    max_examples=examples(40),
    deadline=None,
    phases=PHASES,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=st.data())
async def test_any_bytes_under_our_own_schema(name: str, data: st.DataObject) -> None:
    """A record with changed bytes is unreadable, or can be encoded again."""
    codec, _ = everything()
    value = codec.encode(TOPIC_OF[name], data.draw(any_record(RECORDS[name])))
    for change in data.draw(st.lists(_CHANGES, max_size=3)):
        value = changed(value, change)
    await read(codec, value)


@pytest.mark.parametrize("name", sorted(RECORDS))
@settings(
    max_examples=examples(25),
    deadline=None,
    phases=PHASES,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=st.data())
async def test_any_bytes_under_any_other_version(name: str, data: st.DataObject) -> None:
    """A record of another version is decoded as fastavro resolves it; with changed bytes it is unreadable or can be
    encoded."""
    codec, schema = everything()[0], data.draw(other_version(name))
    schema_id = held(schema)
    record = data.draw(any_record(RECORDS[name]))
    values = to_values(record)
    for field in schema["fields"]:
        if field["name"] == "theirs":
            values["theirs"] = data.draw(value_of(field["type"]))
        elif values[field["name"]] is None and not isinstance(field["type"], list):
            return  # the other version requires a field that this record does not set
    out = io.BytesIO()
    fastavro.schemaless_writer(out, parse(schema), values, disable_tuple_notation=True)
    value = struct.pack(">bI", 0, schema_id) + out.getvalue()
    seen = await read(codec, value)
    try:
        resolved: Any = fastavro.schemaless_reader(
            io.BytesIO(out.getvalue()), parse(schema), parse(schemas.latest(name))
        )
    except TypeError:  # "unhashable type: 'dict'": a slip of fastavro 1.13 where a union holds a record with a union
        resolved = fastavro.schemaless_reader(io.BytesIO(out.getvalue()), parse(schema), None)
        resolved.pop("theirs", None)
    expected: Any = builder_of(RECORDS[name])(resolved)
    if "phase" not in values.keys() & {field["name"] for field in schema["fields"]} and hasattr(expected, "phase"):
        expected = replace(expected, phase=phase_of(expected.status, expected.detail))  # what versions before it say
    assert seen == expected
    for change in data.draw(st.lists(_CHANGES, max_size=3)):
        value = changed(value, change)
    await read(codec, value)


class TestMoney:
    @pytest.mark.parametrize("unscaled", [10**12, -(10**12), 10**13, 1 << 100])
    async def test_more_digits_than_there_are(self, unscaled: int) -> None:
        """An amount of more than twelve digits is unreadable."""
        codec, value = await raw(GIVEN, cost=amount(unscaled))
        why = await refusal(codec, value)
        assert why.reason == "undecodable"
        assert " cost: " in why.detail

    @pytest.mark.parametrize("unscaled", [10**12 - 1, 1 - 10**12, 0, -1, 127, 128, -128, -129])
    async def test_what_fits(self, unscaled: int) -> None:
        """An amount of twelve digits and either sign is read, also with padding."""
        for length in (None, 8, 16):
            codec, value = await raw(GIVEN, cost=amount(unscaled, length))
            assert await read(codec, value) == replace(GIVEN, cost=Decimal(unscaled).scaleb(-2))

    async def test_none_at_all(self) -> None:
        """An empty amount is unreadable."""
        codec, value = await raw(GIVEN, cost=write_bytes(b""))
        assert " cost: " in (await refusal(codec, value)).detail

    async def test_half_a_megabyte_of_it(self) -> None:
        """An amount of half a megabyte is rejected without converting it, which would take seconds."""
        codec, value = await raw(GIVEN, cost=write_bytes(b"\x7f" * 500_000))
        began = time.perf_counter()
        why = await refusal(codec, value)
        assert time.perf_counter() - began < 0.05
        assert "500000 bytes" in why.detail

    async def test_deep_within(self) -> None:
        """The error names the path of the field, also within a list."""
        order = next(iter(schemas.examples("careline.touchpoint.OrderPlaced")))
        assert order["items"], "the example has lines"
        one = write_text("i") + write_text("d") + varint(1) + varint(1) + amount(10**15)
        record = builder_of(RECORDS["careline.touchpoint.OrderPlaced"])(
            from_json(schemas.latest("careline.touchpoint.OrderPlaced"), order)
        )
        codec, value = await raw(record, items=varint(1) + one + b"\0")
        assert " items.unit_price: " in (await refusal(codec, value)).detail


class TestNumbers:
    @pytest.mark.parametrize("score", [1 << 31, -(1 << 31) - 1, (1 << 63) - 1, 1 << 64, 1 << 68])
    async def test_a_score_beyond_32_bits(self, score: int) -> None:
        """An int beyond 32 bits is unreadable."""
        codec, value = await raw(RATED, score=b"\x02" + varint(score))
        why = await refusal(codec, value)
        assert why.reason == "undecodable"
        assert " score: " in why.detail

    @pytest.mark.parametrize("score", [(1 << 31) - 1, -(1 << 31)])
    async def test_the_largest(self, score: int) -> None:
        """The limits of 32 bits are read."""
        codec, value = await raw(RATED, score=b"\x02" + varint(score))
        assert await read(codec, value) == replace(RATED, score=score)

    @pytest.mark.parametrize("long", [b"\x8a\x00", b"\x8a\x80\x80\x80\x80\x80\x00"])
    async def test_longer_than_need_be(self, long: bytes) -> None:
        """A number in a longer encoding than necessary is read."""
        codec, value = await raw(RATED, score=b"\x02" + long)
        assert await read(codec, value) == RATED

    @pytest.mark.parametrize("millis", [1 << 48, 1 << 55, (1 << 63) - 1, -(1 << 63), 1 << 65, NOON.timestamp() * 1e6])
    async def test_a_time_that_no_calendar_has(self, millis: float) -> None:
        """A time outside of the years 1 to 9999 is unreadable."""
        codec, value = await raw(RATED, occurred_at=varint(int(millis)))
        assert " occurred_at: " in (await refusal(codec, value)).detail

    @pytest.mark.parametrize(
        "moment", [datetime.min.replace(tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999_000, UTC)]
    )
    async def test_the_ends_of_the_calendar(self, moment: datetime) -> None:
        """The first and the last moment of the calendar are decoded; their plausibility is checked later."""
        codec, _ = everything()
        event = replace(OPENED, occurred_at=moment)
        assert await read(codec, codec.encode(TOPICS.touchpoints, event)) == event

    @pytest.mark.parametrize("bucket", ["nan", "inf", "-inf"])
    async def test_what_is_no_number(self, bucket: str) -> None:
        """NaN and infinity are unreadable."""
        name = "careline.outreach.ExperimentExposed"
        record = builder_of(RECORDS[name])(from_json(schemas.latest(name), schemas.examples(name)[0]))
        packed = struct.pack("<d", float(bucket))
        codec, value = await raw(record, bucket=packed)
        assert " bucket: " in (await refusal(codec, value)).detail
        codec, value = await raw(record, shares=varint(1) + write_text("a") + packed + b"\0")
        assert " shares" in (await refusal(codec, value)).detail


class TestTexts:
    @pytest.mark.parametrize("text", [b"\xff", b"\xed\xa0\xbd", b"\xc0\x80", b"\xf5\x80\x80\x80", b"caf\xe9"])
    async def test_no_utf_8(self, text: bytes) -> None:
        """A string that is not UTF-8 is unreadable."""
        codec, value = await raw(OPENED, summary=b"\x02" + write_bytes(text))
        assert " summary: " in (await refusal(codec, value)).detail

    async def test_any_character(self) -> None:
        """Any Unicode character in a string is read."""
        codec, _ = everything()
        event = replace(OPENED, summary="a\0b\u202e\uffff\U0010ffff\x1b[2J")
        assert await read(codec, codec.encode(TOPICS.touchpoints, event)) == event


class TestLists:
    @pytest.mark.parametrize("count", [3, 1 << 30, (1 << 63) - 1])
    async def test_more_items_than_bytes(self, count: int) -> None:
        """A list with a length beyond the record's size is rejected before its items are read."""
        order = RECORDS["careline.touchpoint.OrderPlaced"](**FACTS, order_id="o", description="d")
        for block in (varint(count), varint(-count) + varint(1)):
            codec, value = await raw(order, items=block + b"\0")
            assert " items: " in (await refusal(codec, value)).detail


# -- foreign schemas --------------------------------------------------------------------------------------------------


def gesture(**kinds: Any) -> Any:
    """Return our schema of a gesture, with other types for some fields."""
    schema = schema_of("GestureGiven")
    schema["fields"] = [field | ({"type": kinds[field["name"]]} if field["name"] in kinds else {})
                        for field in schema["fields"]]  # fmt: skip
    return schema


def money(**attributes: Any) -> Any:
    """Return another decimal type."""
    return {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2} | attributes


def time_of(kind: str | None) -> Any:
    """Return another type for a time."""
    return {"type": "long", "logicalType": kind} if kind else "long"


MISLEADING = {
    "cents of cents": ("cost", gesture(cost=money(scale=4))),
    "whole units": ("cost", gesture(cost=money(scale=0))),
    "scale left out": ("cost", gesture(cost={"type": "bytes", "logicalType": "decimal", "precision": 12})),
    "more digits": ("cost", gesture(cost=money(precision=14))),
    "plain bytes": ("cost", gesture(cost="bytes")),
    "one of several": ("cost", gesture(cost=["null", money(scale=4)])),
    "microseconds": ("occurred_at", gesture(occurred_at=time_of("timestamp-micros"))),
    "nanoseconds": ("occurred_at", gesture(occurred_at=time_of("timestamp-nanos"))),
    "local time": ("occurred_at", gesture(occurred_at=time_of("local-timestamp-millis"))),
    "a plain number": ("occurred_at", gesture(occurred_at=time_of(None))),
    "days": ("occurred_at", gesture(occurred_at={"type": "int", "logicalType": "date"})),
    "time of day": ("occurred_at", gesture(occurred_at={"type": "int", "logicalType": "time-millis"})),
}


@pytest.mark.parametrize("case", MISLEADING)
async def test_a_schema_that_counts_something_else(case: str) -> None:
    """A schema with another scale or unit, which Avro would resolve silently, is rejected, and the error names the
    field."""
    field, schema = MISLEADING[case]
    codec, schema_id = everything()[0], held(schema)
    for _ in range(2):
        why = await refusal(codec, struct.pack(">bI", 0, schema_id) + b"whatever stands there")
        assert why.reason == "foreign_schema"
        assert f"{field}: is written as" in why.detail


async def test_within_a_list() -> None:
    """This also holds for a field of a nested record."""
    schema = schema_of("OrderPlaced")
    for field in schema["fields"]:
        if field["name"] == "items":
            for inner in field["type"]["items"]["fields"]:
                if inner["name"] == "unit_price":
                    inner["type"] = ["null", money(scale=3)]
    codec, schema_id = everything()[0], held(schema)
    why = await refusal(codec, struct.pack(">bI", 0, schema_id) + b"whatever")
    assert "items[].unit_price: is written as decimal of precision 12 and scale 3" in why.detail


async def test_an_id_that_is_plain_text_to_others() -> None:
    """A uuid and a string are interchangeable."""
    codec, schema_id = (
        everything()[0],
        held(gesture(event_id="string", customer_id={"type": "string", "logicalType": "uuid"})),
    )
    value = struct.pack(">bI", 0, schema_id) + codec.encode(TOPICS.touchpoints, GIVEN)[5:]
    assert await read(codec, value) == GIVEN


def added(kind: Any) -> Any:
    """Return our schema of a contact with an additional first field of that type."""
    schema = schema_of("ContactOpened")
    schema["fields"].insert(0, {"name": "theirs", "type": kind})
    return schema


ENDLESS = {"type": "record", "name": "N", "fields": [{"name": "next", "type": ["null", "N"]}]}
HOSTILE: dict[str, tuple[Any, bytes]] = {
    "a type within itself, 900,000 deep": (ENDLESS, b"\x02" * 900_000 + b"\0"),
    "a list of a million million nothings": ({"type": "array", "items": "null"}, write_long(1 << 40) + b"\0"),
    "lists of empty records": (
        {"type": "array", "items": {"type": "record", "name": "E", "fields": []}},
        (write_long(900_000) + b"\0") * 2,
    ),
    "a million million types": (doubling(40, of="long"), bytes(1_000)),
    "lists within lists": (nested(300, of="long"), b"\x02" * 300),
    "a list of more flags than bytes": ({"type": "array", "items": "boolean"}, write_long(1 << 50) + b"\0"),
    "texts of a length below zero": ({"type": "array", "items": "string"}, write_long(5) + b"\x01" * 9),
}


@pytest.mark.parametrize("case", HOSTILE)
async def test_a_field_that_is_made_to_do_harm(case: str) -> None:
    """An unknown field of a hostile type is rejected quickly."""
    kind, value = HOSTILE[case]
    codec, schema_id = everything()[0], held(added(kind))
    began = time.perf_counter()
    why = await refusal(codec, struct.pack(">bI", 0, schema_id) + value + codec.encode(TOPICS.touchpoints, OPENED)[5:])
    assert why.reason in ("foreign_schema", "undecodable")
    assert time.perf_counter() - began < 2


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "record", "name": "ContactOpened", "namespace": "careline.touchpoint"},
        {"type": "record", "name": "ContactOpened", "namespace": "careline.touchpoint", "fields": [{"name": "x"}]},
        added("Nowhere"),
        added({"type": "enum", "name": "E"}),
        added({"type": "fixed", "name": "F", "size": "8"}),
        added(7),
        added([f"T{number}" for number in range(80)]),
        added([{"type": "fixed", "name": f"T{number}", "size": 1} for number in range(80)]),
    ],
    ids=str,
)
async def test_a_schema_that_is_none(schema: Any) -> None:
    """An invalid schema in the registry makes its records unreadable."""
    registry = InMemoryRegistry()
    put(registry, 7, schema)
    codec = Codec(registry=registry, topics=TOPICS)
    assert (await refusal(codec, b"\0\0\0\0\x07" + bytes(50))).reason == "foreign_schema"
