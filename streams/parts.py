"""A record kept with the pieces of its encoding, so that a change encodes what it touched and nothing else.

The Avro encoding of a record is that of its fields, one after the other, and of an array that of its items (Avro 1.12,
"Binary Encoding"). So the encoding is cut: each nested record and each item of an array of records is a piece of its
own, and every run of plain fields between them is one. Records never change, so a piece belongs to its value: the same
object has the same piece.

The contract, held by tests/streams/test_parts.py for any record: the pieces put together are the bytes that
:meth:`streams.codec.Codec.encode` gives, and cutting those bytes gives the record that its ``decode`` gives.
"""

from __future__ import annotations

import typing
from typing import Any, Generic, NamedTuple, TypeVar, cast

from schemas import Schema
from streams.specialised import count_of, decoder_of, encoder_of, read_count

R = TypeVar("R")

_END = b"\x00"  # of an array: a block of no items

Piece = bytes | tuple[bytes, ...]


class Parts(NamedTuple, Generic[R]):
    """A record, and its encoding in pieces: bytes, or for an array of records those of each item."""

    record: R
    pieces: list[Piece]

    def encoded(self, header: bytes = b"") -> bytes:
        """The whole encoding after ``header``."""
        whole = [header]
        for piece in self.pieces:
            if type(piece) is bytes:
                whole.append(piece)
            elif piece:
                whole.append(count_of(len(piece)))
                whole += cast("tuple[bytes, ...]", piece)
                whole.append(_END)
            else:
                whole.append(_END)
        return b"".join(whole)


class Layout(Generic[R]):
    """How records of one type are cut. ``schema`` is written out, as :func:`streams.codec.expand` gives it."""

    def __init__(self, record: type[R], schema: Schema) -> None:
        self._record = record
        self._cuts: list[_Run | _Nested | _Items] = []
        hints = typing.get_type_hints(record)
        run: list[str] = []
        for field in cast("Any", schema)["fields"]:
            name, kind = field["name"], field["type"]
            nested = _is_record(kind)
            items = isinstance(kind, dict) and kind["type"] == "array" and _is_record(kind["items"])
            if not (nested or items):
                run.append(name)
                continue
            if run:
                self._cuts.append(_Run(run, schema, record))
                run = []
            if nested:
                self._cuts.append(_Nested(name, kind, hints[name]))
            else:
                self._cuts.append(_Items(name, kind["items"], typing.get_args(hints[name])[0]))
        if run:
            self._cuts.append(_Run(run, schema, record))

    def encode(self, record: R, known: Parts[R] | None) -> Parts[R]:
        """The record in pieces; of those in ``known`` as many as its values are the same objects.

        Raises a TypeError, ValueError or the like for values that do not fit the schema.
        """
        if known is None:
            return Parts(record, [cut.encode(record) for cut in self._cuts])
        before, pieces = known
        return Parts(record, [cut.again(record, before, was) for cut, was in zip(self._cuts, pieces, strict=True)])

    def split(self, value: bytes, start: int) -> Parts[R]:
        """The record encoded in ``value`` from ``start`` to its end, in pieces.

        Raises ValueError where it ends elsewhere, and whatever else broken bytes lead to.
        """
        values: dict[str, Any] = {}
        pieces: list[Piece] = []
        at = start
        for cut in self._cuts:
            piece, at = cut.split(value, at, values)
            pieces.append(piece)
        if at != len(value):
            raise ValueError(f"ends at {at}, not at {len(value)}")
        return Parts(self._record(**values), pieces)


class _Run:
    """Plain fields that follow one another."""

    def __init__(self, names: list[str], schema: Schema, record: type[Any]) -> None:
        self._names = tuple(names)
        self.encode = encoder_of(schema, only=names)
        self._decode = decoder_of(schema, record, only=names)

    def again(self, record: Any, before: Any, was: Piece) -> Piece:
        for name in self._names:
            if getattr(record, name) is not getattr(before, name):
                return self.encode(record)
        return was

    def split(self, value: bytes, start: int, into: dict[str, Any]) -> tuple[Piece, int]:
        read, end = self._decode(value, start)
        into |= read
        return value[start:end], end


class _Nested:
    """A record within the record."""

    def __init__(self, name: str, schema: Schema, record: type[Any]) -> None:
        self._name = name
        self._encode = encoder_of(schema)
        self._decode = decoder_of(schema, record)

    def encode(self, record: Any) -> Piece:
        return self._encode(getattr(record, self._name))

    def again(self, record: Any, before: Any, was: Piece) -> Piece:
        field = getattr(record, self._name)
        return was if field is getattr(before, self._name) else self._encode(field)

    def split(self, value: bytes, start: int, into: dict[str, Any]) -> tuple[Piece, int]:
        into[self._name], end = self._decode(value, start)
        return value[start:end], end


class _Items:
    """An array of records."""

    def __init__(self, name: str, schema: Schema, record: type[Any]) -> None:
        self._name = name
        self._encode = encoder_of(schema)
        self._decode = decoder_of(schema, record)

    def encode(self, record: Any) -> Piece:
        return tuple([self._encode(item) for item in getattr(record, self._name)])

    def again(self, record: Any, before: Any, was: Piece) -> Piece:
        items = getattr(record, self._name)
        known = getattr(before, self._name)
        if items is known:
            return was
        pieces: dict[int, Any] = {id(item): piece for item, piece in zip(known, was, strict=True)}
        return tuple([pieces.get(id(item)) or self._encode(item) for item in items])

    def split(self, value: bytes, start: int, into: dict[str, Any]) -> tuple[Piece, int]:
        items: list[Any] = []
        pieces: list[bytes] = []
        while True:
            count, start = read_count(value, start)
            if not count:
                break
            for _ in range(count):
                item, end = self._decode(value, start)
                items.append(item)
                pieces.append(value[start:end])
                start = end
        into[self._name] = tuple(items)
        return tuple(pieces), start


def _is_record(schema: Any) -> bool:
    return isinstance(schema, dict) and schema["type"] == "record"
