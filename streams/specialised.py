"""Avro to records and back by functions written for one schema: the source of each is made from it, once.

fastavro walks the schema for every record and makes a dict that msgspec then makes the record of. For our own version
of a schema all that walking is known beforehand, so it is written out: straight code, field after field, that reads
and makes the record itself. It takes a third to a half of the time (docs/performance.md). Maps are left to
fastavro, as is every version of a schema but ours, which has to be resolved.

The contract, held by tests/streams/test_specialised.py for every record: the bytes are those that fastavro writes, the
record is the one it reads, and bytes that it refuses are refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any, cast, get_args, get_type_hints

import fastavro

from schemas import Schema
from streams import binary
from streams.binary import Decoder, Encoder, write_long
from streams.clock import EPOCH


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
                return f"({write_long(at)!r} if {value} is None else {write_long(1 - at)!r} + {self.of(other, value)})"
            case "string" | {"type": "string"}:
                return f"write_text({value})"
            case "boolean":
                return f"(b'\\x01' if {value} else b'\\x00')"
            case "long" | "int":
                return f"write_{kind}({value})"
            case {"type": "long", "logicalType": "timestamp-millis"}:
                return f"write_moment({value})"
            case "bytes":
                return f"write_bytes({value})"
            case {"type": "bytes", "logicalType": "decimal", "precision": precision, "scale": scale}:
                return f"write_money({value}, {precision}, {scale})"
            case {"type": "enum", "symbols": symbols}:
                return f"{self.ref({symbol: write_long(at) for at, symbol in enumerate(symbols)})}[{value}]"
            case {"type": "record"}:
                return f"{self.ref(encoder_of(kind))}({value})"
            case {"type": "array", "items": items}:
                return f"write_array({value}, {self.ref(self._item(items))})"
            case _:
                return f"write_other({value}, {self.ref(fastavro.parse_schema(kind))})"

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
                return [f"{into}, p = read_number(b, p)"]
            case {"type": "long", "logicalType": "timestamp-millis"}:
                return ["n, p = read_number(b, p)", f"{into} = EPOCH + timedelta(0, 0, 0, n)"]
            case {"type": "bytes", "logicalType": "decimal", "scale": scale}:
                unscaled = "int.from_bytes(b[p : p + n], 'big', signed=True)"
                return [*_LENGTH, f"{into} = Decimal({unscaled}).scaleb({-scale}); p += n"]
            case {"type": "enum", "symbols": symbols}:
                members = self.ref({2 * at: hint(symbol) for at, symbol in enumerate(symbols)})
                return [f"{into} = {members}[b[p]]; p += 1"]
            case {"type": "record"}:
                return [f"{into}, p = {self.ref(decoder_of(kind, hint))}(b, p)"]
            case {"type": "array", "items": items}:
                return [f"{into}, p = read_items(b, p, {self.ref(self._item(items, get_args(hint)[0]))})"]
            case _:
                return [f"{into}, p = read_other(b, p, {self.ref(fastavro.parse_schema(kind))})"]

    def _item(self, kind: Any, hint: Any) -> Decoder:
        if isinstance(kind, dict) and kind["type"] == "record":
            return decoder_of(kind, hint)
        source = _Reading()
        lines = [" " + line for line in source.of(kind, "v", hint)]
        return cast("Decoder", source.compiled("b, p", [*lines, " return v, p"]))


# a length is one byte as a rule; more, or a negative one, is for the function
_LENGTH = ("n = b[p]; p += 1", "if n & 129: n, p = read_length(b, p - 1)", "else: n >>= 1")


def _fields(schema: Any, only: Sequence[str] | None) -> list[Any]:
    return [field for field in schema["fields"] if only is None or field["name"] in only]


def _optional(parts: list[Any]) -> tuple[int, Any]:
    """Where null stands in a union, and what else there is."""
    at = parts.index("null")
    if len(parts) != 2:
        raise ValueError(f"a union of null and one other type was expected, not {parts}")
    return at, parts[1 - at]


_KNOWN = {
    "BOOLEANS": (False, True),
    "Decimal": Decimal,
    "EPOCH": EPOCH,
    "join": b"".join,
    "str": str,
    "timedelta": timedelta,
    "write_array": binary.write_array,
    "write_bytes": binary.write_bytes,
    "write_int": binary.write_int,
    "write_long": binary.write_long,
    "write_moment": binary.write_moment,
    "write_money": binary.write_money,
    "write_other": binary.write_other,
    "write_text": binary.write_text,
    "read_items": binary.read_items,
    "read_length": binary.read_length,
    "read_number": binary.read_number,
    "read_other": binary.read_other,
}
