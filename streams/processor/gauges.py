"""What a partition shows for as long as this worker has it: its lag, its recovery, its state and its deadlines."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from streams.broker.contract import ConsumerRecord
from streams.clock import Clock, to_millis
from streams.config import TimeSource
from streams.durations import whole_millis
from streams.instruments import Gauge
from streams.processor import metrics
from streams.processor.deadlines import Deadlines
from streams.processor.progress import Progress
from streams.processor.shared import Shared
from streams.processor.store import Store
from streams.publishing.cloudevents import published_at_millis

_UNSEEN = -1


class Gauges:
    """Of one partition. Every figure is looked up when it is scraped, so that a lag grows also while nothing moves; one
    that is not known yet is not shown. :meth:`close` takes all of them away.
    """

    def __init__(
        self, *, role: str, partition: int, progress: Progress, clock: Clock, live: bool, kept: timedelta | None = None
    ) -> None:
        """``clock``: the wall's. ``live``: deadlines and records go by it. ``kept``: how long the topic keeps records;
        one that says to be older has a wrong time."""
        self._role = role
        self._partition = str(partition)
        self._clock = clock
        self._live = live
        self._kept = None if kept is None else whole_millis(kept)
        self._waiting: tuple[int, int] | None = None
        self._noticed: tuple[int, int] | None = None
        self._store: Store[Any] | None = None
        self._deadlines: Deadlines | None = None
        self._due: int | None = None
        self._stopped = False
        self._shown: dict[Gauge, Callable[[], float | None]] = {
            metrics.LAG_RECORDS: self._lag_records,
            metrics.LAG_SECONDS: self._lag_seconds,
            metrics.RECOVERY_REMAINING_RECORDS: lambda: progress.recovery_left,
            metrics.RECOVERY_REMAINING_SECONDS: lambda: progress.recovery_seconds_left,
            metrics.KEYS: self._keys,
            metrics.STATE_BYTES: self._state_bytes,
            metrics.DEADLINES: self._deadlines_set,
            metrics.DEADLINE_OVERDUE_SECONDS: self._overdue_seconds,
        }
        for gauge, figure in self._shown.items():
            gauge.labels(role=role, partition=self._partition).set_function(figure)

    @classmethod
    def of(cls, partition: int, *, shared: Shared[Any], progress: Progress) -> Gauges:
        """Those of a worker's partition."""
        return cls(
            role=shared.role,
            partition=partition,
            progress=progress,
            clock=shared.clock,
            live=shared.settings.time_source is TimeSource.WALL,
            kept=shared.logic.input.retention,
        )

    def close(self) -> None:
        """The partition was let go: nothing of it is shown any more."""
        for gauge in self._shown:
            gauge.remove(self._role, self._partition)
        if self._stopped:
            self._stopped = False
            metrics.PARTITIONS_STOPPED.labels(role=self._role).dec()

    def stopped(self) -> None:
        """The partition stopped, until it is let go."""
        self._stopped = True
        metrics.PARTITIONS_STOPPED.labels(role=self._role).inc()

    def waits(self, records: int, oldest: ConsumerRecord | None) -> None:
        """So many input records are not handled yet, ``oldest`` the first of them; None: it is not fetched."""
        if not records:
            self._waiting, self._noticed = (0, 0), None
            return
        now = to_millis(self._clock.now())
        since = None if oldest is None else self._published(oldest, now)
        if since is not None:
            self._noticed = None
        else:  # nobody knows since when: at least since it was first noticed
            which = _UNSEEN if oldest is None else oldest.offset
            if self._noticed is None or self._noticed[0] != which:
                self._noticed = which, now
            since = self._noticed[1]
        self._waiting = records, since

    def left(self, records: int) -> None:
        """So many input records wait while none is read; the oldest of them waits for as long as before, or longer."""
        known = self._waiting is not None and self._waiting[0] > 0
        since = self._waiting[1] if self._waiting is not None and known else to_millis(self._clock.now())
        self._waiting = records, since

    def holds(self, store: Store[Any] | None, deadlines: Deadlines | None = None) -> None:
        """The state of the partition and its deadlines, from now on; None: they are not known."""
        self._store, self._deadlines, self._due = store, deadlines, None
        self.fired()

    def fired(self) -> None:
        """Every deadline that can fire now has fired, and others may have been set."""
        self._due = None if self._deadlines is None else self._deadlines.next()

    # The figures are looked up in the thread that writes them for a scraper: each attribute is read once.

    def _lag_records(self) -> float | None:
        waiting = self._waiting
        return None if waiting is None else waiting[0]

    def _keys(self) -> float | None:
        store = self._store
        return None if store is None else len(store)

    def _state_bytes(self) -> float | None:
        store = self._store
        return None if store is None else store.bytes

    def _deadlines_set(self) -> float | None:
        deadlines = self._deadlines
        return None if deadlines is None else len(deadlines)

    def _lag_seconds(self) -> float | None:
        waiting = self._waiting
        if waiting is None:
            return None
        records, since = waiting
        return max(to_millis(self._clock.now()) - since, 0) / 1000 if records else 0

    def _overdue_seconds(self) -> float | None:
        if self._deadlines is None:
            return None
        due = self._due
        # in the records' own time a deadline is due when a record says so, and fires with it
        return 0 if due is None or not self._live else max(to_millis(self._clock.now()) - due, 0) / 1000

    def _published(self, record: ConsumerRecord, now: int) -> int | None:
        at = published_at_millis(record.headers)
        if at is None and self._live:
            at = int(record.timestamp)
        if at is None or at < 0 or (self._kept is not None and now - at > self._kept):
            return None
        return at
