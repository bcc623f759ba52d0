"""A record kept with the pieces of its encoding, so that after a change only the changed pieces are encoded again.

In Avro, the encoding of a record is the concatenation of its fields' encodings, and the encoding of an array that of
its items (Avro 1.12, "Binary Encoding"). So it is split into pieces: one for each nested record, one for each item of
an array of records, and one for every run of plain fields between them. Records are immutable, so a piece belongs to
its value: the same object has the same piece.

The contract, checked by tests/streams/test_parts.py for any record: the joined pieces are the bytes that
:meth:`streams.avro.codec.Codec.encode` returns, and splitting those bytes gives the record that its ``decode`` returns.
"""

from __future__ import annotations

import typing
from collections.abc import Callable
from operator import attrgetter
from typing import Any, Generic, TypeVar, cast

from schemas import Schema
from streams.avro.binary import read_count, write_count
from streams.avro.specialised import decoder_of, encoder_of
from streams.events import Value

R = TypeVar("R")

_END = b"\x00"  # of an array: a block of no items


class Parts(Value, Generic[R], frozen=True, gc=False):
    """A record, and its encoding in pieces."""

    record: R
    pieces: tuple[bytes, ...]
    items: tuple[tuple[bytes, ...], ...]
    """For each array of records, the pieces of its items."""

    def encoded(self) -> bytes:
        """The whole encoding."""
        return b"".join(self.pieces)


class Layout(Generic[R]):
    """How records of one type are split into pieces; ``header`` precedes each record.

    ``schema`` is expanded by :func:`streams.avro.codec.expand`.
    """

    def __init__(self, record: type[R], schema: Schema, header: bytes) -> None:
        self._record = record
        self.header = header
        self._cuts: list[_Run | _Nested | _Items] = []
        hints = typing.get_type_hints(record)
        run: list[str] = []
        arrays = 0
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
                self._cuts.append(_Items(name, kind["items"], typing.get_args(hints[name])[0], arrays))
                arrays += 1
        if run:
            self._cuts.append(_Run(run, schema, record))
        self._no_items: tuple[tuple[bytes, ...], ...] = ((),) * arrays
        named = [(at, cut) for at, cut in enumerate(self._cuts, start=1) if not isinstance(cut, _Run)]
        self._runs = [(at, cut.encode) for at, cut in enumerate(self._cuts, start=1) if isinstance(cut, _Run)]
        self._named = [(at, cut.encode) for at, cut in named]
        self._values: Callable[[R], tuple[Any, ...]] = _getter([cut.name for _, cut in named])

    def encode(self, record: R, known: Parts[R] | None) -> Parts[R]:
        """The record in pieces. The pieces in ``known`` are reused for values that are the same objects.

        Raises a TypeError, ValueError or the like for values that do not fit the schema.
        """
        if known is None:
            pieces = [self.header, *[b""] * len(self._cuts)]
            items = list(self._no_items)
            for (at, encode), new in zip(self._named, self._values(record), strict=True):
                pieces[at] = encode(new, (), items)
        elif known.record is record:
            return known
        else:
            pieces = list(known.pieces)
            items = list(known.items)
            for (at, encode), new, old in zip(
                self._named, self._values(record), self._values(known.record), strict=True
            ):
                if new is not old:
                    pieces[at] = encode(new, old, items)
        for at, encode_run in self._runs:
            pieces[at] = encode_run(record)
        return Parts(record, tuple(pieces), tuple(items))

    def split(self, value: bytes) -> Parts[R]:
        """The record that is encoded in ``value`` (which begins with the header), in pieces.

        Raises ValueError if the record does not end where the bytes end, and other errors for broken bytes.
        """
        values: dict[str, Any] = {}
        pieces = [self.header]
        items = list(self._no_items)
        start = len(self.header)
        for cut in self._cuts:
            end = cut.split(value, start, values, items)
            pieces.append(value[start:end])
            start = end
        if start != len(value):
            raise ValueError(f"ends at {start}, not at {len(value)}")
        return Parts(self._record(**values), tuple(pieces), tuple(items))


class _Run:
    """A run of plain fields."""

    def __init__(self, names: list[str], schema: Schema, record: type[Any]) -> None:
        self.encode = encoder_of(schema, only=names)
        self._decode = decoder_of(schema, record, only=names)

    def split(self, value: bytes, start: int, into: dict[str, Any], items: _Pieces) -> int:
        read, end = self._decode(value, start)
        into |= read
        return end


class _Nested:
    """A nested record."""

    def __init__(self, name: str, schema: Schema, record: type[Any]) -> None:
        self.name = name
        self._encode = encoder_of(schema)
        self._decode = decoder_of(schema, record)

    def encode(self, new: Any, old: Any, items: _Pieces) -> bytes:
        return self._encode(new)

    def split(self, value: bytes, start: int, into: dict[str, Any], items: _Pieces) -> int:
        into[self.name], end = self._decode(value, start)
        return end


class _Items:
    """An array of records, the ``number``-th of them."""

    def __init__(self, name: str, schema: Schema, record: type[Any], number: int) -> None:
        self.name = name
        self._number = number
        self._encode = encoder_of(schema)
        self._decode = decoder_of(schema, record)

    def encode(self, new: tuple[Any, ...], old: tuple[Any, ...], items: _Pieces) -> bytes:
        if not new:
            items[self._number] = ()
            return _END
        encode = self._encode
        known = items[self._number]
        pieces = [was if now is then else encode(now) for now, then, was in zip(new, old, known, strict=False)]
        if len(new) > len(old):
            pieces += [encode(item) for item in new[len(old) :]]
        items[self._number] = tuple(pieces)
        return b"".join((write_count(len(pieces)), *pieces, _END))

    def split(self, value: bytes, start: int, into: dict[str, Any], items: _Pieces) -> int:
        read: list[Any] = []
        pieces: list[bytes] = []
        while True:
            count, start = read_count(value, start)
            if not count:
                break
            for _ in range(count):
                item, end = self._decode(value, start)
                read.append(item)
                pieces.append(value[start:end])
                start = end
        into[self.name] = tuple(read)
        items[self._number] = tuple(pieces)
        return start


_Pieces = list[tuple[bytes, ...]]


def _getter(names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    """A getter of these attributes that always returns a tuple, also for a single name."""
    return attrgetter(*names) if len(names) > 1 else lambda record: tuple(getattr(record, name) for name in names)


def _is_record(schema: Any) -> bool:
    return isinstance(schema, dict) and schema["type"] == "record"
