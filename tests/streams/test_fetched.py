"""Whatever stands in headers, a partition is read on."""

from __future__ import annotations

import struct
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.legacy_records import LegacyRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from streams.fetched import MOST_HEADERS, TolerantRecords

ROOT = Path(__file__).parents[2]

Header = tuple[str, bytes | None]

BAD = {
    "no UTF-8 at all": b"\xff\xfe\xfd\xfc",
    "cut off in a character": b"abc\xc3",
    "half of a surrogate pair": b"\xed\xa0\xbda",
    "Latin-1": b"caf\xe9",
    "a character too long": b"\xf0\x82\x82\xac",
}


def batch(records: Sequence[Sequence[Header]], *, codec: int = 0, base: int = 0) -> bytes:
    """A batch of records with these headers, as a broker sends it from offset ``base`` on."""
    made = DefaultRecordBatchBuilder(
        magic=2, compression_type=codec, is_transactional=0, producer_id=-1, producer_epoch=-1, base_sequence=-1,
        batch_size=16 << 20,
    )  # fmt: skip
    for at, headers in enumerate(records):
        made.append(at, timestamp=at, key=b"k%d" % at, value=b"v%d" % at, headers=list(headers))
    out = bytearray(made.build())
    struct.pack_into(">q", out, 0, base)
    return bytes(out)


def with_name(name: bytes, *, base: int = 0) -> bytes:
    """Three records; the name of a header of the second is these four bytes."""
    assert len(name) == 4
    return batch([[("h", b"1")], [("NAME", b"2"), ("after", None)], [("h", b"3")]], base=base).replace(b"NAME", name)


def unpacked(data: bytes, *, at: int = 0) -> list[Any]:
    """What a consumer gets of it."""
    return list(
        fetcher.PartitionRecords(
            TopicPartition("t", 0), fetcher.MemoryRecords(data), [], at, None, None, False, fetcher.READ_COMMITTED
        )
    )


def seen(records: Sequence[Any]) -> list[tuple[int, bytes, bytes, list[Header]]]:
    return [(one.offset, one.key, one.value, list(one.headers)) for one in records]


@pytest.mark.parametrize("name", BAD.values(), ids=BAD)
def test_a_header_whose_name_is_no_text(name: bytes) -> None:
    """The record is read with the name escaped, and so are those before and after it, each once."""
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
    """Taken again behind that record, or at it, the partition goes on there."""
    for at in (1, 2):
        assert [one.offset for one in unpacked(with_name(b"\xff\xfe\xfd\xfc"), at=at)] == list(range(at, 3))


@pytest.mark.parametrize("codec", [0, 1, 2, 3, 4], ids=["plain", "gzip", "snappy", "lz4", "zstd"])
def test_sound_batches_are_read_as_ever(codec: int) -> None:
    """In every compression, the records are those that aiokafka reads."""
    headers: list[list[Header]] = [[], [("h", b"1")], [("", None), ("é", b"")], *([[]] * 50)]
    data = batch(headers, codec=codec) + batch(headers, codec=codec, base=53)
    plain, expected = MemoryRecords(data), []
    while plain.has_next():
        expected += list(plain.next_batch())
    assert seen(unpacked(data)) == seen(expected)
    assert len(unpacked(data[:-1])) == 53, "a batch that is cut off is left for the next fetch"


def test_old_batches_are_read_as_ever() -> None:
    """Of brokers of long ago."""
    made = LegacyRecordBatchBuilder(magic=1, compression_type=0, batch_size=1 << 20)
    made.append(0, timestamp=1, key=b"k", value=b"v")
    assert [(one.key, one.value) for one in unpacked(bytes(made.build()))] == [(b"k", b"v")]


@pytest.mark.parametrize("length", [0, -1, -(1 << 31), 3])
def test_a_batch_of_an_impossible_length(length: int) -> None:
    """It is an error, and no loop."""
    data = struct.pack(">qi", 0, length) + bytes(max(length, 0))
    records = TolerantRecords(data)
    assert records.size_in_bytes() == len(data)
    with pytest.raises(CorruptRecordException):
        records.next_batch()


def test_a_broken_batch_is_still_an_error() -> None:
    """What is broken otherwise is not guessed at."""
    data = bytearray(batch([[("h", b"1")]]))
    data[-1] ^= 0xFF
    data[61] = 0x7E
    with pytest.raises(CorruptRecordException):
        unpacked(bytes(data))


def test_very_many_headers() -> None:
    """A record with hundreds of thousands of headers is read with the first of them."""
    data = batch([[("", None)] * 300_000, [("h", b"2")]])
    began = time.perf_counter()
    first, second = unpacked(data)
    assert time.perf_counter() - began < 5
    assert len(first.headers) == MOST_HEADERS
    assert list(second.headers) == [("h", b"2")]


def test_every_consumer_reads_so() -> None:
    """Whoever makes a consumer takes its class from where the reader is put in its place."""
    assert fetcher.MemoryRecords is TolerantRecords
    makers = [
        path
        for folder in ("streams", "processors")
        for path in (ROOT / folder).rglob("*.py")
        if "AIOKafkaConsumer(" in path.read_text()
    ]
    assert len(makers) > 5
    assert [path for path in makers if "from streams.fetched import AIOKafkaConsumer" not in path.read_text()] == []
