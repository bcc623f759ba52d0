"""How a processor batches, and when it gives up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How the processor batches and when it gives up."""

    batch: int = 1_000
    effects: int = 8
    """Of a partition, queued or under way: where sending twice is no option, a crash leaves as many uncertain."""
    timers: int = 1_000
    """Deadlines that fire in one transaction, at most."""
    commit_every: timedelta = timedelta(milliseconds=100)
    commit_hangs_after: timedelta = timedelta(seconds=30)
    transaction_timeout: timedelta = timedelta(seconds=10)
    retake_after: timedelta = timedelta(seconds=1)
    """The pause before a partition is taken again. It doubles with each further failure, up to ``retake_at_most``."""
    retake_at_most: timedelta = timedelta(seconds=30)
    stuck_after: timedelta = timedelta(minutes=2)
    """A partition that has not got past an offset for so long, although the brokers answer, is told by ``/livez``."""
    finish_within: timedelta = timedelta(seconds=8)
    dead_letter_window: int = 200
    dead_letter_share: float = 0.5
    cache: int = 20_000
