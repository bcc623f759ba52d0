"""Measures how long malicious records block their reader: ``python -m tests.benchmarks.hostile``.

Every record of tests/fuzz/hostile.py is decoded like in a role, the first time (including the schema look-up and the
generation of its reader) and again; batches with odd headers are decompressed like in the consumer. The best of a few
rounds counts, because the machine has other work. Exits with 1 if one of them blocks its reader for more than 50 ms.
"""

from __future__ import annotations

import asyncio
import struct
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

from streams.avro.codec import Codec
from streams.broker.fetched import TolerantRecords
from streams.broker.sealed import SEALED, Sealed
from streams.errors import Unreadable
from tests.fuzz.hostile import HOSTILE, Hostile
from tests.streams.batches import COMPRESSED, Header, batch
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


def _zeros(mib: int, codec: int) -> bytes:
    return batch([[]], codec=codec, values=[bytes(mib << 20)])


_NAMELESS: Header = ("", None)

BATCHES: Mapping[str, Callable[[], bytes]] = {
    "a header of 900,000 bytes": lambda: batch([[("h", b"x" * 900_000)]]),
    "5,000 headers": lambda: batch([[_NAMELESS] * 5_000]),
    "50,000 headers": lambda: batch([[_NAMELESS] * 50_000]),
    "400,000 headers": lambda: batch([[_NAMELESS] * 400_000]),
    "5,000 headers, one name no UTF-8": lambda: batch([[*[_NAMELESS] * 5_000, ("NAME", None)]]).replace(
        b"NAME", b"\xff\xfeab"
    ),
    "4,000,000 headers, packed": lambda: batch([[_NAMELESS] * 4_000_000], codec=COMPRESSED["zstd"]),
} | {
    f"{mib} MiB of zeros in {name}": partial(_zeros, mib, codec)
    for name, codec in COMPRESSED.items()
    for mib in (7, 64, 256)
}


def batch_held(what: str, made: Callable[[], bytes]) -> Held:
    """The times of decompressing one batch of one record."""
    data, spent = made(), []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        [record] = list(TolerantRecords(data).next_batch())
        spent.append((time.perf_counter() - began) * 1_000)
    return Held(what, len(data), min(spent), min(spent), SEALED if type(record.value) is Sealed else "unpacked")


def rows() -> list[Held]:
    """All measurements, in the order of the catalogue."""
    found = [asyncio.run(held_by(what, hostile)) for what, hostile in HOSTILE.items()]
    return found + [batch_held(what, made) for what, made in BATCHES.items()]


def main() -> int:
    """Print the table; returns 1 if a record blocks its reader for too long."""
    found = rows()
    print("| record | bytes | first, ms | again, ms | became |\n| --- | --- | --- | --- | --- |")
    for one in found:
        print(f"| {one.what} | {one.size:,} | {one.first_ms:.1f} | {one.again_ms:.1f} | {one.became} |")
    late = [one.what for one in found if max(one.first_ms, one.again_ms) > MOST_MS]
    print(f"\nover {MOST_MS:.0f} ms: {', '.join(late) or 'none'}")
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main())
