"""A record kept with the pieces of its encoding, so that a change encodes what it touched and nothing else.

The Avro encoding of a record is that of its fields, one after the other, and of an array that of its items (Avro 1.12,
"Binary Encoding"). So the encoding is cut: each nested record and each item of an array of records is a piece of its
own, and every run of plain fields between them is one. Records never change, so a piece belongs to its value: the same
object has the same piece.

The contract, held by tests/streams/test_parts.py for any record: the pieces put together are the bytes that
:meth:`streams.codec.Codec.encode` gives, and cutting those bytes gives the record that its ``decode`` gives.
"""

from __future__ import annotations

import io
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

import fastavro
from fastavro.schema import expand_schema

from schemas import Schema
from streams.records import builder_of, to_values

R = TypeVar("R")

_END = b"\x00"  # of an array: a block of no items
_SMALL = 64  # a count below it is one byte

Piece = bytes | tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Parts(Generic[R]):
    """A record, and its encoding in pieces: bytes, or for an array of records those of each item."""

    record: R
    pieces: tuple[Piece, ...]

    def encoded(self, header: bytes = b"") -> bytes:
        """The whole encoding after ``header``."""
        whole = [header]
        for piece in self.pieces:
            if type(piece) is bytes:
                whole.append(piece)
            elif isinstance(piece, tuple) and piece:
                whole.append(_count(len(piece)))
                whole.extend(piece)
                whole.append(_END)
            else:
                whole.append(_END)
        return b"".join(whole)


class Layout(Generic[R]):
    """How records of one type are cut. ``schema`` is resolved by name already, as :func:`streams.codec.parse` gives."""

    def __init__(self, record: type[R], schema: Schema) -> None:
        self._record = record
        self._cuts: list[_Run | _Nested | _Items] = []
        hints = typing.get_type_hints(record)
        run: list[Schema] = []
        for field in cast("Any", expand_schema(schema))["fields"]:
            kind = field["type"]
            nested = _is_record(kind)
            items = isinstance(kind, dict) and kind["type"] == "array" and _is_record(kind["items"])
            if not (nested or items):
                run.append(field)
                continue
            if run:
                self._cuts.append(_Run(run))
                run = []
            hint = hints[field["name"]]
            if nested:
                self._cuts.append(_Nested(field["name"], kind, hint))
            else:
                self._cuts.append(_Items(field["name"], kind["items"], typing.get_args(hint)[0]))
        if run:
            self._cuts.append(_Run(run))

    def encode(self, record: R, known: Parts[R] | None) -> Parts[R]:
        """The record in pieces; of those in ``known`` as many as its values are the same objects.

        Raises what fastavro raises for values that do not fit the schema.
        """
        if known is None:
            return Parts(record, tuple([cut.encode(record, None, b"") for cut in self._cuts]))
        before = known.record
        return Parts(
            record, tuple([cut.encode(record, before, was) for cut, was in zip(self._cuts, known.pieces, strict=True)])
        )

    def split(self, value: bytes, start: int) -> Parts[R]:
        """The record encoded in ``value`` from ``start`` to its end, in pieces.

        Raises ValueError for bytes left over, and what fastavro or msgspec raise for others.
        """
        body = io.BytesIO(value)
        body.seek(start)
        values: dict[str, Any] = {}
        pieces = tuple([cut.split(body, value, values) for cut in self._cuts])
        if body.tell() != len(value):
            raise ValueError(f"{len(value) - body.tell()} bytes left over")
        return Parts(self._record(**values), pieces)


class _Run:
    """Plain fields that follow one another."""

    def __init__(self, fields: list[Schema]) -> None:
        self._names = tuple(cast("Any", field)["name"] for field in fields)
        self._schema = fastavro.parse_schema({"type": "record", "name": "run", "fields": fields})

    def encode(self, record: Any, before: Any, was: Piece) -> Piece:
        for name in self._names:
            if before is None or getattr(record, name) is not getattr(before, name):
                break
        else:
            return was
        out = io.BytesIO()
        fastavro.schemaless_writer(out, self._schema, {name: getattr(record, name) for name in self._names})
        return out.getvalue()

    def split(self, body: io.BytesIO, value: bytes, into: dict[str, Any]) -> Piece:
        start = body.tell()
        read = cast("dict[str, Any]", fastavro.schemaless_reader(body, self._schema, None))
        for name, field in read.items():
            into[name] = tuple(field) if type(field) is list else field
        return value[start : body.tell()]


class _Nested:
    """A record within the record."""

    def __init__(self, name: str, schema: Schema, record: type[Any]) -> None:
        self._name = name
        self._one = _One(schema, record)

    def encode(self, record: Any, before: Any, was: Piece) -> Piece:
        field = getattr(record, self._name)
        if before is not None and field is getattr(before, self._name):
            return was
        return self._one.encode(field)

    def split(self, body: io.BytesIO, value: bytes, into: dict[str, Any]) -> Piece:
        start = body.tell()
        into[self._name] = self._one.decode(body)
        return value[start : body.tell()]


class _Items:
    """An array of records."""

    def __init__(self, name: str, schema: Schema, record: type[Any]) -> None:
        self._name = name
        self._one = _One(schema, record)

    def encode(self, record: Any, before: Any, was: Piece) -> Piece:
        items = getattr(record, self._name)
        if not items:
            return ()
        if before is None:
            return tuple([self._one.encode(item) for item in items])
        known = getattr(before, self._name)
        if items is known:
            return was
        pieces: dict[int, Any] = {id(item): piece for item, piece in zip(known, was, strict=True)}
        return tuple([pieces.get(id(item)) or self._one.encode(item) for item in items])

    def split(self, body: io.BytesIO, value: bytes, into: dict[str, Any]) -> Piece:
        items: list[Any] = []
        pieces: list[bytes] = []
        while count := _read_count(body, value):
            for _ in range(count):
                start = body.tell()
                items.append(self._one.decode(body))
                pieces.append(value[start : body.tell()])
        into[self._name] = tuple(items)
        return tuple(pieces)


class _One:
    """A record of one type, whole."""

    def __init__(self, schema: Schema, record: type[Any]) -> None:
        self._schema = fastavro.parse_schema(schema)
        self._build: Callable[[dict[str, Any]], Any] = builder_of(record)

    def encode(self, record: Any) -> bytes:
        out = io.BytesIO()
        fastavro.schemaless_writer(out, self._schema, to_values(record), disable_tuple_notation=True)
        return out.getvalue()

    def decode(self, body: io.BytesIO) -> Any:
        return self._build(cast("dict[str, Any]", fastavro.schemaless_reader(body, self._schema, None)))


def _is_record(schema: Any) -> bool:
    return isinstance(schema, dict) and schema["type"] == "record"


def _count(items: int) -> bytes:
    if items < _SMALL:
        return _COUNTS[items]
    out = io.BytesIO()
    fastavro.schemaless_writer(out, _LONG, items)
    return out.getvalue()


def _read_count(body: io.BytesIO, value: bytes) -> int:
    at = body.tell()
    first = value[at]
    if first < 2 * _SMALL and not first & 1:  # one byte, and not the negative count of a block that tells its size
        body.seek(at + 1)
        return first >> 1
    count = cast("int", fastavro.schemaless_reader(body, _LONG, None))
    if count < 0:
        fastavro.schemaless_reader(body, _LONG, None)
        return -count
    return count


_LONG = fastavro.parse_schema("long")
_COUNTS = tuple(bytes((2 * count,)) for count in range(_SMALL))
