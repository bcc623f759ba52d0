"""Avro to records and back by functions that are generated for one schema each, once.

fastavro walks the schema for every record and builds a dict, from which msgspec builds the record. The generated
functions need no such walk: straight-line code, field after field, reads the bytes and builds the record itself. That
takes a third to a half of the time (docs/performance.md).

Versions other than ours are also read by generated functions (:mod:`streams.avro.reading`), for safety: bytes under a
schema that a stranger had registered made fastavro 1.13 crash the process, or loop for ever
(docs/adr/0016-every-value-is-checked-on-the-way-in.md).

The contract, checked by tests/streams/test_specialised.py for every record: the bytes are those that fastavro writes,
the record is the one that it reads, and bytes that it refuses are refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from schemas import Schema
from schemas.expansion import Node, expanded
from streams.avro import binary
from streams.avro.binary import Decoder, Encoder, write_long
from streams.avro.generated import Source
from streams.avro.reading import Reading


def encoder_of(schema: Schema, *, only: Sequence[str] | None = None) -> Encoder:
    """An encoder of records in our own version of the schema; with ``only``, of those fields alone."""
    return _Writing(_KNOWN).record(_some(expanded(schema), only)["fields"])


def decoder_of(
    schema: Schema,
    record: type[Any],
    *,
    only: Sequence[str] | None = None,
    written: Node | None = None,
    work: int = binary.MOST_WORK,
) -> Decoder:
    """A decoder into ``record``; with ``only``, into a dict of those fields alone.

    ``written`` is the expanded schema that the bytes were written with, ours if None. ``work`` is the limit for its
    lists and maps (:data:`streams.avro.binary.MOST_WORK`).
    Raises Unfit for a schema that cannot be used for reading.
    """
    ours = _some(expanded(schema), only)
    reading = Reading(ours=written is None, work=work)
    return reading.record(ours if written is None else written, ours, record, whole=only is None)


class _Writing(Source):
    def record(self, fields: list[Any]) -> Encoder:
        values = [(field["name"], f" v{at} = r.{field['name']}") for at, field in enumerate(fields)]
        encoded = [(field["name"], f" {self.of(field['type'], f'v{at}')},") for at, field in enumerate(fields)]
        return cast("Encoder", self.compiled("r", [*values, ("", " return join(("), *encoded, ("", " ))")]))

    def of(self, kind: Any, value: str) -> str:
        """An expression for the bytes of ``value``."""
        match kind:
            case [*parts]:
                at, other = _optional(parts)
                return f"({write_long(at)!r} if {value} is None else {write_long(1 - at)!r} + {self.of(other, value)})"
            case {"type": "string"}:
                return f"write_text({value})"
            case {"type": "boolean"}:
                return f"(b'\\x01' if {value} else b'\\x00')"
            case {"type": "long", "logicalType": "timestamp-millis"}:
                return f"write_moment({value})"
            case {"type": "bytes", "logicalType": "decimal", "precision": precision, "scale": scale}:
                return f"write_money({value}, {precision}, {scale})"
            case {"type": "long" | "int" | "bytes" | "double" as name}:
                return f"write_{name}({value})"
            case {"type": "enum", "symbols": symbols}:
                return f"{self.ref({symbol: write_long(at) for at, symbol in enumerate(symbols)})}[{value}]"
            case {"type": "record", "fields": fields}:
                return f"{self.ref(_Writing(_KNOWN).record(fields))}({value})"
            case {"type": "array", "items": items}:
                return f"write_array({value}, {self.ref(self._item(items))})"
            case {"type": "map", "values": values}:
                return f"write_map({value}, {self.ref(self._item(values))})"
        raise NotImplementedError(f"no record of the contract has used {kind} so far")

    def _item(self, kind: Any) -> Encoder:
        if isinstance(kind, dict) and kind["type"] == "record":
            return _Writing(_KNOWN).record(kind["fields"])
        inner = _Writing(_KNOWN)
        return cast("Encoder", inner.compiled("r", [("", f" return {inner.of(kind, 'r')}")]))


def _some(schema: Any, only: Sequence[str] | None) -> Any:
    return schema if only is None else schema | {"fields": [one for one in schema["fields"] if one["name"] in only]}


def _optional(parts: list[Any]) -> tuple[int, Any]:
    """The position of null in a union, and the other type."""
    at = parts.index({"type": "null"})
    if len(parts) != 2:
        raise ValueError(f"a union of null and one other type was expected, not {parts}")
    return at, parts[1 - at]


_KNOWN = {
    "join": b"".join,
    "write_array": binary.write_array,
    "write_bytes": binary.write_bytes,
    "write_double": binary.write_double,
    "write_int": binary.write_int,
    "write_long": binary.write_long,
    "write_map": binary.write_map,
    "write_moment": binary.write_moment,
    "write_money": binary.write_money,
    "write_text": binary.write_text,
}
