"""`careline schemas check`: the files as they are pass, and each way to break them is named."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

import schemas
from schemas import contract
from schemas.contract import check, record, schema_problems
from streams.topics import Topics

FACT = "touchpoint/OrderCancelled"
FACT_NAME = "careline.touchpoint.OrderCancelled"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A copy of the schemas to break."""
    shutil.copytree(contract.HOME, tmp_path / "schemas", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return tmp_path / "schemas"


def test_the_contract_keeps_its_own_rules() -> None:
    """Evolution, documentation, common fields, examples, and nothing edited after it was published."""
    assert check() == []


def test_every_record_travels_and_every_traveller_is_a_record() -> None:
    """The topic catalogue and the schema folders name the same records."""
    assert {name for _, name in Topics().subjects()} == set(schemas.names())


def test_an_edited_file_is_told_to_be_a_new_version(home: Path) -> None:
    """Even one word of documentation: readers hold the published text."""
    file = home / FACT / "v1.avsc"
    file.write_text(file.read_text().replace("will not be fulfilled", "is not fulfilled"))
    [found] = check(home)
    assert found.file == f"{FACT}/v1.avsc"
    assert found.problem == "is published and was edited; undo that and add v2.avsc instead"


def test_line_ends_are_no_edit(home: Path) -> None:
    """A checkout on Windows is not a new contract."""
    file = home / FACT / "v1.avsc"
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert check(home) == []


def test_a_published_file_must_stay(home: Path) -> None:
    """Readers of old records need it."""
    shutil.rmtree(home / FACT)
    [found] = check(home)
    assert (found.file, found.problem) == (f"{FACT}/v1.avsc", "is published and is gone; put it back")


def test_a_new_version_is_recorded_once_and_then_kept(home: Path) -> None:
    """Until it is recorded the check says so; afterwards an edit is found, and recording again does not hide it."""
    before = schemas.latest(FACT_NAME)
    field = {"name": "left_with", "type": ["null", "string"], "doc": "Who took it.", "default": None}
    file = home / FACT / "v2.avsc"
    file.write_text(json.dumps({**before, "fields": [*before["fields"], field]}))
    examples = home / FACT / "examples.json"
    given = json.loads(examples.read_text())
    examples.write_text(json.dumps([*given, {**given[0], "left_with": "a neighbour"}]))

    [unrecorded] = check(home)
    assert unrecorded.file == f"{FACT}/v2.avsc"
    assert "careline schemas check --record" in unrecorded.problem
    assert record(home) == [f"{FACT}/v2.avsc"]
    assert check(home) == []
    assert record(home) == []

    file.write_text(file.read_text().replace("Who took it.", "Who signed."))
    assert record(home) == []
    assert "add v3.avsc" in check(home)[0].problem


def test_an_incompatible_version_is_found(home: Path) -> None:
    """With the file and the reason."""
    before = schemas.latest(FACT_NAME)
    added = {"name": "left_with", "type": "string", "doc": "Who took it."}
    (home / FACT / "v2.avsc").write_text(json.dumps({**before, "fields": [*before["fields"], added]}))
    assert any(found.file == f"{FACT}/v2.avsc" and "left_with" in found.problem for found in check(home))


def _no_doc(schema: Any) -> None:
    del schema["doc"]


def _no_field_doc(schema: Any) -> None:
    schema["fields"][4]["doc"] = "  "


def _no_nested_doc(schema: Any) -> None:
    schema["fields"].append(
        {"name": "x", "doc": "X.", "type": {"type": "enum", "name": "X", "symbols": ["A"]}, "default": "A"}
    )


def _no_source(schema: Any) -> None:
    schema["fields"] = [field for field in schema["fields"] if field["name"] != "source"]


def _number_for_time(schema: Any) -> None:
    schema["fields"][2]["type"] = "long"


def _optional_customer(schema: Any) -> None:
    schema["fields"][1]["default"] = ""


def _other_name(schema: Any) -> None:
    schema["name"] = "OrderArrived"


@pytest.mark.parametrize(
    ("breakage", "problem"),
    [
        (_no_doc, "OrderCancelled has no doc"),
        (_no_field_doc, "order_id has no doc"),
        (_no_nested_doc, "X has no doc"),
        (_no_source, "source is missing; every fact has it"),
        (_number_for_time, "occurred_at is not"),
        (_optional_customer, "customer_id is not"),
        (_other_name, f"describes careline.touchpoint.OrderArrived, its folder says {FACT_NAME}"),
    ],
)
def test_a_broken_rule_is_named(breakage: Callable[[Any], None], problem: str) -> None:
    """Documentation everywhere, the common fields on every fact, the folder's own name."""
    schema = deepcopy(schemas.latest(FACT_NAME))
    assert schema_problems(FACT_NAME, schema, []) == []
    breakage(schema)
    assert any(found.startswith(problem) for found in schema_problems(FACT_NAME, schema, []))


@pytest.mark.parametrize(
    ("examples", "problem"),
    [
        ("nonsense", "is not JSON"),
        ("[]", "has no example with every field"),
        ('[{"event_id": "x"}]', "[0] event_id: 'x' is not a UUID"),
    ],
)
def test_bad_examples_are_found(home: Path, examples: str, problem: str) -> None:
    """Examples are part of the contract."""
    (home / FACT / "examples.json").write_text(examples)
    assert any(problem in found.problem for found in check(home))


def test_missing_examples_are_found(home: Path) -> None:
    """Every record has them."""
    (home / FACT / "examples.json").unlink()
    assert [found.problem for found in check(home)] == ["is missing; every record has examples"]


@pytest.mark.parametrize("text", ["{", "[]"])
def test_a_file_that_is_no_schema_is_named(home: Path, text: str) -> None:
    """The check goes on to the other files."""
    (home / FACT / "v1.avsc").write_text(text)
    assert [found.file for found in check(home)] == [f"{FACT}/v1.avsc"] * 2
