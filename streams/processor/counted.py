"""What a partition tells the operators, once it is committed."""

from __future__ import annotations

from typing import Any

from streams import metrics
from streams.processor.logic import Logic
from streams.processor.store import Store
from streams.processor.transaction import Committed


class Counted:
    """The metrics of one partition."""

    def __init__(self, *, role: str, partition: int, logic: Logic[Any]) -> None:
        self._role = role
        self._partition = str(partition)
        self._logic = logic
        self._latency = metrics.EVENT_TO_COMMIT_SECONDS.labels(role=role)

    def waits(self, records: int, oldest: int | None, wall: int) -> None:
        """So many input records are not handled yet; the oldest of them is of ``oldest``, None: not known (ms)."""
        metrics.LAG_RECORDS.labels(role=self._role, partition=self._partition).set(records)
        if oldest is not None or not records:
            age = 0 if oldest is None else max(wall - oldest, 0) / 1000
            metrics.LAG_SECONDS.labels(role=self._role, partition=self._partition).set(age)

    def recovered(self, store: Store[Any], *, seconds: float) -> None:
        """The partition was taken, and its state rebuilt."""
        metrics.RECOVERIES.labels(role=self._role).inc()
        metrics.RECOVERY_SECONDS.labels(role=self._role).observe(seconds)
        self._holds(store)

    def count(self, changes: Committed[Any], *, seconds: float, store: Store[Any], wall: int) -> None:
        """A transaction was committed; ``wall``: the time, in ms."""
        role = self._role
        metrics.TRANSACTIONS.labels(role=role, end="committed").inc()
        metrics.TRANSACTION_SECONDS.labels(role=role).observe(seconds)
        for handling, count in changes.handled.items():
            metrics.RECORDS_PROCESSED.labels(role=role, handling=handling).inc(count)
        for reason, count in changes.dead_letters.items():
            metrics.DEAD_LETTERS.labels(role=role, reason=reason).inc(count)
        for topic, sent in changes.written.items():
            metrics.RECORDS_SENT.labels(role=role, topic=topic).inc(sent)
        self._logic.committed(changes.taken, changes.sent)
        metrics.TIMERS_FIRED.labels(role=role).inc(changes.timers)
        self._holds(store)
        for published in changes.published_at:
            self._latency.observe(max(wall - published, 0) / 1000)

    def _holds(self, store: Store[Any]) -> None:
        metrics.KEYS.labels(role=self._role, partition=self._partition).set(len(store))
        metrics.STATE_BYTES.labels(role=self._role, partition=self._partition).set(store.bytes)
