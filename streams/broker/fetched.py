"""Reads fetched batches so that none stops a partition or exhausts memory, whatever a publisher wrote.

aiokafka fails on a header name that is not UTF-8, and decompresses a whole batch, however large the result. Brokers
check neither, so one such batch makes every reader fail at the same offset at every start. aiokafka has no setting for
this; its fetcher takes the class that reads batches from a module global, and importing this module replaces it.
Therefore import the consumer class from here.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords

from streams.broker.sealed import Sealed
from streams.broker.unpacking import HEAD, MOST_HEADERS, Unpackable, plain

__all__ = ["AIOKafkaConsumer", "TolerantRecords"]

_LENGTH = struct.Struct(">i")
_LENGTH_AT, _BEFORE = 8, 12  # the length counts the bytes after it
_MAGIC_AT, _MAGIC = 16, 2  # current brokers write no other format


class TolerantRecords:
    """Batches of records as sent by a broker, with the interface of aiokafka's own class."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def size_in_bytes(self) -> int:
        """The size of all batches together."""
        return len(self._data)

    def has_next(self) -> bool:
        """Whether there is another complete batch; the last one is often cut off."""
        return self._end() <= len(self._data)

    def next_batch(self) -> Any:
        """The next batch. Raises CorruptRecordException if its length is too small for a batch."""
        if not self.has_next():
            return None
        raw = self._data[self._at : self._end()]
        self._at = self._end()
        batch = MemoryRecords(raw).next_batch()
        if batch is None:
            raise CorruptRecordException("a batch with an impossible length")
        return _Batch(batch, raw) if raw[_MAGIC_AT] == _MAGIC and not batch.is_control_batch else batch

    def _end(self) -> int:
        if self._at + _BEFORE > len(self._data):
            return len(self._data) + 1
        length: int = _LENGTH.unpack_from(self._data, self._at + _LENGTH_AT)[0]
        return self._at + _BEFORE + max(length, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _StandIn:
    """One record in place of those that cannot be read, with the first of their offsets."""

    offset: int
    timestamp: int
    timestamp_type: int | None
    value: Sealed
    key: None = None
    checksum: None = None
    headers: Sequence[tuple[str, bytes | None]] = ()


class _Batch:
    """A batch whose records are read within bounds; one stand-in replaces those that cannot be read."""

    def __init__(self, batch: Any, raw: bytes) -> None:
        self._batch = batch
        self._raw = raw

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __iter__(self) -> Iterator[Any]:
        following = self._batch.base_offset
        try:
            for record in _records(plain(self._raw)):
                following = record.offset + 1
                yield record
        except (Unpackable, CorruptRecordException) as error:
            # the checksum is correct, so this is what was sent: fetching it again does not help
            yield _StandIn(
                offset=following,
                timestamp=self._batch.max_timestamp,
                timestamp_type=self._batch.timestamp_type,
                value=Sealed(self._raw[HEAD:], str(error)),
            )


def _records(raw: bytes) -> Iterator[Any]:
    """The records of an uncompressed batch, read a second time with header names escaped if one is not UTF-8."""
    read = 0
    try:
        for record in MemoryRecords(raw).next_batch():
            read += 1
            yield _cut(record)
    except (UnicodeDecodeError, CorruptRecordException) as error:
        if not isinstance(error, UnicodeDecodeError) and not isinstance(error.__cause__, UnicodeDecodeError):
            raise
        for record in islice(_Patient(raw), read, None):
            yield _cut(record)


def _cut(record: Any) -> Any:
    if len(record.headers) > MOST_HEADERS:
        del record.headers[MOST_HEADERS:]
    return record


class _Patient(_DefaultRecordBatchPy):  # it decodes texts from its buffer
    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        self._buffer: bytearray = _Escaping(self._buffer)


class _Escaping(bytearray):
    """Bytes that decode with escapes such as ``\\xff`` for whatever is not UTF-8."""

    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)
        return _Escaping(found) if isinstance(key, slice) else found

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return super().decode(encoding, "backslashreplace")


fetcher.MemoryRecords = TolerantRecords
