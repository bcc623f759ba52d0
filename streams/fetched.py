"""Fetched batches, read so that no header stops a partition: aiokafka fails at a name that is not UTF-8, for good.

Kafka's brokers do not look at headers. One such name, and whoever reads the partition fails at the same place at every
start. aiokafka has no setting for it and takes what reads batches from a global of its fetcher, so that is where this
one is put when the module is imported. So whoever makes a consumer takes its class from here.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import islice
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords

__all__ = ["MOST_HEADERS", "AIOKafkaConsumer", "TolerantRecords"]

MOST_HEADERS = 5_000
"""Of one record; what is beyond is left away, as every reader of headers takes time for each of them."""

_LENGTH = struct.Struct(">i")
_LENGTH_AT, _BEFORE = 8, 12  # the length counts what is behind it


class TolerantRecords:
    """Batches of records as a broker sends them, as aiokafka's own class gives them."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def size_in_bytes(self) -> int:
        """Of all batches together."""
        return len(self._data)

    def has_next(self) -> bool:
        """Whether there is another whole batch; the last one is often cut off."""
        return self._end() <= len(self._data)

    def next_batch(self) -> Any:
        """The next batch. Raises CorruptRecordException for one that is too short to be one."""
        if not self.has_next():
            return None
        raw = self._data[self._at : self._end()]
        self._at = self._end()
        batch = MemoryRecords(raw).next_batch()
        if batch is None:
            raise CorruptRecordException("a batch of a length that none has")
        return _Batch(batch, raw) if hasattr(batch, "magic") and not batch.is_control_batch else batch

    def _end(self) -> int:
        if self._at + _BEFORE > len(self._data):
            return len(self._data) + 1
        length: int = _LENGTH.unpack_from(self._data, self._at + _LENGTH_AT)[0]
        return self._at + _BEFORE + max(length, 0)


class _Batch:
    """A batch, its records read once more and with patience where aiokafka does not read them."""

    def __init__(self, batch: Any, raw: bytes) -> None:
        self._batch = batch
        self._raw = raw

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __iter__(self) -> Iterator[Any]:
        read = 0
        try:
            for record in self._batch:
                read += 1
                yield _cut(record)
        except (UnicodeDecodeError, CorruptRecordException) as error:
            if not isinstance(error, UnicodeDecodeError) and not isinstance(error.__cause__, UnicodeDecodeError):
                raise
            for record in islice(_Patient(self._raw), read, None):
                yield _cut(record)


def _cut(record: Any) -> Any:
    if len(record.headers) > MOST_HEADERS:
        del record.headers[MOST_HEADERS:]
    return record


class _Patient(_DefaultRecordBatchPy):  # its texts are of its buffer
    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        self._buffer: bytearray = _Escaping(self._buffer)


class _Escaping(bytearray):
    """Bytes whose text has ``\\xff`` where they are none."""

    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)
        return _Escaping(found) if isinstance(key, slice) else found

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return super().decode(encoding, "backslashreplace")


fetcher.MemoryRecords = TolerantRecords
