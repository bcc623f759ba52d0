"""Decompresses the records section of a Kafka batch (message format v2) within bounds. Pure.

A broker checks the compressed size of a batch, not its decompressed size: 2 KB of zstd can hold gigabytes. aiokafka
decompresses a whole batch before it reads the first record, so the bounds have to be checked before that.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Mapping

import cramjam
from aiokafka.codec import _detect_xerial_stream

from streams.avro.binary import read_number, write_long  # Kafka's varints are Avro's

MOST_UNPACKED = 8 << 20
"""Largest decompressed size of a batch's records, in bytes. By default, producers send at most 1 MiB."""

MOST_RECORDS = 100_000
"""Most records in one batch. A real touchpoint has at least 60 bytes: 1 MiB holds at most 17,000 of them."""

MOST_HEADERS = 5_000
"""Most headers of one record; the rest is dropped, because every reader spends time on each header."""

HEAD = 61
"""Bytes of a batch before its records."""

_LENGTH_AT, _ATTRIBUTES_AT, _COUNT_AT = 8, 21, 57
_BEFORE = 12  # the length counts the bytes after it
_CODEC = 0b111
_LONG_RECORD = 100_000  # bytes; a shorter one cannot hold enough headers to matter
_XERIAL_HEAD = 16
_ROOM = 64 << 10  # bytes of the first buffer, at least
_ORDINARY = 8  # an ordinary compression ratio, for the first buffer
_NO_ROOM = "write whole buffer"  # in cramjam's error if the buffer is too small


class Unpackable(Exception):
    """The batch is refused as a whole; the message says why."""


def plain(raw: bytes) -> bytes:
    """The same batch without compression, and with at most ``MOST_HEADERS`` headers for each record.

    Its checksum is still the original's: check it before. Raises Unpackable for a batch beyond the bounds, or one that
    cannot be decompressed.
    """
    count = _int(raw, _COUNT_AT)
    if count > MOST_RECORDS:
        raise Unpackable(f"a batch of {count:,} records; at most {MOST_RECORDS:,} are allowed")
    attributes = int.from_bytes(raw[_ATTRIBUTES_AT : _ATTRIBUTES_AT + 2], "big")
    codec = attributes & _CODEC
    if codec == 0 and len(raw) < _LONG_RECORD:
        return raw
    records = _trimmed(_unpacked(raw[HEAD:], codec) if codec else raw[HEAD:], count)
    head = bytearray(raw[:HEAD])
    struct.pack_into(">i", head, _LENGTH_AT, HEAD - _BEFORE + len(records))
    struct.pack_into(">H", head, _ATTRIBUTES_AT, attributes & ~_CODEC)
    return bytes(head) + records


def _int(raw: bytes, at: int) -> int:
    return int.from_bytes(raw[at : at + 4], "big", signed=True)


def _unpacked(packed: bytes, codec: int) -> bytes:
    unpack = _CODECS.get(codec)
    if unpack is None:
        raise Unpackable(f"a batch with compression {codec}, which does not exist")
    try:
        return unpack(packed)
    except (cramjam.DecompressionError, zlib.error, struct.error, EOFError) as error:
        raise Unpackable(f"a batch that cannot be decompressed: {str(error)[:200]}") from error


def _too_large() -> Unpackable:
    return Unpackable(f"a batch that decompresses to more than {MOST_UNPACKED:,} bytes")


def _gzip(packed: bytes) -> bytes:
    found, left = b"", packed
    while left:  # gzip data may have several members
        member = zlib.decompressobj(wbits=31)
        found += member.decompress(left, MOST_UNPACKED - len(found) + 1)
        if len(found) > MOST_UNPACKED:
            raise _too_large()
        if not member.eof:
            raise EOFError("it is cut off")
        left = member.unused_data.lstrip(b"\0")
    return found


def _into(unpack: Callable[[bytes, bytearray], int]) -> Callable[[bytes], bytes]:
    def whole(packed: bytes) -> bytes:
        # clearing the largest buffer would take longer than decompressing an ordinary batch
        size = min(max(_ROOM, _ORDINARY * len(packed)), MOST_UNPACKED)
        while True:
            room = bytearray(size)
            try:
                return bytes(memoryview(room)[: unpack(packed, room)])
            except cramjam.DecompressionError as error:
                if _NO_ROOM not in str(error):
                    raise
                if size == MOST_UNPACKED:
                    raise _too_large() from error
                size = min(size * _ORDINARY, MOST_UNPACKED)

    return whole


def _snappy(packed: bytes) -> bytes:
    if not _detect_xerial_stream(packed):
        return _snappy_block(packed, MOST_UNPACKED)
    found, at = bytearray(), _XERIAL_HEAD
    while at < len(packed):
        (size,) = struct.unpack_from("!i", packed, at)
        if size < 0:
            raise EOFError("a block of negative length")
        found += _snappy_block(packed[at + 4 : at + 4 + size], MOST_UNPACKED - len(found))
        at += 4 + size
    return bytes(found)


def _snappy_block(packed: bytes, room: int) -> bytes:
    if cramjam.snappy.decompress_raw_len(packed) > room:
        raise _too_large()
    return bytes(cramjam.snappy.decompress_raw(packed))


_CODECS: Mapping[int, Callable[[bytes], bytes]] = {
    1: _gzip,
    2: _snappy,
    3: _into(cramjam.lz4.decompress_into),
    4: _into(cramjam.zstd.decompress_into),
}


def _trimmed(records: bytes, count: int) -> bytes:
    """The records, each with at most ``MOST_HEADERS`` headers. An invalid record is left to its reader."""
    if len(records) < _LONG_RECORD:
        return records
    parts, kept, at = [], 0, 0
    try:
        for _ in range(count):
            begin = at
            length, at = read_number(records, at)
            end = at + length
            if length < 0:
                return records
            if length >= _LONG_RECORD and (shorter := _with_few_headers(records, at, end)) is not None:
                parts += [records[kept:begin], shorter]
                kept = end
            at = end
    except (IndexError, ValueError):
        return records
    return b"".join((*parts, records[kept:])) if parts else records


def _with_few_headers(records: bytes, at: int, end: int) -> bytes | None:
    """The record with its first ``MOST_HEADERS`` headers; None if it has no more."""
    begin = at
    at += 1  # attributes
    for _ in range(2):  # timestamp and offset, as deltas
        _, at = read_number(records, at)
    for _ in range(2):  # key and value
        at = _behind(records, at)
    count_at = at
    count, at = read_number(records, at)
    if count <= MOST_HEADERS:
        return None
    first = at
    for _ in range(2 * MOST_HEADERS):
        at = _behind(records, at)
    if at > end:
        raise ValueError("headers beyond the end of their record")
    shorter = records[begin:count_at] + write_long(MOST_HEADERS) + records[first:at]
    return write_long(len(shorter)) + shorter


def _behind(records: bytes, at: int) -> int:
    """The position after a length-prefixed value, whose length is negative for null."""
    size, at = read_number(records, at)
    return at + max(size, 0)
