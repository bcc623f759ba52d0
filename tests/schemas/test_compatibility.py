"""A schema may change only so that every reader, old or new, goes on."""

from __future__ import annotations

import io
from copy import deepcopy
from typing import Any

import fastavro
import pytest

import schemas
from schemas import Schema
from schemas.compatibility import canonical, problems
from tests.schemas.evolutions import BAD, BASE, GOOD


@pytest.mark.parametrize("name", schemas.names())
def test_every_version_goes_with_every_earlier_one(name: str) -> None:
    """FULL_TRANSITIVE holds for the contract."""
    versions = schemas.versions(name)
    assert versions
    for number, schema in enumerate(versions):
        assert problems(schema, versions[:number]) == []


def test_nothing_changed_is_compatible() -> None:
    """A schema follows itself."""
    assert problems(BASE, [BASE, BASE]) == []


@pytest.mark.parametrize("name", GOOD)
def test_a_good_change_passes(name: str) -> None:
    """What keeps every reader going is allowed."""
    assert problems(GOOD[name], [BASE]) == []


@pytest.mark.parametrize("name", GOOD)
def test_a_good_change_is_read_both_ways(name: str) -> None:
    """An allowed change is read by the wire's own decoder in both directions, not only on paper."""
    record = {"name": "n", "count": 3, "at": 5, "price": None, "mood": "GOOD", "size": "L", "lines": [{"text": "t"}]}
    assert _resolved({**record, "tags": {}}, BASE, GOOD[name])["name"] == "n"
    newer = {**record, "tags": {}, "new": "", "lines": [{"text": "t", "bold": True}]}
    if name == "a symbol less in an enum with a default":
        newer["mood"] = "NONE"
    assert _resolved(newer, GOOD[name], BASE)["lines"] == [{"text": "t"}]


def test_an_unknown_symbol_is_read_as_the_default() -> None:
    """A reader of yesterday takes a mood it does not know for NONE."""
    newer = GOOD["a new symbol in an enum with a default"]
    record = {"name": "n", "at": 5, "mood": "BAD", "size": "L"}
    assert _resolved(record, newer, BASE)["mood"] == "NONE"


@pytest.mark.parametrize("name", BAD)
def test_a_bad_change_is_named(name: str) -> None:
    """What would break or mislead a reader is refused with the place of it."""
    found = problems(BAD[name].schema, [BASE])
    assert found
    assert BAD[name].names in "\n".join(found)
    assert all(problem.startswith("against v1: ") for problem in found)


@pytest.mark.parametrize("name", BAD)
def test_a_bad_change_is_bad_backwards_too(name: str) -> None:
    """Who may not go there may not come from there; a rename by alias is seen only from its new side."""
    if name == "an alias for a renamed field":
        assert problems(BASE, [BAD[name].schema]) == []
        return
    assert problems(BASE, [BAD[name].schema])


def test_every_earlier_version_counts() -> None:
    """A field must not come back as something else."""
    number = {**BASE, "fields": [*BASE["fields"], {"name": "later", "type": "int", "default": 0, "doc": "A number."}]}
    text = {**BASE, "fields": [*BASE["fields"], {"name": "later", "type": "string", "default": "", "doc": "A text."}]}
    assert problems(text, [BASE]) == []
    found = problems(text, [number, BASE])
    assert found
    assert all(problem.startswith("against v1: ") for problem in found)


@pytest.mark.parametrize(
    "broken",
    [
        {"type": "record", "name": "R"},
        {"type": "record", "name": "R", "fields": [{"name": "a", "type": "nonsense"}]},
        {"type": "record", "name": "R", "fields": [{"name": "a", "type": "int"}, {"name": "a", "type": "int"}]},
    ],
)
def test_what_is_no_avro_is_said_to_be_none(broken: Any) -> None:
    """A typing error in a schema does not crash the check."""
    assert problems(broken, []) != []


def test_the_canonical_form_forgets_order_and_keeps_documentation() -> None:
    """Documentation is part of the contract: said differently, it is another version."""
    turned: Schema = dict(reversed(deepcopy(BASE).items()))
    assert canonical(turned) == canonical(BASE)
    assert canonical({**BASE, "doc": "Another."}) != canonical(BASE)


def _resolved(record: dict[str, Any], writer: Schema, reader: Schema) -> dict[str, Any]:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(writer), record)
    out.seek(0)
    read = fastavro.schemaless_reader(out, fastavro.parse_schema(writer), fastavro.parse_schema(reader))
    assert isinstance(read, dict)
    return read
