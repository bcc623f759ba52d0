"""Batches as a broker sends them, also such as no honest client makes."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from aiokafka.codec import gzip_encode, lz4_encode, snappy_encode, zstd_encode
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c

from streams.broker.unpacking import HEAD

Header = tuple[str, bytes | None]

COMPRESSED = {"gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}


def batch(records: Sequence[Sequence[Header]], *, codec: int = 0, base: int = 0, values: Sequence[bytes] = ()) -> bytes:
    """Records with these headers, from offset ``base`` on; their values are ``values``, else v0, v1 and so on."""
    made = DefaultRecordBatchBuilder(
        magic=2, compression_type=codec, is_transactional=0, producer_id=-1, producer_epoch=-1, base_sequence=-1,
        batch_size=1 << 30,
    )  # fmt: skip
    for at, headers in enumerate(records):
        value = values[at] if values else b"v%d" % at
        made.append(at, timestamp=at, key=b"k%d" % at, value=value, headers=list(headers))
    out = bytearray(made.build())
    struct.pack_into(">q", out, 0, base)
    return bytes(out)


def resealed(raw: bytes, records: bytes, *, codec: int, count: int | None = None) -> bytes:
    """The batch with other records, and a checksum that fits: what somebody sends who means it."""
    out = bytearray(raw[:HEAD]) + records
    struct.pack_into(">i", out, 8, len(out) - 12)
    struct.pack_into(">H", out, 21, codec)
    if count is not None:
        struct.pack_into(">i", out, 57, count)
    struct.pack_into(">I", out, 17, calc_crc32c(bytes(out[21:])))
    return bytes(out)


def compressed(records: bytes, codec: int) -> bytes:
    """Packed as producers pack."""
    return {1: gzip_encode, 2: snappy_encode, 3: lz4_encode, 4: zstd_encode}[codec](records)
