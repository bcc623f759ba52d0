"""Records as people write them in JSON: times in ISO 8601 with a zone, money as text, bytes as hexadecimal.

:func:`from_json` returns the values that Avro encodes (aware UTC datetimes, Decimals, bytes, ids as text);
:func:`to_json` is its inverse. A value that does not fit is refused with the path of its field, such as
``lines[2].promised_at``.
"""

from __future__ import annotations

import difflib
import math
import re
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from schemas.loading import Schema
from schemas.shown import LONGEST, joined, short

_INTEGERS = {"int": 1 << 31, "long": 1 << 63}
_JSON_NAMES = {dict: "an object", list: "a list", str: "a string", bool: "true or false", type(None): "null"}


class JsonMismatch(ValueError):
    """JSON that does not fit its schema. ``field`` is the path of the field at fault, empty for the record itself."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}" if field else problem)
        self.field = field
        self.problem = problem


def from_json(schema: Schema, value: Any) -> dict[str, Any]:
    """The record's Avro values; missing fields get their defaults. Times are truncated to the millisecond.

    Raises JsonMismatch for a field that is missing, unknown or does not fit.
    """
    values: dict[str, Any] = _Form(schema).read(schema, value, "")
    return values


def to_json(schema: Schema, values: Mapping[str, Any]) -> dict[str, Any]:
    """The record's Avro values as JSON. Raises KeyError for a missing field."""
    written: dict[str, Any] = _Form(schema).write(schema, values)
    return written


class _Form:
    """One schema and its named types, which are defined once and then referred to by name."""

    def __init__(self, schema: Schema) -> None:
        self._named: dict[str, Any] = {}
        self._collect(schema, "")

    def read(self, schema: Any, value: Any, path: str) -> Any:
        schema = self._resolved(schema)
        if isinstance(schema, list):
            return self._read_union(schema, value, path)
        logical = schema.get("logicalType")
        if logical in _LOGICAL_READERS:
            return _LOGICAL_READERS[logical](schema, value, path)
        match schema["type"]:
            case "record":
                return self._read_record(schema, _of(dict, value, path), path)
            case "array":
                return [
                    self.read(schema["items"], item, f"{path}[{index}]")
                    for index, item in enumerate(_of(list, value, path))
                ]
            case "map":
                return {
                    _text(key, joined(path, key)): self.read(schema["values"], item, joined(path, key))
                    for key, item in _of(dict, value, path).items()
                }
            case "enum":
                if value not in schema["symbols"]:
                    raise JsonMismatch(path, f"{short(value)} is not one of {', '.join(schema['symbols'])}")
                return value
            case "bytes" | "fixed":
                return _bytes(schema, value, path)
            case "int" | "long":
                return _integer(schema, value, path)
            case "float" | "double":
                return _float(value, path)
            case "boolean":
                return _of(bool, value, path)
            case "null":
                return _of(type(None), value, path)
            case _:
                return _text(_of(str, value, path), path)

    def write(self, schema: Any, value: Any) -> Any:
        schema = self._resolved(schema)
        if isinstance(schema, list):
            if value is None:
                return None
            schema = next(branch for part in schema if (branch := self._resolved(part))["type"] != "null")
        match value:
            case datetime():
                return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            case Decimal() | uuid.UUID():
                return str(value)
            case bytes():
                return value.hex()
            case Mapping() if schema["type"] == "record":
                return {field["name"]: self.write(field["type"], value[field["name"]]) for field in schema["fields"]}
            case Mapping():
                return {key: self.write(schema["values"], item) for key, item in value.items()}
            case list() | tuple():
                return [self.write(schema["items"], item) for item in value]
            case _:
                return value

    def _read_record(self, schema: Schema, value: dict[str, Any], path: str) -> dict[str, Any]:
        names = [field["name"] for field in schema["fields"]]
        for name in value:
            if name not in names:
                meant = difflib.get_close_matches(name[:LONGEST], names, n=1)
                hint = f"; did you mean {meant[0]}?" if meant else f"; there are {', '.join(names)}"
                raise JsonMismatch(joined(path, name), f"no such field in {schema['name']}{hint}")
        values: dict[str, Any] = {}
        for field in schema["fields"]:
            name = field["name"]
            if name in value:
                values[name] = self.read(field["type"], value[name], joined(path, name))
            elif "default" in field:
                values[name] = self._default(field["type"], field["default"])
            else:
                raise JsonMismatch(joined(path, name), "is missing")
        return values

    def _read_union(self, branches: list[Any], value: Any, path: str) -> Any:
        if value is None and "null" in branches:
            return None
        mismatches: list[JsonMismatch] = []
        for branch in branches:
            if branch != "null":
                try:
                    return self.read(branch, value, path)
                except JsonMismatch as mismatch:
                    mismatches.append(mismatch)
        raise mismatches[0] if mismatches else JsonMismatch(path, f"{short(value)} is not null")

    def _default(self, schema: Any, default: Any) -> Any:
        """A default in Avro's form in a schema: a union's default is of its first branch, bytes are text."""
        schema = self._resolved(schema)
        if isinstance(schema, list):
            return self._default(schema[0], default)
        match schema["type"]:
            case "record":
                return {
                    field["name"]: self._default(field["type"], default.get(field["name"], field.get("default")))
                    for field in schema["fields"]
                }
            case "bytes" | "fixed":
                raw = default.encode("latin-1")
                if schema.get("logicalType") == "decimal":
                    return Decimal(int.from_bytes(raw, signed=True)).scaleb(-schema.get("scale", 0))
                return raw
            case "long" if schema.get("logicalType") == "timestamp-millis":
                return datetime.fromtimestamp(default / 1000, UTC)
            case "array":
                return [self._default(schema["items"], item) for item in default]
            case "map":
                return {key: self._default(schema["values"], item) for key, item in default.items()}
            case _:
                return default

    def _resolved(self, schema: Any) -> Any:
        """A type's definition as an object, or a union's list."""
        if isinstance(schema, str):
            return self._named.get(schema, {"type": schema})
        if isinstance(schema, dict) and isinstance(schema["type"], (dict, list)):
            return self._resolved(schema["type"])
        return schema

    def _collect(self, schema: Any, namespace: str) -> None:
        if isinstance(schema, list):
            for branch in schema:
                self._collect(branch, namespace)
        elif isinstance(schema, dict):
            if "name" in schema:
                namespace = schema.get("namespace", namespace)
                self._named[schema["name"]] = self._named[f"{namespace}.{schema['name']}"] = schema
            for field in schema.get("fields", ()):
                self._collect(field["type"], namespace)
            for inner in ("type", "items", "values"):
                self._collect(schema.get(inner), namespace)


