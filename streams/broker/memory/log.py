"""One partition's log: records at their offsets, the transactions they belong to, and what readers may see of it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from aiokafka import ConsumerRecord, TopicPartition

from streams.broker.fetched import TolerantRecords


class Fate(Enum):
    """What became of a transaction."""

    OPEN = auto()
    COMMITTED = auto()
    ABORTED = auto()


@dataclass(slots=True, eq=False)
class Open:
    """A transaction: the logs it wrote to, and the offsets it commits."""

    fate: Fate = Fate.OPEN
    logs: list[Log] = field(default_factory=list)
    offsets: list[tuple[str, TopicPartition, tuple[int, str]]] = field(default_factory=list)
    """By group."""


@dataclass(slots=True)
class _Entry:
    offset: int
    record: Any
    """A ConsumerRecord, or None for the end of a transaction, which takes an offset and is shown to nobody."""
    transaction: Open | None

    @property
    def visible(self) -> bool:
        return self.record is not None and (self.transaction is None or self.transaction.fate is Fate.COMMITTED)


class Log:
    """Append-only, apart from compaction, which leaves gaps: an offset is never used again."""

    def __init__(self, partition: TopicPartition) -> None:
        self.partition = partition
        self.start = 0
        """The first offset that is kept."""
        self.end = 0
        """The offset of the next record."""
        self._entries: list[_Entry] = []
        self._open: dict[Open, int] = {}

    @property
    def stable(self) -> int:
        """The last stable offset: before it, every transaction has ended."""
        return min(self._open.values(), default=self.end)

    def enter(self, transaction: Open) -> None:
        """The transaction will write here: its end is marked even if nothing it sends is taken."""
        if self not in transaction.logs:
            transaction.logs.append(self)

    def append(self, records: Iterable[ConsumerRecord], transaction: Open | None) -> None:
        """Take records, which have the offsets from :attr:`end` on."""
        if transaction is not None:
            self._open.setdefault(transaction, self.end)
        for record in records:
            self._entries.append(_Entry(record.offset, record, transaction))
            self.end = record.offset + 1

    def close(self, transaction: Open) -> None:
        """The transaction has ended: its marker is written, and readers pass it."""
        self._open.pop(transaction, None)
        self._entries.append(_Entry(self.end, None, transaction))
        self.end += 1

    def read(self, position: int, most: int) -> tuple[list[ConsumerRecord], int]:
        """At most so many committed records from ``position`` on, and the position behind them."""
        found: list[ConsumerRecord] = []
        stable = self.stable
        for index in range(bisect_left(self._entries, position, key=_offset), len(self._entries)):
            entry = self._entries[index]
            if entry.offset >= stable:
                break
            if entry.visible:
                found.append(entry.record)
                if len(found) == most:
                    return found, entry.offset + 1
        return found, max(position, stable)

    def compact(self, *, tombstones: bool) -> None:
        """Keep the latest committed record of each key, as the broker does when it finds time.

        Aborted records go. ``tombstones``: keep records without a value; else their keys disappear altogether.
        """
        stable = self.stable
        latest = {entry.record.key: entry.offset for entry in self._entries if entry.visible and entry.offset < stable}
        self._entries = [
            entry
            for entry in self._entries
            if entry.offset >= stable
            or (
                entry.visible
                and latest[entry.record.key] == entry.offset
                and (tombstones or entry.record.value is not None)
            )
        ]

    def delete_before(self, offset: int) -> None:
        """Let go of everything before ``offset``, as retention does."""
        self.start = max(self.start, min(offset, self.end))
        self._entries = [entry for entry in self._entries if entry.offset >= self.start]


def records_of(batch: bytes, partition: TopicPartition, base: int) -> list[ConsumerRecord]:
    """The records of a batch as a consumer gets them, the first at offset ``base``."""
    return [_consumed(found, partition, base + found.offset) for found in TolerantRecords(bytes(batch)).next_batch()]


def _consumed(found: Any, partition: TopicPartition, offset: int) -> ConsumerRecord:
    return ConsumerRecord(
        partition.topic,
        partition.partition,
        offset,
        found.timestamp,
        found.timestamp_type,
        found.key,
        found.value,
        found.checksum,
        -1 if found.key is None else len(found.key),
        -1 if found.value is None else len(found.value),
        tuple(found.headers),
    )


def _offset(entry: _Entry) -> int:
    return entry.offset
