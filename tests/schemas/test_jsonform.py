"""JSON from a person: what fits is taken as meant, what does not is named by its place."""

from __future__ import annotations

import io
import uuid
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

import schemas
from schemas.jsonform import JsonMismatch, from_json, to_json

SCHEMA: schemas.Schema = {
    "type": "record",
    "name": "Probe",
    "namespace": "careline.test",
    "fields": [
        {"name": "id", "type": {"type": "string", "logicalType": "uuid"}},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {
            "name": "price",
            "type": ["null", {"type": "bytes", "logicalType": "decimal", "precision": 6, "scale": 2}],
            "default": None,
        },
        {"name": "count", "type": "int", "default": 1},
        {"name": "total", "type": "long", "default": 0},
        {"name": "share", "type": "double", "default": 0.5},
        {"name": "done", "type": "boolean", "default": False},
        {"name": "raw", "type": "bytes", "default": "\u00ff\u0001"},
        {"name": "mood", "type": {"type": "enum", "name": "Mood", "symbols": ["NONE", "GOOD"]}, "default": "NONE"},
        {"name": "moods", "type": {"type": "array", "items": "Mood"}, "default": []},
        {
            "name": "lines",
            "type": {
                "type": "array",
                "items": {
                    "type": "record",
                    "name": "Line",
                    "fields": [
                        {"name": "text", "type": "string"},
                        {"name": "promised_at", "type": ["null", {"type": "long", "logicalType": "timestamp-millis"}]},
                    ],
                },
            },
            "default": [],
        },
        {"name": "tags", "type": {"type": "map", "values": "long"}, "default": {}},
        {"name": "either", "type": ["null", "string", "long"], "default": None},
        {"name": "first", "type": ["null", "careline.test.Line"], "default": None},
        {"name": "nothing", "type": "null", "default": None},
        {"name": "code", "type": {"type": "fixed", "name": "Code", "size": 2}, "default": "\u0000\u0000"},
    ],
}
ID = "0b0e8b0c-90d3-4a27-8a3e-9d1d2b0f8c55"
LEAST = {"id": ID, "at": "2013-02-08T17:10:00Z"}


def test_what_is_left_out_gets_its_default() -> None:
    """As a reader of the record would see it."""
    values = from_json(SCHEMA, LEAST)
    assert values == {
        "id": ID,
        "at": datetime(2013, 2, 8, 17, 10, tzinfo=UTC),
        "price": None,
        "count": 1,
        "total": 0,
        "share": 0.5,
        "done": False,
        "raw": b"\xff\x01",
        "mood": "NONE",
        "moods": [],
        "lines": [],
        "tags": {},
        "either": None,
        "first": None,
        "nothing": None,
        "code": b"\x00\x00",
    }


@pytest.mark.parametrize(
    ("field", "written", "meant"),
    [
        ("id", ID.upper(), ID),
        ("at", "2013-02-08T12:10:00-05:00", datetime(2013, 2, 8, 17, 10, tzinfo=UTC)),
        ("at", "2013-02-08T17:10:00.123987+00:00", datetime(2013, 2, 8, 17, 10, 0, 123000, tzinfo=UTC)),
        ("price", "12.5", Decimal("12.50")),
        ("price", "-0.01", Decimal("-0.01")),
        ("price", "9999.99", Decimal("9999.99")),
        ("price", "1E+2", Decimal("100.00")),
        ("share", 2, 2.0),
        ("total", -(2**63), -(2**63)),
        ("raw", "00FFa1", b"\x00\xff\xa1"),
        ("raw", "", b""),
        ("moods", ["GOOD", "NONE"], ["GOOD", "NONE"]),
        ("tags", {"a": 1}, {"a": 1}),
        ("either", "text", "text"),
        ("either", 5, 5),
        ("first", {"text": "t", "promised_at": None}, {"text": "t", "promised_at": None}),
        ("code", "beef", b"\xbe\xef"),
    ],
)
def test_a_value_is_taken_as_meant(field: str, written: Any, meant: Any) -> None:
    """Zones are turned into UTC, amounts get their places."""
    assert from_json(SCHEMA, {**LEAST, field: written})[field] == meant


