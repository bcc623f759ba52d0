"""FULL_TRANSITIVE without a registry: every version can be read as, and can read, every other.

The rules of Avro's own checker in both directions, and three of our own where it is silent and readers would still be
misled: a logical type never changes (Avro would hand over the same number as another moment), a primitive type or a
union never changes (Avro takes text for bytes and back), and an alias renames nothing (older readers do not know it).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import avro.schema
from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType
from avro.errors import AvroException

from schemas.loading import Schema

_PRIMITIVES = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})


def problems(schema: Schema, earlier: Sequence[Schema]) -> list[str]:
    """Why ``schema`` may not follow the ``earlier`` versions, oldest first; [] if it may."""
    try:
        parsed = _parse(schema)
    except AvroException as error:
        return [f"is not an Avro schema: {error}"]
    found: list[str] = []
    for number, before in enumerate(earlier, start=1):
        reasons = [*_unreadable(parsed, _parse(before)), *_changed(before, schema, "")]
        found += [f"against v{number}: {reason}" for reason in dict.fromkeys(reasons)]
    return found


def canonical(schema: Schema) -> str:
    """The schema as text that does not depend on the order of keys or on white space; documentation counts."""
    return json.dumps(schema, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _parse(schema: Schema) -> avro.schema.Schema:
    return avro.schema.parse(json.dumps(schema), validate_names=True)


def _unreadable(new: avro.schema.Schema, old: avro.schema.Schema) -> Iterator[str]:
    for reader, writer, side in ((new, old, "cannot read what it wrote"), (old, new, "it cannot read what we write")):
        result = ReaderWriterCompatibilityChecker().get_compatibility(reader, writer)  # type: ignore[no-untyped-call]
        if result.compatibility is not SchemaCompatibilityType.compatible:
            kinds = ", ".join(dict.fromkeys(kind.value.replace("_", " ") for kind in result.incompatibilities))
            yield f"{side}: {kinds} ({'; '.join(sorted(result.messages))}) at {', '.join(sorted(result.locations))}"


def _changed(old: Any, new: Any, path: str) -> Iterator[str]:
    """Differences that Avro resolves without complaint and that mislead a reader all the same."""
    old, new = _unwrapped(old), _unwrapped(new)
    if isinstance(old, list) and isinstance(new, list):
        branches = {_kind(branch): branch for branch in new}
        if set(branches) != {_kind(branch) for branch in old}:
            yield f"{path}: was {_names(old)}, is {_names(new)}"
        for branch in old:
            if (counterpart := branches.get(_kind(branch))) is not None:
                yield from _changed(branch, counterpart, path)
        return
    if isinstance(old, list) or isinstance(new, list):
        return  # Avro's checker has said what there is to say
    if _kind(old) != _kind(new):
        if _kind(old) in _PRIMITIVES and _kind(new) in _PRIMITIVES:
            yield f"{path}: was {_kind(old)}, is {_kind(new)}"
        return
    if not isinstance(old, dict) or not isinstance(new, dict):
        old, new = _as_dict(old), _as_dict(new)
    for attribute in ("logicalType", "precision", "scale"):
        if old.get(attribute) != new.get(attribute):
            yield f"{path}: {attribute} was {old.get(attribute)}, is {new.get(attribute)}"
    if old.get("type") == "record":
        fields = {field["name"]: field for field in new.get("fields", ())}
        for field in old.get("fields", ()):
            if field["name"] in fields:
                where = f"{path}.{field['name']}".lstrip(".")
                yield from _changed(field["type"], fields[field["name"]]["type"], where)
        names = {field["name"] for field in old.get("fields", ())}
        for field in fields.values():
            if field["name"] not in names and names.intersection(field.get("aliases", ())):
                yield f"{path}.{field['name']}: an alias renames it; add a new field instead".lstrip(".")
    for inner in ("items", "values"):
        if inner in old:
            yield from _changed(old[inner], new[inner], f"{path}[]")


def _unwrapped(schema: Any) -> Any:
    """``{"type": {"type": "string"}}`` is ``{"type": "string"}``."""
    while isinstance(schema, dict) and isinstance(schema.get("type"), (dict, list)) and "fields" not in schema:
        schema = schema["type"]
    return schema


def _kind(schema: Any) -> str:
    """A primitive's or collection's type, a named type's name without its namespace."""
    if isinstance(schema, str):
        return schema.rpartition(".")[2]
    if "name" in schema:
        return str(schema["name"]).rpartition(".")[2]
    return str(schema["type"])


def _names(union: list[Any]) -> str:
    return " or ".join(_kind(branch) for branch in union)


def _as_dict(schema: Any) -> dict[str, Any]:
    return schema if isinstance(schema, dict) else {"type": schema}
