"""Headers of the CloudEvents Kafka binding (binary mode): always written, optional when read.

``ce_publishedat`` is an extension attribute: the wall clock's time of publication in milliseconds, from which
latencies are measured even when a day of long ago is replayed.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from streams.clock import to_millis

TRACEPARENT = "traceparent"
PUBLISHED_AT = "ce_publishedat"

Headers = list[tuple[str, bytes]]


def headers_for(
    *, event_id: str, record: str, source: str, occurred_at: datetime, published_at: datetime, traceparent: str | None
) -> Headers:
    """The headers of one event; ``record`` is its full Avro name."""
    headers: Headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", event_id.encode()),
        ("ce_type", record.encode()),
        ("ce_source", source.encode()),
        ("ce_time", occurred_at.isoformat(timespec="milliseconds").replace("+00:00", "Z").encode()),
        (PUBLISHED_AT, str(to_millis(published_at)).encode()),
        ("content-type", b"application/avro"),
    ]
    if traceparent is not None:
        headers.append((TRACEPARENT, traceparent.encode()))
    return headers


def carried(headers: Iterable[tuple[str, Any]]) -> Headers:
    """Of an input record's headers those that its outputs carry on: the trace and the time of publication."""
    return [(name, value) for name, value in headers if name in (TRACEPARENT, PUBLISHED_AT) and value is not None]


def published_at_millis(headers: Iterable[tuple[str, Any]]) -> int | None:
    """When the event was published by the wall clock, or None where its publisher did not say."""
    for name, value in headers:
        if name == PUBLISHED_AT and value is not None:
            try:
                return int(value)
            except ValueError:
                return None
    return None
