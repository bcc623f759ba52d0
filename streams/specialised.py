"""Avro to records and back by functions written for one schema: the source of each is made from it, once.

fastavro walks the schema for every record and makes a dict that msgspec then makes the record of. For our own version
of a schema all that walking is known beforehand, so it is written out: straight code, field after field, that reads
and makes the record itself. It takes a third to a half of the time (docs/performance.md). Rare types (decimals, maps)
are left to fastavro, as is every version of a schema but ours, which has to be resolved.

The contract, held by tests/streams/test_specialised.py for every record: the bytes are those that fastavro writes, the
record is the one it reads, and bytes that it refuses are refused.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast, get_args, get_type_hints

import fastavro

from schemas import Schema

Encoder = Callable[[Any], bytes]
"""The bytes of a record, or of those of its fields that it was made for."""

Decoder = Callable[[bytes, int], tuple[Any, int]]
"""What is encoded from a position on, and the position after it. Raises whatever broken bytes lead to: an index, a
key, a character that is none. That the position is within the bytes is for the caller to see."""

_INT, _LONG = 31, 63  # bits of magnitude
_MOST_BITS = 70  # in ten bytes
_ONE_BYTE = 64


def encoder_of(schema: Schema, *, only: Sequence[str] | None = None) -> Encoder:
    """For records of the schema, which names no type twice (:func:`fastavro.schema.expand_schema`)."""
    return _Writing().record(_fields(schema, only))


def decoder_of(schema: Schema, record: type[Any], *, only: Sequence[str] | None = None) -> Decoder:
    """Into ``record``; with ``only`` of its fields, into a dict of those."""
    return _Reading().record(_fields(schema, only), record, whole=only is None)


class _Source:
    """A function's source in the making, and what it refers to."""

    def __init__(self) -> None:
        self._known: dict[str, Any] = dict(_KNOWN)

    def ref(self, thing: Any) -> str:
        name = f"x{len(self._known)}"
        self._known[name] = thing
        return name

    def compiled(self, arguments: str, lines: Iterable[str]) -> Any:
        known = ", ".join(f"{name}={name}" for name in self._known)  # as defaults they are locals, and quick
        scope = dict(self._known)
        # made of a schema of ours, of nothing that travelled
        exec("\n".join([f"def f({arguments}, {known}):", *lines]), scope)
        return scope["f"]


class _Writing(_Source):
    def record(self, fields: list[Any]) -> Encoder:
        values = [f" v{at} = r.{field['name']}" for at, field in enumerate(fields)]
        encoded = [self.of(field["type"], f"v{at}") for at, field in enumerate(fields)]
        return cast("Encoder", self.compiled("r", [*values, f" return join(({', '.join(encoded)},))"]))

    def of(self, kind: Any, value: str) -> str:
        """An expression for the bytes of ``value``."""
        match kind:
            case [*parts]:
                at, other = _optional(parts)
                return f"({_byte(at)!r} if {value} is None else {_byte(1 - at)!r} + {self.of(other, value)})"
            case "string" | {"type": "string"}:
                return f"text({value})"
            case "boolean":
                return f"(b'\\x01' if {value} else b'\\x00')"
            case "long" | "int":
                return f"{kind}_({value})"
            case {"type": "long", "logicalType": "timestamp-millis"}:
                return f"long_(({value} - EPOCH) // MILLISECOND)"
            case "bytes":
                return f"raw({value})"
            case {"type": "enum", "symbols": symbols}:
                return f"{self.ref({symbol: _byte(at) for at, symbol in enumerate(symbols)})}[{value}]"
            case {"type": "record"}:
                return f"{self.ref(encoder_of(kind))}({value})"
            case {"type": "array", "items": items}:
                return f"array({value}, {self.ref(self._item(items))})"
            case _:
                return f"other({value}, {self.ref(fastavro.parse_schema(kind))})"

    def _item(self, kind: Any) -> Encoder:
        if isinstance(kind, dict) and kind["type"] == "record":
            return encoder_of(kind)
        source = _Writing()
        expression = source.of(kind, "r")
        return cast("Encoder", source.compiled("r", [f" return {expression}"]))


