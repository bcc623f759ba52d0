"""What a partition tells the operators, once it is committed."""

from __future__ import annotations

from typing import Any

from streams import metrics
from streams.processor.logic import Logic
from streams.processor.store import Store
from streams.processor.transaction import Transaction


class Counted:
    """The metrics of one partition."""

    def __init__(self, *, role: str, partition: int, logic: Logic[Any]) -> None:
        self._role = role
        self._partition = str(partition)
        self._logic = logic
        self._latency = metrics.EVENT_TO_COMMIT_SECONDS.labels(role=role)

    def lag(self, records: int) -> None:
        """So many input records wait."""
        metrics.LAG_RECORDS.labels(role=self._role, partition=self._partition).set(records)

    def recovered(self, store: Store[Any], *, seconds: float) -> None:
        """The partition was taken, and its state rebuilt."""
        metrics.RECOVERIES.labels(role=self._role).inc()
        metrics.RECOVERY_SECONDS.labels(role=self._role).observe(seconds)
        self._holds(store)

    def count(
        self, tx: Transaction[Any], *, seconds: float, store: Store[Any], wall: int, waiting_since: int | None
    ) -> None:
        """A transaction was committed. ``waiting_since``: the latest record's time if more wait behind it (ms)."""
        role, partition = self._role, self._partition
        metrics.TRANSACTIONS.labels(role=role, end="committed").inc()
        metrics.TRANSACTION_SECONDS.labels(role=role).observe(seconds)
        for handling, count in tx.handled.items():
            metrics.RECORDS_PROCESSED.labels(role=role, handling=handling).inc(count)
        for reason, count in tx.dead_letters.items():
            metrics.DEAD_LETTERS.labels(role=role, reason=reason).inc(count)
        for (topic, _), sent in tx.outgoing.items():
            metrics.RECORDS_SENT.labels(role=role, topic=topic).inc(len(sent))
        for record in tx.sent:
            self._logic.committed(record)
        metrics.TIMERS_FIRED.labels(role=role).inc(tx.timers)
        self._holds(store)
        for published in tx.published_at:
            self._latency.observe(max(wall - published, 0) / 1000)
        age = 0 if waiting_since is None else max(wall - waiting_since, 0) / 1000
        metrics.LAG_SECONDS.labels(role=role, partition=partition).set(age)

    def _holds(self, store: Store[Any]) -> None:
        metrics.KEYS.labels(role=self._role, partition=self._partition).set(len(store))
        metrics.STATE_BYTES.labels(role=self._role, partition=self._partition).set(store.bytes)
