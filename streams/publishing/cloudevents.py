"""Headers of the CloudEvents Kafka binding (binary mode): always written, optional when read.

``ce_publishedat`` is an extension attribute: the wall-clock time of publication in milliseconds. Latencies are
measured from it, even when a past day is replayed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

SOURCE = "ce_source"
TRACEPARENT = "traceparent"
PUBLISHED_AT = "ce_publishedat"
UNKNOWN = "unknown"
"""The publisher of a record that does not name one."""

Headers = Sequence[tuple[str, bytes]]

_TRACEPARENT = re.compile(rb"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_SAMPLED = (b"1", b"3", b"5", b"7", b"9", b"b", b"d", b"f")  # the last bit of the flags
_SOURCE = re.compile(rb"[A-Za-z0-9._:/~-]{1,100}")  # no address, and nothing that breaks a page
_LATEST = 1 << 53  # ms; the largest integer range of a double, far beyond any real clock


def headers_for(
    *, event_id: str, record: str, source: str, occurred_at: datetime, published_at: int | None, traceparent: str | None
) -> list[tuple[str, bytes]]:
    """The headers of one event. ``record`` is its full Avro name; ``published_at`` is wall-clock milliseconds."""
    headers: list[tuple[str, bytes]] = [
        ("ce_specversion", b"1.0"),
        ("ce_id", event_id.encode()),
        ("ce_type", record.encode()),
        (SOURCE, source.encode()),
        ("ce_time", occurred_at.isoformat(timespec="milliseconds").replace("+00:00", "Z").encode()),
        ("content-type", b"application/avro"),
    ]
    if published_at is not None:
        headers.append((PUBLISHED_AT, str(published_at).encode()))
    if traceparent is not None:
        headers.append((TRACEPARENT, traceparent.encode()))
    return headers


def told_by(headers: Sequence[tuple[str, Any]]) -> tuple[int | None, bytes | None]:
    """What metrics go by: :func:`published_at_millis`, and the trace context if its trace is sampled."""
    trace = None
    for name, value in reversed(headers):  # we write both at the end
        if name == PUBLISHED_AT and value is not None:
            try:
                millis = int(value)
            except ValueError:
                return None, trace
            return millis if 0 <= millis < _LATEST else None, trace
        if name == TRACEPARENT and value is not None and value.endswith(_SAMPLED):
            trace = value
    return None, trace


def source_of(headers: Iterable[tuple[str, Any]]) -> str:
    """Who published the record, as it says itself; ``unknown`` if it says nothing that may stand in a metric."""
    for name, value in headers:
        if name == SOURCE and value is not None and _SOURCE.fullmatch(value) is not None:
            return str(value, "ascii")
    return UNKNOWN


def published_at_millis(headers: Sequence[tuple[str, Any]]) -> int | None:
    """The wall-clock time of publication in milliseconds, or None if the header is missing or not a valid time."""
    for name, value in reversed(headers):  # we write it near the end
        if name == PUBLISHED_AT and value is not None:
            try:
                millis = int(value)
            except ValueError:
                return None
            return millis if 0 <= millis < _LATEST else None
    return None


def dated(headers: Headers, broker_millis: int) -> Headers:
    """The headers with a time of publication: the publisher's own, or else the record's Kafka timestamp.

    That timestamp is when the producer created the record, or, on a topic with ``LogAppendTime``, when the broker
    appended it.
    """
    if published_at_millis(headers) is not None or not 0 <= broker_millis < _LATEST:
        return headers
    return (*headers, (PUBLISHED_AT, str(broker_millis).encode()))


def is_traceparent(value: bytes | None) -> bool:
    """Whether ``value`` is a W3C trace context."""
    return value is not None and _TRACEPARENT.fullmatch(value) is not None


def traceparent_of(headers: Iterable[tuple[str, Any]]) -> str | None:
    """The trace context that the event carries, or None if it is missing or invalid."""
    for name, value in headers:
        if name == TRACEPARENT and is_traceparent(value):
            return str(value, "ascii")
    return None


def trace_id_of(traceparent: str) -> str:
    """The id of the trace in a W3C trace context, 32 hexadecimal digits."""
    return traceparent[3:35]