def _timestamp(schema: Schema, value: Any, path: str) -> datetime:
    try:
        moment = datetime.fromisoformat(_of(str, value, path))
    except ValueError as error:
        if isinstance(error, JsonMismatch):
            raise
        raise JsonMismatch(path, f"{short(value)} is not an ISO 8601 time") from error
    if moment.tzinfo is None:
        raise JsonMismatch(path, f"{short(value)} has no time zone; write {value}Z for UTC")
    try:
        moment = moment.astimezone(UTC)
    except OverflowError as error:
        raise JsonMismatch(path, f"{short(value)} is out of range") from error
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _decimal(schema: Schema, value: Any, path: str) -> Decimal:
    scale, precision = schema.get("scale", 0), schema["precision"]
    try:
        amount = Decimal(_of(str, value, path))
        rounded = amount.quantize(Decimal(1).scaleb(-scale))
    except InvalidOperation as error:
        raise JsonMismatch(path, f"{short(value)} is not an amount such as 12.50") from error
    if not amount.is_finite():
        raise JsonMismatch(path, f"{short(value)} is not an amount such as 12.50")
    if rounded != amount:
        raise JsonMismatch(path, f"{short(value)} has more than {scale} decimal places")
    if len(rounded.as_tuple().digits) > precision:
        raise JsonMismatch(path, f"{short(value)} has more than {precision} digits")
    return rounded


def _uuid(schema: Schema, value: Any, path: str) -> str:
    try:
        return str(uuid.UUID(_of(str, value, path)))
    except ValueError as error:
        if isinstance(error, JsonMismatch):
            raise
        raise JsonMismatch(path, f"{short(value)} is not a UUID") from error


_LOGICAL_READERS: dict[str | None, Callable[[Schema, Any, str], Any]] = {
    "timestamp-millis": _timestamp,
    "decimal": _decimal,
    "uuid": _uuid,
}


def _bytes(schema: Schema, value: Any, path: str) -> bytes:
    text = _of(str, value, path)
    if not re.fullmatch(r"(?:[0-9a-fA-F]{2})*", text):
        raise JsonMismatch(path, f"{short(value)} is not hexadecimal")
    raw = bytes.fromhex(text)
    if len(raw) != schema.get("size", len(raw)):
        raise JsonMismatch(path, f"is {len(raw)} bytes, not {schema['size']}")
    return raw


def _integer(schema: Schema, value: Any, path: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise JsonMismatch(path, f"{short(value)} is not a whole number")
    limit = _INTEGERS[schema["type"]]
    if not -limit <= value < limit:
        raise JsonMismatch(path, f"{short(value)} is out of range")
    return value


def _float(value: Any, path: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise JsonMismatch(path, f"{short(value)} is not a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise JsonMismatch(path, f"{short(value)} is not a finite number")
    return number


def _text(value: str, path: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        half = value[error.start]
        raise JsonMismatch(path, f"holds {half!r}, a lone surrogate, which cannot be encoded") from None
    return value


def _of(wanted: type[Any], value: Any, path: str) -> Any:
    if not isinstance(value, wanted):
        raise JsonMismatch(path, f"{short(value)} is not {_JSON_NAMES[wanted]}")
    return value
