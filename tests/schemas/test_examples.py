"""Every example is what it shows: it encodes, decodes, and builds the typed record."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any, get_args

import fastavro
import pytest

import schemas
from schemas.jsonform import from_json, to_json
from streams import events
from streams.avro.codec import parse
from streams.avro.records import RECORDS, builder_of, to_values
from streams.publishing.validation import check_outgoing

EXAMPLES = [
    pytest.param(name, example, id=f"{name}-{index}")
    for name in schemas.names()
    for index, example in enumerate(schemas.examples(name))
]
LATER = datetime(2013, 4, 1, tzinfo=UTC)


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
def test_an_example_survives_the_wire(name: str, example: dict[str, Any]) -> None:
    """What goes in comes out."""
    schema = schemas.latest(name)
    values = from_json(schema, example)
    assert _travelled(values, schema, schema) == values


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
def test_an_example_is_read_by_every_version_and_back(name: str, example: dict[str, Any]) -> None:
    """Old readers read new records, new readers old ones; what both know stays the same."""
    schema = schemas.latest(name)
    values = from_json(schema, example)
    for version in schemas.versions(name):
        old = _travelled(values, schema, version)
        assert _as_known_to(old, values) == old, "what an old reader has was there"
        assert _travelled(old, version, version) == old
        back = _travelled(old, version, schema)
        assert _as_known_to(back, old) == old, "what an old writer knew comes back"
        assert set(values) == set(back)


def _as_known_to(values: Any, reader: Any) -> Any:
    """The values with those fields only, at any depth, that the other side has as well."""
    if isinstance(values, dict) and isinstance(reader, dict):
        return {key: _as_known_to(value, reader[key]) for key, value in values.items() if key in reader}
    if isinstance(values, list) and isinstance(reader, list) and len(values) == len(reader):
        return [_as_known_to(one, other) for one, other in zip(values, reader, strict=True)]
    return values


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
def test_an_example_reads_the_same_after_a_round_through_json(name: str, example: dict[str, Any]) -> None:
    """What is printed can be published again; what was written is printed as it was."""
    schema = schemas.latest(name)
    values = from_json(schema, example)
    printed = to_json(schema, values)
    assert from_json(schema, printed) == values
    _assert_holds(printed, example, name)


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
def test_an_example_builds_its_typed_record(name: str, example: dict[str, Any]) -> None:
    """The class takes it, and gives the same values back."""
    values = from_json(schemas.latest(name), example)
    record = builder_of(RECORDS[name])(values)
    assert isinstance(record, RECORDS[name])
    out = io.BytesIO()
    fastavro.schemaless_writer(out, parse(schemas.latest(name)), to_values(record), disable_tuple_notation=True)
    assert out.getvalue() == _encoded(values, schemas.latest(name))


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
def test_an_example_of_a_fact_may_be_published(name: str, example: dict[str, Any]) -> None:
    """The publisher's own check finds nothing; records that are no facts, nobody but their processor writes."""
    record = builder_of(RECORDS[name])(from_json(schemas.latest(name), example))
    if isinstance(record, get_args(events.Touchpoint)):
        check_outgoing(record, now=LATER)
    else:
        assert name.split(".")[1] in ("journey", "outreach")


def _assert_holds(printed: Any, example: Any, path: str) -> None:
    """All that the example says, ``printed`` says too; a time may be written otherwise."""
    if isinstance(example, dict):
        for key, value in example.items():
            _assert_holds(printed[key], value, f"{path}.{key}")
    elif isinstance(example, list):
        for index, (ours, theirs) in enumerate(zip(printed, example, strict=True)):
            _assert_holds(ours, theirs, f"{path}[{index}]")
    elif isinstance(example, str) and example.startswith("2013-") and example.endswith("Z"):
        assert datetime.fromisoformat(printed) == datetime.fromisoformat(example), path
    else:
        assert printed == example, path


def _encoded(values: dict[str, Any], schema: schemas.Schema) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, parse(schema), values)
    return out.getvalue()


def _travelled(values: dict[str, Any], writer: schemas.Schema, reader: schemas.Schema) -> dict[str, Any]:
    body = io.BytesIO(_encoded(values, writer))
    read = fastavro.schemaless_reader(body, parse(writer), parse(reader))
    assert body.read() == b""
    assert isinstance(read, dict)
    return read