@pytest.mark.parametrize(
    ("field", "written", "problem"),
    [
        ("id", "7", "id: '7' is not a UUID"),
        ("id", 7, "id: 7 is not a string"),
        ("at", "yesterday", "at: 'yesterday' is not an ISO 8601 time"),
        ("at", 1360343400000, "at: 1360343400000 is not a string"),
        (
            "at",
            "2013-02-08T17:10:00",
            "at: '2013-02-08T17:10:00' has no time zone; write 2013-02-08T17:10:00Z for UTC",
        ),
        ("at", "0001-01-01T00:00:00+10:00", "at: '0001-01-01T00:00:00+10:00' is out of range"),
        ("price", "12.345", "price: '12.345' has more than 2 decimal places"),
        ("price", "12345.67", "price: '12345.67' has more than 6 digits"),
        ("price", "a lot", "price: 'a lot' is not an amount such as 12.50"),
        ("price", "NaN", "price: 'NaN' is not an amount such as 12.50"),
        ("price", "Infinity", "price: 'Infinity' is not an amount such as 12.50"),
        ("price", "1E+40", "price: '1E+40' is not an amount such as 12.50"),
        ("price", 12.5, "price: 12.5 is not a string"),
        ("count", 2**31, "count: 2147483648 is out of range"),
        ("count", True, "count: True is not a whole number"),
        ("count", 1.5, "count: 1.5 is not a whole number"),
        ("share", "half", "share: 'half' is not a number"),
        ("done", 1, "done: 1 is not true or false"),
        ("raw", "abc", "raw: 'abc' is not hexadecimal"),
        ("raw", "a b c ", "raw: 'a b c ' is not hexadecimal"),
        ("code", "be", "code: is 1 bytes, not 2"),
        ("mood", "good", "mood: 'good' is not one of NONE, GOOD"),
        ("mood", ["GOOD"], "mood: ['GOOD'] is not one of NONE, GOOD"),
        ("moods", ["GOOD", "BAD"], "moods[1]: 'BAD' is not one of NONE, GOOD"),
        ("lines", {"text": "t"}, "lines: {'text': 't'} is not a list"),
        ("lines", [{"text": "t"}], "lines[0].promised_at: is missing"),
        (
            "lines",
            [{"text": "t", "promised_at": None}, {"text": "t", "promised_at": "soon"}],
            "lines[1].promised_at: 'soon' is not an ISO 8601 time",
        ),
        ("tags", {"a": "b"}, "tags.a: 'b' is not a whole number"),
        ("nothing", 0, "nothing: 0 is not null"),
        ("cuont", 3, "cuont: no such field in Probe; did you mean count?"),
    ],
)
def test_what_does_not_fit_is_named_by_its_place(field: str, written: Any, problem: str) -> None:
    """The path leads to the culprit, the sentence says what was wanted."""
    with pytest.raises(JsonMismatch) as caught:
        from_json(SCHEMA, {**LEAST, field: written})
    assert str(caught.value) == problem
    assert caught.value.field == problem.partition(": ")[0]


def test_a_missing_field_is_named() -> None:
    """Those without a default must be there."""
    with pytest.raises(JsonMismatch, match=r"^id: is missing$"):
        from_json(SCHEMA, {"at": LEAST["at"]})


@pytest.mark.parametrize("value", [None, [], "text", 5])
def test_a_record_is_an_object(value: Any) -> None:
    """Anything else is refused, without a path."""
    with pytest.raises(JsonMismatch, match="is not an object") as caught:
        from_json(SCHEMA, value)
    assert caught.value.field == ""


def test_an_unknown_field_far_from_any_lists_what_there_is() -> None:
    """A person sees what could be meant."""
    with pytest.raises(JsonMismatch, match=r"zzzzzz: no such field in Probe; there are id, at, price"):
        from_json(SCHEMA, {**LEAST, "zzzzzz": 1})


MOMENTS = st.datetimes(timezones=st.just(UTC)).map(lambda t: t.replace(microsecond=t.microsecond // 1000 * 1000))
LINE = st.fixed_dictionaries({"text": st.text(), "promised_at": st.none() | MOMENTS})
VALUES = st.fixed_dictionaries(
    {
        "id": st.uuids().map(str),
        "at": MOMENTS,
        "price": st.none() | st.decimals(-9999, 9999, places=2, allow_nan=False, allow_infinity=False),
        "count": st.integers(-(2**31), 2**31 - 1),
        "total": st.integers(-(2**63), 2**63 - 1),
        "share": st.floats(allow_nan=False, allow_infinity=False),
        "done": st.booleans(),
        "raw": st.binary(),
        "mood": st.sampled_from(["NONE", "GOOD"]),
        "moods": st.lists(st.sampled_from(["NONE", "GOOD"])),
        "lines": st.lists(LINE),
        "tags": st.dictionaries(st.text(), st.integers(-(2**63), 2**63 - 1)),
        "either": st.none() | st.text(),
        "first": st.none() | LINE,
        "nothing": st.none(),
        "code": st.binary(min_size=2, max_size=2),
    }
)


@given(VALUES)
def test_any_record_survives_json_and_avro(values: dict[str, Any]) -> None:
    """There and back, by both ways."""
    assert from_json(SCHEMA, to_json(SCHEMA, values)) == values
    out = io.BytesIO()
    parsed = fastavro.parse_schema(SCHEMA)
    fastavro.schemaless_writer(out, parsed, from_json(SCHEMA, to_json(SCHEMA, values)))
    out.seek(0)
    read = fastavro.schemaless_reader(out, parsed, None)
    assert isinstance(read, dict)
    assert {**read, "id": str(uuid.UUID(str(read["id"])))} == values


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from([field["name"] for field in SCHEMA["fields"]]), JSON)
def test_nothing_a_person_can_write_crashes(field: str, value: Any) -> None:
    """It is taken, or it is refused with the path of the field."""
    refused = ""
    try:
        from_json(SCHEMA, {**LEAST, field: value})
    except JsonMismatch as mismatch:
        refused = mismatch.field
    assert refused == "" or refused.startswith(field)
