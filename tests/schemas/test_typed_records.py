"""The types of streams.events are the latest schemas: names, order, types, optionality, symbols, defaults."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from inspect import get_annotations
from typing import Any

import msgspec
import pytest

import schemas
from streams.avro.records import RECORDS
from streams.events import Touchpoint, Value
from streams.events.facts import Fact


def test_every_schema_has_its_class_and_every_class_its_schema() -> None:
    """No record without a type, no type that cannot travel."""
    assert set(RECORDS) == set(schemas.names())


def test_every_touchpoint_is_a_fact() -> None:
    """Every touchpoint and outcome has an id, a customer, a time and a source, in this order, and they stand once."""
    for cls in typing.get_args(Touchpoint):
        assert issubclass(cls, Fact)
        assert cls.__struct_fields__[: len(Fact.__struct_fields__)] == Fact.__struct_fields__
        assert not set(Fact.__struct_fields__) & set(get_annotations(cls)), cls


@pytest.mark.parametrize("name", schemas.names())
def test_a_class_is_its_schema(name: str) -> None:
    """Field by field, nested records and enums too."""
    assert RECORDS[name].__name__ == name.rpartition(".")[2]
    _compare(schemas.latest(name), RECORDS[name], {}, name)


def _compare(schema: dict[str, Any], cls: type[Any], named: dict[str, Any], where: str) -> None:
    assert issubclass(cls, Value), where
    assert cls.__name__ == schema["name"], where
    named[schema["name"]] = schema
    fields = msgspec.structs.fields(cls)
    assert [field.name for field in fields] == [field["name"] for field in schema["fields"]], where
    hints = typing.get_type_hints(cls)
    for ours, theirs in zip(fields, schema["fields"], strict=True):
        path = f"{where}.{ours.name}"
        _compare_type(theirs["type"], hints[ours.name], named, path)
        has_default = not ours.required
        assert has_default == ("default" in theirs), f"{path}: default"
        if has_default:
            factory = ours.default_factory
            default = ours.default if factory is msgspec.NODEFAULT else factory()
            _compare_default(theirs["default"], default, path)


def _compare_default(theirs: Any, ours: Any, path: str) -> None:
    if isinstance(ours, tuple):
        ours = list(ours)
    if isinstance(ours, bytes):
        ours = ours.decode("iso-8859-1")  # as Avro writes the default of bytes
    assert theirs == ours, f"{path}: default {ours!r} is {theirs!r} in the schema"


def _compare_type(schema: Any, hint: Any, named: dict[str, Any], path: str) -> None:
    if isinstance(schema, list):
        assert schema[0] == "null", path
        assert len(schema) == 2, path
        assert typing.get_origin(hint) in (types.UnionType, typing.Union), f"{path}: not optional"
        [hint] = [part for part in typing.get_args(hint) if part is not type(None)]
        _compare_type(schema[1], hint, named, path)
        return
    assert typing.get_origin(hint) not in (types.UnionType, typing.Union), f"{path}: optional"
    if isinstance(schema, str):
        short = schema.rpartition(".")[2]
        if short in named:
            _compare_type(named[short], hint, named, path)
            return
        plain = {"string": str, "int": int, "long": int, "boolean": bool, "bytes": bytes, "double": float}
        assert hint is plain[schema], path
        return
    if schema["type"] == "record":
        _compare(schema, hint, named, path)
    elif schema["type"] == "enum":
        named[schema["name"]] = schema
        assert issubclass(hint, StrEnum), path
        assert hint.__name__ == schema["name"], path
        assert [symbol.value for symbol in hint] == schema["symbols"], path
    elif schema["type"] == "array":
        assert typing.get_origin(hint) is tuple, path
        _compare_type(schema["items"], typing.get_args(hint)[0], named, path)
    elif schema["type"] == "map":
        assert typing.get_origin(hint) is Mapping, path
        _compare_type(schema["values"], typing.get_args(hint)[1], named, path)
    else:
        logical = {"uuid": str, "timestamp-millis": datetime, "decimal": Decimal}
        assert hint is logical[schema["logicalType"]], path
