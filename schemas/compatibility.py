"""Checks FULL_TRANSITIVE without a registry: every version can read, and be read as, every other.

It applies the rules of Avro's own checker in both directions, and three rules of our own for changes that Avro allows
but that mislead readers: a logical type never changes (Avro would read the same number as another time), a primitive
type or a union never changes (Avro reads text as bytes and back), and no alias renames a field (older readers do not
know it).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from schemas.expansion import PRIMITIVES, Node, Unfit, expanded
from schemas.loading import Schema

if TYPE_CHECKING:  # every reader and command imports this module, so Avro's own package is loaded only on use
    from avro.schema import Schema as Parsed

_LOGICAL = ("logicalType", "precision", "scale")


def problems(schema: Schema, earlier: Sequence[Schema], *, registries: bool = False) -> list[str]:
    """Why ``schema`` may not follow the ``earlier`` versions, oldest first; [] if it may.

    With ``registries``, only Avro's own rules apply, as in registries; they allow more.
    """
    try:
        parsed = _parse(schema)
    except _NoSchemaError as error:
        return [f"is not an Avro schema: {error}"]
    found: list[str] = []
    for number, before in enumerate(earlier, start=1):
        reasons = [*_unreadable(parsed, _parse(before)), *([] if registries else _changed(before, schema, ""))]
        found += [f"against v{number}: {reason}" for reason in dict.fromkeys(reasons)]
    return found


def misread(writer: Node, reader: Node) -> list[str]:
    """The fields whose values a reader would misinterpret; [] for none.

    Both schemas are expanded (:func:`schemas.expansion.expanded`). Avro resolves them without an error, and a registry
    accepts both, because it compares the types of numbers and not their units. A string with the logical type uuid
    counts as a plain string.
    """
    return list(dict.fromkeys(_misread(writer, reader, "")))


def strangers(found: Iterable[Schema], ours: Sequence[Schema]) -> list[Difference]:
    """The schemas found under a subject that are not our versions, and how they differ from the latest."""
    known = {canonical(schema) for schema in ours}
    return [_difference(schema, ours[-1]) for schema in found if canonical(schema) not in known]


@dataclass(frozen=True, slots=True)
class Difference:
    """A schema that is not ours. ``refused``: why readers refuse its records; if empty, they read them as ours."""

    schema: Schema
    refused: tuple[str, ...]
    differs: tuple[str, ...]


def _difference(schema: Schema, ours: Schema) -> Difference:
    try:
        written, wanted = expanded(schema), expanded(ours)
        refused = misread(written, wanted)
        if isinstance(written, dict) and isinstance(wanted, dict) and written.get("name") != wanted.get("name"):
            refused = [f"describes {written.get('name', written['type'])}, not {wanted.get('name')}"]
    except Unfit as why:
        refused = [str(why)]
    try:
        differs = [*_unreadable(_parse(ours), _parse(schema)), *_changed(ours, schema, "")]
    except _NoSchemaError as error:
        differs = [f"is not an Avro schema: {error}"]
    said = dict.fromkeys(one for one in differs if one not in refused)
    return Difference(schema, tuple(refused), tuple(said))


def canonical(schema: Schema) -> str:
    """The schema as text, independent of the order of keys and of white space; documentation counts."""
    return json.dumps(schema, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


class _NoSchemaError(Exception):
    """Avro refuses the schema as invalid."""


def _parse(schema: Schema) -> Parsed:
    import avro.schema
    from avro.errors import AvroException

    try:
        return avro.schema.parse(json.dumps(schema), validate_names=True)
    except AvroException as error:
        raise _NoSchemaError(str(error)) from error


def _unreadable(new: Parsed, old: Parsed) -> Iterator[str]:
    from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType

    for reader, writer, side in ((new, old, "cannot read what it wrote"), (old, new, "it cannot read what we write")):
        result = ReaderWriterCompatibilityChecker().get_compatibility(reader, writer)  # type: ignore[no-untyped-call]
        if result.compatibility is not SchemaCompatibilityType.compatible:
            kinds = ", ".join(dict.fromkeys(kind.value.replace("_", " ") for kind in result.incompatibilities))
            yield f"{side}: {kinds} ({'; '.join(sorted(result.messages))}) at {', '.join(sorted(result.locations))}"


def _changed(old: Any, new: Any, path: str) -> Iterator[str]:
    """Differences that Avro resolves without an error, but that mislead readers."""
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
        return  # Avro's checker reports these
    if _kind(old) != _kind(new):
        if _kind(old) in PRIMITIVES and _kind(new) in PRIMITIVES:
            yield f"{path}: was {_kind(old)}, is {_kind(new)}"
        return
    if not isinstance(old, dict) or not isinstance(new, dict):
        old, new = _as_dict(old), _as_dict(new)
    for attribute in _LOGICAL:
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


def _misread(writer: Any, reader: Any, path: str) -> Iterator[str]:
    if isinstance(writer, list) or isinstance(reader, list):
        for one in _branches(writer):
            for other in _branches(reader):
                yield from _misread(one, other, path)
        return
    kinds = writer["type"], reader["type"]
    match kinds:
        case "record", "record":
            written = {field["name"]: field["type"] for field in writer["fields"]}
            for field in reader["fields"]:
                if field["name"] in written:
                    where = f"{path}.{field['name']}".lstrip(".")
                    yield from _misread(written[field["name"]], field["type"], where)
        case ("array", "array") | ("map", "map"):
            inner = "items" if kinds[0] == "array" else "values"
            yield from _misread(writer[inner], reader[inner], f"{path}[]")
        case ("int" | "long", "int" | "long" | "float" | "double") | ("bytes" | "string" | "fixed", "bytes" | "string"):
            if _meaning(writer) != _meaning(reader):
                yield f"{path}: is written as {_meant(writer)}, and is {_meant(reader)} here"


def _branches(schema: Any) -> list[Any]:
    return schema if isinstance(schema, list) else [schema]


def _meaning(schema: Any) -> tuple[Any, ...]:
    meaning = tuple(schema.get(attribute) for attribute in _LOGICAL)
    return (None,) * len(_LOGICAL) if meaning[0] in (None, "uuid") else meaning


def _meant(schema: Any) -> str:
    meaning = _meaning(schema)
    if meaning[0] is None:
        return f"a plain {schema['type']}"
    return " ".join(
        f"{name} {value}" if name else str(value)
        for name, value in zip(("", "of precision", "and scale"), meaning, strict=True)
        if value is not None
    )


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
