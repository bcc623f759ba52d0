"""When the touchpoints behind the latest requests were published, and in which traces: for measurements only.

The ledger does not keep it, so it does not outlast the worker: of what was requested before, it is not known.
"""

from __future__ import annotations

from dataclasses import dataclass

from streams.publishing.cloudevents import Headers, published_at_millis, trace_id_of, traceparent_of

_MOST = 10_000  # a letter that nothing holds leaves within seconds; of others it is not asked


@dataclass(frozen=True, slots=True)
class Cause:
    """The touchpoint behind a request. ``published_at``: wall-clock milliseconds; ``trace_id``: 32 hex digits."""

    published_at: int
    trace_id: str | None = None


class Causes:
    """The latest, by outreach id."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._known: dict[str, Cause] = {}

    def note(self, outreach_id: str, headers: Headers) -> None:
        """Remember what the request's headers say. What only time led to has no touchpoint behind it."""
        published = published_at_millis(headers)
        if published is None:
            return
        traceparent = traceparent_of(headers)
        self._known[outreach_id] = Cause(published, None if traceparent is None else trace_id_of(traceparent))
        if len(self._known) > self._most:
            del self._known[next(iter(self._known))]

    def of(self, outreach_id: str) -> Cause | None:
        """What is known of it."""
        return self._known.get(outreach_id)
