"""Records the metrics of each committed transaction of a partition."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from streams.processor import metrics
from streams.processor.logic import Logic
from streams.processor.transaction import Committed
from streams.publishing.cloudevents import is_traceparent, trace_id_of
from streams.subscribing.dead_letters import count_dead_letters


class Counted:
    """Counts the transactions of one partition. It is called once for each of them, so that an event costs little."""

    def __init__(self, *, role: str, logic: Logic[Any], live: bool) -> None:
        """``live``: deadlines go by the wall's clock, which tells how late they fire."""
        self._role = role
        self._logic = logic
        self._live = live
        self._latency = metrics.EVENT_TO_COMMIT_SECONDS.labels(role=role)
        self._lateness = metrics.DEADLINE_LATENESS_SECONDS.labels(role=role)

    def recovered(self, *, seconds: float) -> None:
        """Record that the partition was acquired and its state rebuilt."""
        metrics.RECOVERIES.labels(role=self._role).inc()
        metrics.RECOVERY_SECONDS.labels(role=self._role).observe(seconds)

    def count(self, changes: Committed[Any], *, seconds: float, wall: int) -> None:
        """Record a committed transaction. ``wall``: the current time in ms."""
        role = self._role
        metrics.TRANSACTIONS.labels(role=role, end="committed").inc()
        metrics.TRANSACTION_SECONDS.labels(role=role).observe(seconds)
        for handling, count in changes.handled.items():
            metrics.RECORDS_PROCESSED.labels(role=role, handling=handling).inc(count)
        for (reason, source), count in changes.dead_letters.items():
            count_dead_letters(role, reason, source, count)
        for topic, sent in changes.written.items():
            metrics.RECORDS_SENT.labels(role=role, topic=topic).inc(sent)
        self._logic.committed(changes.taken, changes.sent)
        metrics.TIMERS_FIRED.labels(role=role).inc(changes.timers)
        self._latency.observe_all(_seconds(changes.published_at, wall))
        if changes.traced:
            published, trace = min(changes.traced)  # the slowest
            if is_traceparent(trace):
                self._latency.exemplify(max(wall - published, 0) / 1000, {"trace_id": trace_id_of(trace.decode())})
        if self._live:
            self._lateness.observe_all(_seconds(changes.fired, wall))


def _seconds(since: Sequence[int], wall: int) -> list[float]:
    return [(wall - millis) / 1000 if millis < wall else 0.0 for millis in since]
