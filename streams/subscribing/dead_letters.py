"""Dead letters: records that a reader could not read, kept byte for byte with the reason and their origin.

A record can be small when compressed and large when decompressed, so that its own topic accepted it but the dead-letter
topic would not. Of such a record the beginning is kept, with the length, the SHA-256 and the offset of the whole, which
can be read there for as long as its topic retains it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from aiokafka import ConsumerRecord

from streams import metrics
from streams.avro.codec import schema_id_of
from streams.errors import Unreadable
from streams.publishing.cloudevents import trace_id_of, traceparent_of

Headers = Sequence[tuple[str, bytes]]

UNPROCESSABLE = "unprocessable"
"""The reason of a dead letter that could be read, but not handled."""

_PREFIX = "careline_dead_letter_"
REASON = f"{_PREFIX}reason"
"""The header that says why the record is a dead letter."""

_MAX_DETAIL = 2_000
_ALWAYS_KEPT = 64 << 10
"""Bytes of a key, of a value, and of all headers together that are always kept."""
FRAMING = 64
"""Upper bound in bytes for the lengths and attributes of a record, of a header or of a batch."""

N = TypeVar("N")


def headers_of(record: ConsumerRecord, why: Unreadable, *, reader: str) -> list[tuple[str, bytes]]:
    """The dead letter's headers: reason, detail, reader and origin (``careline_dead_letter_*``), then the record's own.

    Ours come first, because readers keep only the first few thousand headers.
    Headers of an earlier dead letter are dropped, so that they do not pile up when a replayed record fails again.
    """
    schema_id = None if record.value is None else schema_id_of(record.value)
    said = {
        "reason": why.reason,
        "detail": why.detail[:_MAX_DETAIL],
        "reader": reader,
        "topic": record.topic,
        "partition": str(record.partition),
        "offset": str(record.offset),
        "timestamp": str(record.timestamp),
        "schema_id": "" if schema_id is None else str(schema_id),
        "tombstone": "true" if record.value is None else "false",
    }
    own = [(name, value) for name, value in record.headers if not is_of_dead_letters(name)]
    # a detail may quote invalid Unicode, such as half a surrogate pair
    return [(_PREFIX + name, value.encode(errors="backslashreplace")) for name, value in said.items()] + own


def is_of_dead_letters(name: str) -> bool:
    """Whether a header is one that a dead letter adds to the record's own headers."""
    return name.startswith(_PREFIX)


def count_dead_letters(role: str, reason: str, source: str, count: int = 1) -> None:
    """So many dead letters are written. What could be read but not handled is no fault of whoever published it."""
    metrics.DEAD_LETTERS.labels(role=role, reason=reason).inc(count)
    if reason != UNPROCESSABLE:
        metrics.CONTRACT_VIOLATIONS.labels(role=role, source=source, reason=reason).inc(count)


def stand_in(topic: str, partition: int, key: str) -> ConsumerRecord:
    """A placeholder for a failure that no record caused, such as a deadline: topic and key of the state, no offset."""
    return ConsumerRecord(
        topic=topic, partition=partition, offset=-1, timestamp=-1, timestamp_type=0, key=key.encode(), value=None,
        checksum=None, serialized_key_size=0, serialized_value_size=0, headers=(),
    )  # fmt: skip


Kept = tuple[bytes | None, bytes, list[tuple[str, bytes]]]
"""Key, value and headers of a dead letter."""


def place_of(record: ConsumerRecord) -> dict[str, Any]:
    """Where the record stands and which trace it is of, as fields of a log entry."""
    traceparent = traceparent_of(record.headers)
    place = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
    return place if traceparent is None else {**place, "trace_id": trace_id_of(traceparent)}


