"""How long a record that is made to do harm holds its reader: ``python -m tests.benchmarks.hostile``.

Every record of tests/fuzz/hostile.py is decoded as a role decodes it, the first time (the schema is looked up and a
reader is made for it) and again; batches with odd headers are unpacked as the consumer unpacks them. Of each the best
of a few rounds, as the machine has other work. Ends with 1 if any of them holds its reader for longer than 50 ms.
"""

from __future__ import annotations

import asyncio
import struct
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from aiokafka.record.default_records import DefaultRecordBatchBuilder

from streams.codec import Codec
from streams.errors import Unreadable
from streams.fetched import TolerantRecords
from tests.fuzz.hostile import HOSTILE, Hostile
from tests.streams.given import prepared, put

MOST_MS = 50.0
ROUNDS = 5


class Held(NamedTuple):
    """``first_ms`` with a schema that is new to the reader, ``again_ms`` after that."""

    what: str
    size: int
    first_ms: float
    again_ms: float
    became: str


async def _timed(codec: Codec, value: bytes) -> tuple[float, str]:
    began = time.perf_counter()
    became = "read"
    try:
        await codec.decode(value)
    except Unreadable as why:
        became = why.reason
    return (time.perf_counter() - began) * 1_000, became


async def held_by(what: str, hostile: Hostile) -> Held:
    """The times of one record."""
    schema, body = hostile.made()
    value = struct.pack(">bI", 0, 7_000_000) + body
    first, again, became = [], [], ""
    for _ in range(ROUNDS):
        codec, registry = await prepared()
        put(registry, 7_000_000, schema)
        spent, became = await _timed(codec, value)
        first.append(spent)
        again.append((await _timed(codec, value))[0])
    return Held(what, len(value), min(first), min(again), became)


def _batch(headers: Sequence[tuple[str, bytes | None]]) -> bytes:
    made = DefaultRecordBatchBuilder(
        magic=2, compression_type=0, is_transactional=0, producer_id=-1, producer_epoch=-1, base_sequence=-1,
        batch_size=16 << 20,
    )  # fmt: skip
    made.append(0, timestamp=0, key=b"k", value=b"v", headers=list(headers))
    return bytes(made.build())


HEADERS: Mapping[str, Callable[[], bytes]] = {
    "a header of 900,000 bytes": lambda: _batch([("h", b"x" * 900_000)]),
    "5,000 headers": lambda: _batch([("", None)] * 5_000),
    "50,000 headers": lambda: _batch([("", None)] * 50_000),
    "400,000 headers": lambda: _batch([("", None)] * 400_000),
    "5,000 headers, one name no UTF-8": lambda: _batch([("", None)] * 5_000 + [("NAME", None)]).replace(
        b"NAME", b"\xff\xfeab"
    ),
}


def headers_held(what: str, made: Callable[[], bytes]) -> Held:
    """The times of unpacking one batch."""
    data, spent = made(), []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        with suppress(StopIteration):
            list(TolerantRecords(data).next_batch())
        spent.append((time.perf_counter() - began) * 1_000)
    return Held(what, len(data), min(spent), min(spent), "unpacked")


def rows() -> list[Held]:
    """Everything, in the order of the catalogue."""
    found = [asyncio.run(held_by(what, hostile)) for what, hostile in HOSTILE.items()]
    return found + [headers_held(what, made) for what, made in HEADERS.items()]


def main() -> int:
    """Print the table; 1 if a record holds its reader for too long."""
    found = rows()
    print("| record | bytes | first, ms | again, ms | became |\n| --- | --- | --- | --- | --- |")
    for one in found:
        print(f"| {one.what} | {one.size:,} | {one.first_ms:.1f} | {one.again_ms:.1f} | {one.became} |")
    late = [one.what for one in found if max(one.first_ms, one.again_ms) > MOST_MS]
    print(f"\nover {MOST_MS:.0f} ms: {', '.join(late) or 'none'}")
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main())
