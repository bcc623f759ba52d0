"""Headers of the CloudEvents Kafka binding (binary mode): always written, optional when read.

``ce_publishedat`` is an extension attribute: the wall clock's time of publication in milliseconds, from which
latencies are measured even when a day of long ago is replayed.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

TRACEPARENT = "traceparent"
PUBLISHED_AT = "ce_publishedat"

Headers = list[tuple[str, bytes]]


def headers_for(
    *, event_id: str, record: str, source: str, occurred_at: datetime, published_at: int | None, traceparent: str | None
) -> Headers:
    """The headers of one event; ``record`` is its full Avro name, ``published_at`` milliseconds of the wall clock."""
    headers: Headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", event_id.encode()),
        ("ce_type", record.encode()),
        ("ce_source", source.encode()),
        ("ce_time", occurred_at.isoformat(timespec="milliseconds").replace("+00:00", "Z").encode()),
        ("content-type", b"application/avro"),
    ]
    if published_at is not None:
        headers.append((PUBLISHED_AT, str(published_at).encode()))
    if traceparent is not None:
        headers.append((TRACEPARENT, traceparent.encode()))
    return headers


def published_at_millis(headers: Iterable[tuple[str, Any]]) -> int | None:
    """When the event was published by the wall clock, or None where its publisher did not say."""
    for name, value in headers:
        if name == PUBLISHED_AT and value is not None:
            try:
                return int(value)
            except ValueError:
                return None
    return None