def kept_of(record: ConsumerRecord, why: Unreadable, *, reader: str, most: int) -> Kept:
    """The dead letter of a record, in at most ``most`` bytes.

    If the whole record is larger, headers, key and value are shortened to their first 64 KiB as needed, and
    ``careline_dead_letter_truncated`` names which of them were; ``_length`` and ``_sha256`` are those of the whole
    value.
    """
    value = b"" if record.value is None else record.value
    headers = headers_of(record, why, reader=reader)
    if most_bytes(record.key, value, headers) <= most:
        return record.key, value, headers
    key, shortened = record.key, []
    own = [(name, held) for name, held in headers if not is_of_dead_letters(name)]
    ours = [(name, held) for name, held in headers if is_of_dead_letters(name)]
    fewer = _first(own)
    if len(fewer) < len(own):
        own = fewer
        shortened.append("headers")
    if key is not None and len(key) > _ALWAYS_KEPT:
        key = key[:_ALWAYS_KEPT]
        shortened.append("key")
    ours += [
        (_PREFIX + "length", str(len(value)).encode()),
        (_PREFIX + "sha256", hashlib.sha256(value).hexdigest().encode()),
    ]
    if most_bytes(key, value, own + ours) + FRAMING * 4 > most:
        value = value[:_ALWAYS_KEPT]
        shortened.append("value")
    ours.append((_PREFIX + "truncated", ",".join(sorted(shortened)).encode()))
    return key, value, ours + own


def _first(headers: Headers) -> list[tuple[str, bytes]]:
    """The first headers, up to ``_ALWAYS_KEPT`` bytes."""
    kept, size = [], 0
    for name, value in headers:
        size += _header_bytes(name, value)
        if size > _ALWAYS_KEPT:
            break
        kept.append((name, value))
    return kept


def most_bytes(key: bytes | None, value: bytes | None, headers: Headers) -> int:
    """Upper bound for the bytes that a record adds to a batch."""
    size = FRAMING + len(key or b"") + len(value or b"")
    return size + sum(_header_bytes(name, held) for name, held in headers) if headers else size


def _header_bytes(name: str, value: bytes | None) -> int:
    return FRAMING + 4 * len(name) + len(value or b"")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A dead letter as read from its topic. ``value`` is the original value's bytes, None for a tombstone.

    ``truncated`` names the parts that were shortened (``headers``, ``key``, ``value``); ``length`` and ``sha256`` are
    then those of the whole value.
    """

    reason: str
    detail: str
    reader: str
    topic: str
    partition: int
    offset: int
    timestamp: int
    schema_id: int | None
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    truncated: tuple[str, ...] = ()
    length: int | None = None
    sha256: str | None = None

    def is_original(self, record: ConsumerRecord) -> bool:
        """Whether ``record``, read from the offset that this shortened dead letter names, is its original."""
        value = b"" if record.value is None else record.value
        return len(value) == self.length and hashlib.sha256(value).hexdigest() == self.sha256

    @classmethod
    def of(cls, record: ConsumerRecord) -> DeadLetter:
        """Parse a record of the dead-letter topic."""
        said = {
            name.removeprefix(_PREFIX): value.decode(errors="replace")
            for name, value in record.headers
            if name.startswith(_PREFIX)
        }
        return cls(
            reason=said.get("reason", "unknown"),
            detail=said.get("detail", ""),
            reader=said.get("reader", ""),
            topic=said.get("topic", ""),
            partition=_number(said.get("partition"), -1),
            offset=_number(said.get("offset"), -1),
            timestamp=_number(said.get("timestamp"), -1),
            schema_id=_number(said.get("schema_id"), None),
            key=record.key,
            value=None if said.get("tombstone") == "true" else record.value,
            headers=tuple((name, value) for name, value in record.headers if not is_of_dead_letters(name)),
            truncated=tuple(part for part in said.get("truncated", "").split(",") if part),
            length=_number(said.get("length"), None),
            sha256=said.get("sha256"),
        )


def _number(said: str | None, otherwise: N) -> int | N:
    # a header that somebody else damaged must not keep the dead letter from being shown
    try:
        return int(said or "")
    except ValueError:
        return otherwise
