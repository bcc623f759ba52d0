"""Expands a schema: every named type is written out where it is used, so that two schemas can be compared by field.

Anybody who may register a schema decides what it contains. So a recursive type, or a schema that grows without bounds,
is refused here before it is used.
"""

from __future__ import annotations

from typing import Any

from schemas.loading import Schema

PRIMITIVES = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})

Node = dict[str, Any] | list[Any]
"""A type as an object with ``type`` (and ``fields`` for records, and so on); a union as a list of types."""

_MOST_NODES = 700  # our largest has 376; generating the functions for 700 takes 50 ms
_DEEPEST = 40


class Unfit(ValueError):
    """A schema that cannot be used for reading; the message says why."""


def expanded(schema: Schema) -> Node:
    """The expanded schema, with full names of named types. Raises Unfit."""
    return _Expansion().of(schema, "", 0)


def unqualified(name: str) -> str:
    """A type's name without its namespace."""
    return name.rpartition(".")[2]


class _Expansion:
    def __init__(self) -> None:
        self._named: dict[str, dict[str, Any]] = {}
        self._open: set[str] = set()
        self._nodes = 0

    def of(self, schema: Any, namespace: str, depth: int) -> Node:
        self._nodes += 1
        if self._nodes > _MOST_NODES or depth > _DEEPEST:
            raise Unfit(f"has over {_MOST_NODES:,} types within one another, or more than {_DEEPEST} deep")
        match schema:
            case list():
                return [self.of(branch, namespace, depth + 1) for branch in schema]
            case str():
                return {"type": schema} if schema in PRIMITIVES else self._again(schema, namespace, depth)
            case {"type": dict() | list() as inner}:
                return self.of(inner, namespace, depth)
            case {"type": "record" | "error" | "enum" | "fixed", "name": str()}:
                return self._defined(schema, namespace, depth)
            case {"type": "array", "items": items}:
                return {"type": "array", "items": self.of(items, namespace, depth + 1)}
            case {"type": "map", "values": values}:
                return {"type": "map", "values": self.of(values, namespace, depth + 1)}
            case {"type": str() as kind} if kind in PRIMITIVES:
                return {"type": kind, **_logical(schema)}
            case {"type": str() as kind}:
                return self._again(kind, namespace, depth)
        raise Unfit("is not an Avro schema")

    def _defined(self, schema: dict[str, Any], namespace: str, depth: int) -> Node:
        name = schema["name"]
        full = name if "." in name else _join(schema.get("namespace", namespace), name)
        self._named[full] = schema | {"name": full}
        within = full.rpartition(".")[0]
        match schema:
            case {"type": "enum", "symbols": list() as symbols} if all(isinstance(one, str) for one in symbols):
                return {"type": "enum", "name": full, "symbols": symbols, "default": schema.get("default")}
            case {"type": "fixed", "size": int() as size} if size >= 0:
                return {"type": "fixed", "name": full, "size": size, **_logical(schema)}
            case {"fields": list() as fields}:
                self._open.add(full)
                made = [{"name": _name(field), "type": self.of(field["type"], within, depth + 1)} for field in fields]
                self._open.discard(full)
                return {"type": "record", "name": full, "fields": made}
        raise Unfit(f"does not define {unqualified(full)}")

    def _again(self, name: str, namespace: str, depth: int) -> Node:
        full = name if "." in name else _join(namespace, name)
        known = self._named.get(full) or self._named.get(name)
        if known is None:
            raise Unfit(f"does not define {unqualified(full)}")
        if known["name"] in self._open:
            raise Unfit(f"has {unqualified(full)} within itself")
        return self.of(known, "", depth + 1)


def _logical(schema: dict[str, Any]) -> dict[str, Any]:
    """The logical type; a decimal without a scale has scale 0."""
    found: dict[str, Any] = {name: schema[name] for name in ("logicalType", "precision", "scale") if name in schema}
    return {"scale": 0, **found} if found.get("logicalType") == "decimal" else found


def _name(field: Any) -> str:
    match field:
        case {"name": str() as name, "type": _}:
            return name
    raise Unfit("has a field without a name or a type")


def _join(namespace: Any, name: str) -> str:
    return f"{namespace}.{name}" if namespace else name
