"""Dead letters: what a reader cannot read, kept byte for byte with the reason and where it came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from aiokafka import ConsumerRecord

from streams.codec import schema_id_of
from streams.errors import Unreadable

Headers = Sequence[tuple[str, bytes]]

_PREFIX = "careline_dead_letter_"
_MAX_DETAIL = 2_000

N = TypeVar("N")


def headers_of(record: ConsumerRecord, why: Unreadable, *, reader: str) -> list[tuple[str, bytes]]:
    """The dead letter's headers: the record's own, then reason, detail, reader and origin (``careline_dead_letter_*``).

    An earlier life as a dead letter is left out, so that replaying and failing again does not pile them up.
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
    own = [(name, value) for name, value in record.headers if not name.startswith(_PREFIX)]
    return own + [(_PREFIX + name, value.encode()) for name, value in said.items()]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A dead letter read back. ``value`` is the original's bytes, None for a tombstone."""

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

    @classmethod
    def of(cls, record: ConsumerRecord) -> DeadLetter:
        """From a record of the dead-letter topic."""
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
            headers=tuple((name, value) for name, value in record.headers if not name.startswith(_PREFIX)),
        )


def _number(said: str | None, otherwise: N) -> int | N:
    # somebody may have garbled it on the way; the dead letter is shown all the same
    try:
        return int(said or "")
    except ValueError:
        return otherwise
