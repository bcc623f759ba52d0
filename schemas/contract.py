"""The rules of `careline schemas check`: evolution, documentation, common fields, examples, history."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schemas.compatibility import problems
from schemas.jsonform import JsonMismatch, from_json
from schemas.loading import NAMESPACE, Schema

HOME = Path(__file__).parent

PUBLISHED = "published.json"
"""For each record, the SHA-256 of every published version's file, oldest first (with Unix line ends)."""

_FACTS = ("touchpoint", "outcome")
_COMMON: dict[str, Any] = {
    "event_id": {"type": "string", "logicalType": "uuid"},
    "customer_id": "string",
    "occurred_at": {"type": "long", "logicalType": "timestamp-millis"},
    "source": "string",
}


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Violation:
    """One problem, and its file."""

    file: str
    problem: str


def check(home: Path = HOME) -> list[Violation]:
    """All problems of the schemas under ``home``; [] if there are none."""
    found: list[Violation] = []
    texts = _texts(home)
    for name, files in texts.items():
        folder = _folder(name)
        versions: list[Schema] = []
        for number, text in enumerate(files, start=1):
            file = f"{folder}/v{number}.avsc"
            try:
                schema = json.loads(text)
            except json.JSONDecodeError as error:
                found.append(Violation(file=file, problem=f"is not JSON: {error}"))
                break
            if not isinstance(schema, dict):
                found.append(Violation(file=file, problem="is not a record's schema"))
                break
            found += [Violation(file=file, problem=problem) for problem in schema_problems(name, schema, versions)]
            versions.append(schema)
        else:
            found += [
                Violation(file=f"{folder}/examples.json", problem=problem)
                for problem in _example_problems(home / folder / "examples.json", versions[-1])
            ]
    return found + _edited(texts, published(home))


def schema_problems(name: str, schema: Schema, earlier: Sequence[Schema]) -> list[str]:
    """The problems of one version of the record ``name``, given the ``earlier`` versions, oldest first."""
    wrong = problems(schema, earlier)
    full_name = f"{schema.get('namespace')}.{schema.get('name')}"
    if full_name != name:
        wrong.append(f"describes {full_name}, its folder says {name}")
    wrong += _undocumented(schema, "")
    if name.split(".")[1] in _FACTS:
        wrong += _common_problems(schema)
    return wrong


def published(home: Path = HOME) -> dict[str, list[str]]:
    """The content of :data:`PUBLISHED`; {} if it does not exist yet."""
    file = home / PUBLISHED
    recorded: dict[str, list[str]] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return recorded


def record(home: Path = HOME) -> list[str]:
    """Record every new version as published; from then on it must not change.

    Returns their files. Entries of versions that are recorded already are not changed, even if a file was edited.
    """
    recorded = published(home)
    new: list[str] = []
    for name, files in _texts(home).items():
        known = recorded.setdefault(name, [])
        for number, text in enumerate(files[len(known) :], start=len(known) + 1):
            known.append(_digest(text))
            new.append(f"{_folder(name)}/v{number}.avsc")
    (home / PUBLISHED).write_text(json.dumps(recorded, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return new


def _texts(home: Path) -> dict[str, list[str]]:
    """The text of every version, by record."""
    texts: dict[str, list[str]] = {}
    for first in sorted(home.glob("*/*/v1.avsc")):
        files: list[str] = []
        while (file := first.with_name(f"v{len(files) + 1}.avsc")).is_file():
            files.append(file.read_text(encoding="utf-8"))
        texts[f"{NAMESPACE}.{first.parent.parent.name}.{first.parent.name}"] = files
    return texts


def _edited(texts: dict[str, list[str]], recorded: dict[str, list[str]]) -> list[Violation]:
    found: list[Violation] = []
    for name, digests in recorded.items():
        files = texts.get(name, [])
        for number, digest in enumerate(digests, start=1):
            file = f"{_folder(name)}/v{number}.avsc"
            if number > len(files):
                found.append(Violation(file=file, problem="is published and is gone; put it back"))
            elif _digest(files[number - 1]) != digest:
                problem = f"is published and was edited; undo that and add v{len(files) + 1}.avsc instead"
                found.append(Violation(file=file, problem=problem))
    for name, files in texts.items():
        for number in range(len(recorded.get(name, ())) + 1, len(files) + 1):
            problem = f"is not in {PUBLISHED}; once it is final, run `careline schemas check --record`"
            found.append(Violation(file=f"{_folder(name)}/v{number}.avsc", problem=problem))
    return found


def _undocumented(schema: Any, path: str) -> Iterator[str]:
    if isinstance(schema, list):
        for branch in schema:
            yield from _undocumented(branch, path)
    elif isinstance(schema, dict):
        if "name" in schema and not str(schema.get("doc", "")).strip():
            yield f"{schema['name']} has no doc"
        for field in schema.get("fields", ()):
            where = f"{path}.{field['name']}".lstrip(".")
            if not str(field.get("doc", "")).strip():
                yield f"{where} has no doc"
            yield from _undocumented(field["type"], where)
        for inner in ("type", "items", "values"):
            yield from _undocumented(schema.get(inner), path)


def _common_problems(schema: Schema) -> Iterator[str]:
    fields = {field["name"]: field for field in schema.get("fields", ())}
    for name, wanted in _COMMON.items():
        if name not in fields:
            yield f"{name} is missing; every fact has it"
        elif fields[name]["type"] != wanted or "default" in fields[name]:
            yield f"{name} is not {json.dumps(wanted)} without a default, as in every fact"


def _example_problems(file: Path, schema: Schema) -> Iterator[str]:
    if not file.is_file():
        yield "is missing; every record has examples"
        return
    try:
        examples = json.loads(file.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        yield f"is not JSON: {error}"
        return
    fields = {field["name"] for field in schema["fields"]}
    required = {field["name"] for field in schema["fields"] if "default" not in field}
    for index, example in enumerate(examples):
        try:
            from_json(schema, example)
        except JsonMismatch as mismatch:
            yield f"[{index}] {mismatch}"
    if not any(set(example) == fields for example in examples):
        yield "has no example with every field"
    if not any(set(example) == required for example in examples):
        yield "has no example with the required fields alone"


def _folder(name: str) -> str:
    _, group, leaf = name.split(".")
    return f"{group}/{leaf}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