class _Reading(_Source):
    def record(self, fields: list[Any], record: type[Any], *, whole: bool) -> Decoder:
        hints = get_type_hints(record)
        lines: list[str] = []
        for at, field in enumerate(fields):
            lines += [" " + line for line in self.of(field["type"], f"v{at}", hints[field["name"]])]
        make = self.ref(record if whole else dict)
        made = ", ".join(f"{field['name']}=v{at}" for at, field in enumerate(fields))
        return cast("Decoder", self.compiled("b, p", [*lines, f" return {make}({made}), p"]))

    def of(self, kind: Any, into: str, hint: Any) -> list[str]:
        """Statements that read from ``b`` at ``p`` into a variable."""
        match kind:
            case [*parts]:
                at, other = _optional(parts)
                [inner] = [part for part in get_args(hint) if part is not type(None)]
                return [
                    "i = b[p]; p += 1",
                    f"if i == {2 * at}: {into} = None",
                    f"elif i != {2 * (1 - at)}: raise ValueError(f'{{i}} is no branch of a union')",
                    "else:",
                    *(" " + line for line in self.of(other, into, inner)),
                ]
            case "string" | {"type": "string"}:
                return [*_LENGTH, f"{into} = str(b[p : p + n], 'utf-8'); p += n"]
            case "bytes":
                return [*_LENGTH, f"{into} = b[p : p + n]; p += n"]
            case "boolean":
                return [f"{into} = BOOLEANS[b[p]]; p += 1"]
            case "long" | "int":
                return [f"{into}, p = number(b, p)"]
            case {"type": "long", "logicalType": "timestamp-millis"}:
                return ["n, p = number(b, p)", f"{into} = EPOCH + timedelta(0, 0, 0, n)"]
            case {"type": "enum", "symbols": symbols}:
                members = self.ref({2 * at: hint(symbol) for at, symbol in enumerate(symbols)})
                return [f"{into} = {members}[b[p]]; p += 1"]
            case {"type": "record"}:
                return [f"{into}, p = {self.ref(decoder_of(kind, hint))}(b, p)"]
            case {"type": "array", "items": items}:
                return [f"{into}, p = items(b, p, {self.ref(self._item(items, get_args(hint)[0]))})"]
            case _:
                return [f"{into}, p = another(b, p, {self.ref(fastavro.parse_schema(kind))})"]

    def _item(self, kind: Any, hint: Any) -> Decoder:
        if isinstance(kind, dict) and kind["type"] == "record":
            return decoder_of(kind, hint)
        source = _Reading()
        lines = [" " + line for line in source.of(kind, "v", hint)]
        return cast("Decoder", source.compiled("b, p", [*lines, " return v, p"]))


# a length is one byte as a rule; more, or a negative one, is for the function
_LENGTH = ("n = b[p]; p += 1", "if n & 129: n, p = length(b, p - 1)", "else: n >>= 1")


def _fields(schema: Any, only: Sequence[str] | None) -> list[Any]:
    return [field for field in schema["fields"] if only is None or field["name"] in only]


def _optional(parts: list[Any]) -> tuple[int, Any]:
    """Where null stands in a union, and what else there is."""
    at = parts.index("null")
    if len(parts) != 2:
        raise ValueError(f"a union of null and one other type was expected, not {parts}")
    return at, parts[1 - at]


def _byte(number: int) -> bytes:
    return bytes((2 * number,))


# -- what the written functions call --------------------------------------------------------------------------------


def _number(value: int, bits: int) -> bytes:
    if not -(1 << bits) <= value < 1 << bits:
        raise OverflowError(f"{value} does not fit into {bits + 1} bits")
    left = (value << 1) ^ (value >> bits)
    if left < 128:
        return bytes((left,))
    out = bytearray()
    while left > 127:
        out.append(left & 127 | 128)
        left >>= 7
    out.append(left)
    return bytes(out)


def _long_(value: int) -> bytes:
    return _number(value, _LONG)


def count_of(items: int) -> bytes:
    """What stands before a block of so many items of an array."""
    return _SIZES[items] if items < _ONE_BYTE else _long_(items)


def _int_(value: int) -> bytes:
    return _number(value, _INT)


def _raw(value: bytes) -> bytes:
    size = len(value)
    return count_of(size) + value


def _text(value: str) -> bytes:
    encoded = value.encode()
    size = len(encoded)
    return count_of(size) + encoded


def _array(values: Sequence[Any], item: Encoder) -> bytes:
    return count_of(len(values)) + b"".join([item(value) for value in values]) + b"\0" if values else b"\0"


def _other(value: Any, schema: Any) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, schema, value)
    return out.getvalue()


def read_number(b: bytes, p: int) -> tuple[int, int]:
    """The int or long at a position, and the position after it. Raises IndexError at the end of the bytes."""
    byte = b[p]
    p += 1
    value, shift = byte & 127, 7
    while byte & 128:
        byte = b[p]
        p += 1
        value |= (byte & 127) << shift
        shift += 7
        if shift > _MOST_BITS:
            raise OverflowError("a number of more than ten bytes")
    return (value >> 1) ^ -(value & 1), p


def read_count(b: bytes, p: int) -> tuple[int, int]:
    """How many items the block of an array has, 0 at its end, and where they begin."""
    count, p = read_number(b, p)
    if count < 0:  # such a block says how long it is, too
        return -count, read_number(b, p)[1]
    return count, p


def _read_length(b: bytes, p: int) -> tuple[int, int]:
    length, p = read_number(b, p)
    if length < 0:
        raise ValueError(f"a length of {length}")
    return length, p


def _items(b: bytes, p: int, item: Decoder) -> tuple[tuple[Any, ...], int]:
    values: list[Any] = []
    while True:
        count, p = read_count(b, p)
        if not count:
            return tuple(values), p
        for _ in range(count):
            value, p = item(b, p)
            values.append(value)


def _another(b: bytes, p: int, schema: Any) -> tuple[Any, int]:
    body = io.BytesIO(b)
    body.seek(p)
    return fastavro.schemaless_reader(body, schema, None), body.tell()


_SIZES = tuple(_byte(size) for size in range(_ONE_BYTE))

_KNOWN = {
    "EPOCH": datetime(1970, 1, 1, tzinfo=UTC),
    "MILLISECOND": timedelta(milliseconds=1),
    "BOOLEANS": (False, True),
    "timedelta": timedelta,
    "str": str,
    "join": b"".join,
    "text": _text,
    "raw": _raw,
    "long_": _long_,
    "int_": _int_,
    "array": _array,
    "other": _other,
    "number": read_number,
    "length": _read_length,
    "items": _items,
    "another": _another,
}
