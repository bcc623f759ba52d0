"""What the outreach role counts: calls as they are made, and how letters ended once that is committed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from processors.outreach import metrics
from processors.outreach.errors import Ambiguous, ChannelError, CircuitOpen, RateLimited, Refused, TryLater, Unsendable
from processors.outreach.leaving import due_at, not_before
from processors.outreach.results import Deliver
from streams.clock import to_millis
from streams.events import OutreachChannel, OutreachFailed, OutreachUncertain, Record

_REASONS: tuple[tuple[type[ChannelError], str | None], ...] = (
    (Unsendable, None),  # our own fault
    (Refused, "refused"),
    (CircuitOpen, "circuit_open"),
    (RateLimited, "rate_limited"),
    (TryLater, "try_later"),
    (Ambiguous, "ambiguous"),
)
"""The first that an error is one of counts."""


def count_accepted(task: Deliver, channel: OutreachChannel, now: datetime) -> None:
    """A provider accepted the letter ``now``. In event time a call takes no time, and nothing is measured."""
    if task.at is not None:
        return
    due = due_at(task.request, now)
    metrics.DUE_TO_SENT_SECONDS.labels(channel=channel).observe(max((now - due).total_seconds(), 0))
    held = due > not_before(task.request, now)
    if task.cause is not None and not held:
        seconds = max(to_millis(now) - task.cause.published_at, 0) / 1000
        exemplar = None if task.cause.trace_id is None else {"trace_id": task.cause.trace_id}
        metrics.EVENT_TO_LETTER_SECONDS.labels(channel=channel).observe(seconds, exemplar)


def count_error(provider: str, error: ChannelError) -> None:
    """A provider did not accept a letter, or was not called because of its rate limit or circuit."""
    reason = next((reason for kind, reason in _REASONS if isinstance(error, kind)), None)
    if reason is not None:
        metrics.PROVIDER_ERRORS.labels(provider=provider, reason=reason).inc()


def count_ends(outcomes: Iterable[Record]) -> None:
    """These outcomes are committed."""
    for outcome in outcomes:
        match outcome:
            case OutreachFailed(channel=channel, reason=reason):
                metrics.FAILURES.labels(channel=channel, reason=reason).inc()
            case OutreachUncertain(channel=channel):
                metrics.OUTCOMES.labels(channel=channel, outcome="uncertain").inc()
