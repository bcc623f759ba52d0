"""What of the ledger is not ended, by what it waits for, and since when the longest-waiting letter might have left."""

from __future__ import annotations

from collections import Counter
from weakref import WeakSet

from processors.outreach import metrics
from processors.outreach.leaving import NIGHT, due_at
from processors.outreach.phases import detail_of
from streams.clock import Clock, to_millis
from streams.config import TimeSource
from streams.events import LedgerPhase, OutreachLedgerEntry
from streams.processor import Class, Figures

ITS_TURN = "its_turn"
"""It is called next."""
NOT_YET = "not_yet"
"""It comes from a publisher's backlog, and waits for the rest of that."""
QUIET_HOURS = "quiet_hours"
"""It is night where the customer is."""
RETRY = "retry"
"""A provider did not take it, or its rate limit or circuit did not let it through."""
IN_DOUBT = "in_doubt"
"""It may have arrived, and is tried again where twice is once."""
CALLING = "calling"
"""Its provider is being called."""
REASONS = (ITS_TURN, NOT_YET, QUIET_HOURS, RETRY, IN_DOUBT, CALLING)

_HELD = {detail_of(phase, NIGHT) for phase in (LedgerPhase.WAITING, LedgerPhase.MAYBE_LEFT)}


class Waiting:
    """Classifies the entries of one worker's ledger, and shows how many there are of each class."""

    def __init__(self, *, clock: Clock, time_source: TimeSource = TimeSource.WALL) -> None:
        """``clock``: the wall's. In event time nothing is overdue, as no wall clock says how late it is."""
        self._clock = clock
        self._live = time_source is TimeSource.WALL
        self._figures: dict[int, Figures] = {}
        self._oldest: int | None = None
        for reason in REASONS:
            metrics.WAITING.labels(reason=reason).inc(0)
        _WORKERS.add(self)

    def class_of(self, entry: OutreachLedgerEntry) -> Class | None:
        """What the entry waits for; None where it is ended. It is due when it might first leave, or when the quiet
        hours that hold it end."""
        if entry.phase is LedgerPhase.ENDED:
            return None
        held = entry.detail in _HELD
        due = None
        if self._live and entry.wake_at is not None:
            due = entry.wake_at if held or entry.request is None else due_at(entry.request, entry.updated_at)
        return Class(name=_reason(entry, held=held), due=due)

    def show(self, partition: int, figures: Figures | None) -> None:
        """The partition's figures from now on; None once this worker has let go of it."""
        before = self._figures.pop(partition, None)
        if figures is not None:
            self._figures[partition] = figures
        change = Counter({} if figures is None else figures.counts)
        change.subtract({} if before is None else before.counts)
        for reason, by in change.items():
            if by:
                metrics.WAITING.labels(reason=reason).inc(by)
        self._oldest = min((one.oldest for one in self._figures.values() if one.oldest is not None), default=None)

    @property
    def overdue(self) -> float:
        """For how many seconds the oldest of what waits has been due; 0 if nothing is. Safe to ask from any thread."""
        oldest = self._oldest
        return 0.0 if oldest is None else max(to_millis(self._clock.now()) - oldest, 0) / 1000


def _reason(entry: OutreachLedgerEntry, *, held: bool) -> str:
    match entry.phase:
        case LedgerPhase.ITS_TURN:
            later = entry.wake_at is not None and to_millis(entry.wake_at) > to_millis(entry.updated_at)
            return NOT_YET if later else ITS_TURN
        case LedgerPhase.WAITING:
            return QUIET_HOURS if held else RETRY
        case LedgerPhase.MAYBE_LEFT:
            return IN_DOUBT
        case _:
            return CALLING


_WORKERS: WeakSet[Waiting] = WeakSet()
"""One in a process, but in tests."""

metrics.OLDEST_OVERDUE.set_function(lambda: max((worker.overdue for worker in list(_WORKERS)), default=None))
