"""A partition is read on, whatever its headers and batches contain."""

from __future__ import annotations

import re
import struct
import time
import tracemalloc
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cramjam
import pytest
from aiokafka import TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record.legacy_records import LegacyRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.broker.fetched import TolerantRecords
from streams.broker.sealed import Sealed
from streams.broker.unpacking import HEAD, MOST_HEADERS, MOST_UNPACKED
from streams.errors import Unreadable
from tests.drawn import examples
from tests.streams.batches import COMPRESSED, Header, batch, compressed, resealed
from tests.streams.given import prepared

ROOT = Path(__file__).parents[2]

BAD = {
    "no UTF-8 at all": b"\xff\xfe\xfd\xfc",
    "cut off in a character": b"abc\xc3",
    "half of a surrogate pair": b"\xed\xa0\xbda",
    "Latin-1": b"caf\xe9",
    "a character too long": b"\xf0\x82\x82\xac",
}


def with_name(name: bytes, *, base: int = 0) -> bytes:
    """Return a batch of three records; the name of the second one's header is these four bytes."""
    assert len(name) == 4
    raw = batch([[("h", b"1")], [("NAME", b"2"), ("after", None)], [("h", b"3")]], base=base)
    return resealed(raw, raw[HEAD:].replace(b"NAME", name), codec=0)


def unpacked(data: bytes, *, at: int = 0, check_crcs: bool = True) -> list[Any]:
    """Return the records that a consumer gets."""
    return list(
        fetcher.PartitionRecords(
            TopicPartition("t", 0), fetcher.MemoryRecords(data), [], at, None, None, check_crcs, fetcher.READ_COMMITTED
        )
    )


def seen(records: Sequence[Any]) -> list[tuple[int, bytes, bytes, list[Header]]]:
    return [(one.offset, one.key, one.value, list(one.headers)) for one in records]


@pytest.mark.parametrize("name", BAD.values(), ids=BAD)
def test_a_header_whose_name_is_no_text(name: bytes) -> None:
    """A record with such a header is read with the name escaped; the other records are read once."""
    records = unpacked(with_name((name + b"abcd")[:4]) + batch([[("h", b"4")]], base=3))
    assert [(one.offset, one.key, one.value) for one in records] == [
        (0, b"k0", b"v0"),
        (1, b"k1", b"v1"),
        (2, b"k2", b"v2"),
        (3, b"k0", b"v0"),
    ]
    [(escaped, value), after] = records[1].headers
    assert (value, after) == (b"2", ("after", None))
    assert "\\x" in escaped
    escaped.encode()


def test_from_the_middle_of_a_batch() -> None:
    """Reading can start at that record or after it."""
    for at in (1, 2):
        assert [one.offset for one in unpacked(with_name(b"\xff\xfe\xfd\xfc"), at=at)] == list(range(at, 3))


@pytest.mark.parametrize("codec", [0, 1, 2, 3, 4], ids=["plain", "gzip", "snappy", "lz4", "zstd"])
def test_sound_batches_are_read_as_ever(codec: int) -> None:
    """In every compression the records are those that aiokafka reads."""
    headers: list[list[Header]] = [[], [("h", b"1")], [("", None), ("é", b"")], *([[]] * 50)]
    data = batch(headers, codec=codec) + batch(headers, codec=codec, base=53)
    plain, expected = MemoryRecords(data), []
    while plain.has_next():
        expected += list(plain.next_batch())
    assert seen(unpacked(data)) == seen(expected)
    assert len(unpacked(data[:-1])) == 53, "a batch that is cut off is left for the next fetch"


def test_old_batches_are_read_as_ever() -> None:
    """Batches in the format of old brokers are read."""
    made = LegacyRecordBatchBuilder(magic=1, compression_type=0, batch_size=1 << 20)
    made.append(0, timestamp=1, key=b"k", value=b"v")
    assert [(one.key, one.value) for one in unpacked(bytes(made.build()))] == [(b"k", b"v")]


@pytest.mark.parametrize("length", [0, -1, -(1 << 31), 3])
def test_a_batch_of_an_impossible_length(length: int) -> None:
    """An impossible length raises an error and does not loop."""
    data = struct.pack(">qi", 0, length) + bytes(max(length, 0))
    records = TolerantRecords(data)
    assert records.size_in_bytes() == len(data)
    with pytest.raises(CorruptRecordException):
        records.next_batch()


def test_a_broken_batch_is_still_an_error() -> None:
    """A batch with a wrong checksum raises an error."""
    data = bytearray(batch([[("h", b"1")]]))
    data[-1] ^= 0xFF
    data[61] = 0x7E
    with pytest.raises(CorruptRecordException, match="Invalid CRC"):
        unpacked(bytes(data))


def stands_in(data: bytes, *, before: int = 0) -> Sealed:
    """Return the value that replaces what could not be read, after ``before`` readable records; the next batch is
    read."""
    last = 1 + int.from_bytes(data[23:27], "big")
    found = unpacked(data + batch([[("h", b"4")]], base=last))
    assert [one.offset for one in found] == [*range(before + 1), last]
    assert found[-1].value == b"v0"
    sealed = found[before].value
    assert type(sealed) is Sealed
    assert (found[before].key, found[before].headers) == (None, ())
    return sealed


@pytest.mark.parametrize("codec", COMPRESSED.values(), ids=COMPRESSED)
async def test_a_batch_that_unpacks_to_gigabytes(codec: int) -> None:
    """The batch is not decompressed: one record replaces it, every reader says why, and later batches are read."""
    bomb = batch([[("h", b"1")]] * 3, codec=codec, values=[b"1", bytes(64 << 20), b"3"])
    tracemalloc.start()
    sealed = stands_in(bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sealed.why == "a batch that decompresses to more than 8,388,608 bytes"
    assert sealed == bomb[HEAD:]
    assert peak < 4 * MOST_UNPACKED + len(bomb)
    codec_of_roles, _ = await prepared()
    with pytest.raises(Unreadable) as caught:
        await codec_of_roles.decode(sealed)
    assert (caught.value.reason, caught.value.detail) == ("unreadable_batch", sealed.why)


@pytest.mark.parametrize("codec", COMPRESSED.values(), ids=COMPRESSED)
@pytest.mark.parametrize("packed", [b"", b"\xff" * 50, b"\x1f\x8b\x08", b"\x82SNAPPY\0\0\0\0\1\0\0\0\1" + b"\xff" * 9])
def test_a_batch_that_does_not_unpack(codec: int, packed: bytes) -> None:
    """A batch that cannot be decompressed is replaced by one record, and reading continues."""
    assert stands_in(resealed(batch([[], []]), packed, codec=codec)).why


@pytest.mark.parametrize("codec", COMPRESSED.values(), ids=COMPRESSED)
def test_a_batch_whose_end_is_missing(codec: int) -> None:
    """A truncated batch is replaced by one record."""
    raw = batch([[("h", bytes(range(200)))]] * 20)
    packed = compressed(raw[HEAD:], codec)
    assert stands_in(resealed(raw, packed[: len(packed) // 2], codec=codec)).why


def test_a_compression_that_does_not_exist() -> None:
    """A batch with an unknown compression is replaced by one record."""
    assert "compression 6" in stands_in(resealed(batch([[]]), b"abc", codec=6)).why


def test_records_that_are_none() -> None:
    """The readable records of a batch are read, and one record replaces the rest."""
    raw = batch([[("h", b"1")]] * 3)
    length = 1 + raw[HEAD] // 2
    broken = bytearray(raw[HEAD:])
    broken[length] = 0x7E  # the second record says that it is longer than it is
    assert stands_in(resealed(raw, bytes(broken), codec=0), before=1).why


def test_a_batch_of_a_million_records() -> None:
    """A batch of a million records, which takes 2 KB, is replaced by one record."""
    raw = batch([[]])
    record = raw[HEAD:]
    bomb = resealed(raw, compressed(record * 1_000_000, 4), codec=4, count=1_000_000)
    assert len(bomb) < 10_000
    assert stands_in(bomb).why == "a batch of 1,000,000 records; at most 100,000 are allowed"


@pytest.mark.parametrize("codec", COMPRESSED.values(), ids=COMPRESSED)
@pytest.mark.parametrize("size", [0, 1, 70_000, 3_000_000])
def test_what_is_within_the_bounds_is_unpacked(codec: int, size: int) -> None:
    """Batches within the limits are decompressed, also in several frames, members and blocks, as other clients write
    them."""
    raw = batch([[("h", bytes(size))], [("h", b"2")]])
    parts = [raw[HEAD : HEAD + 30], raw[HEAD + 30 :]]
    packed = [b"".join(compressed(part, codec) for part in parts)] if codec in (1, 4) else []
    if codec == 2:
        packed.append(bytes(cramjam.snappy.compress_raw(raw[HEAD:])))
    for records in (compressed(raw[HEAD:], codec), *packed):
        assert seen(unpacked(resealed(raw, records, codec=codec))) == seen(unpacked(raw))


@pytest.mark.parametrize("codec", [0, 4], ids=["plain", "zstd"])
@settings(max_examples=examples(30), deadline=None)
@given(
    counts=st.lists(st.sampled_from((0, 1, 4_999, 5_000, 5_001, 60_000)), min_size=1, max_size=4),
    value=st.sampled_from((None, b"", b"x" * 200_000)),
)
def test_headers_are_cut_at_their_number(codec: int, counts: list[int], value: bytes | None) -> None:
    """Each record keeps its first headers up to the limit, and the rest of it is unchanged."""
    headers: list[list[Header]] = [[(f"h{at}", value if at == 3 else b"%d" % at) for at in range(n)] for n in counts]
    for one, whole in zip(unpacked(batch(headers, codec=codec)), headers, strict=True):
        assert list(one.headers) == whole[:MOST_HEADERS]
        assert (one.key, one.value) == (b"k%d" % one.offset, b"v%d" % one.offset)


def test_very_many_headers() -> None:
    """A record with 300,000 headers is read within seconds, with the first of them."""
    data = batch([[("", None)] * 300_000, [("h", b"2")]])
    began = time.perf_counter()
    first, second = unpacked(data)
    assert time.perf_counter() - began < 5
    assert len(first.headers) == MOST_HEADERS
    assert list(second.headers) == [("h", b"2")]


def test_every_consumer_reads_so() -> None:
    """Every consumer uses the tolerant reader."""
    assert fetcher.MemoryRecords is TolerantRecords
    makers = [
        path
        for folder in ("streams", "processors")
        for path in (ROOT / folder).rglob("*.py")
        if re.search(r"AIOKafkaConsumer[()]", path.read_text()) and path.name != "fetched.py"
    ]
    assert len(makers) > 4
    assert [
        path for path in makers if "from streams.broker.fetched import AIOKafkaConsumer" not in path.read_text()
    ] == []
