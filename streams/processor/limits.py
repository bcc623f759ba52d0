"""Limits of batching and of waiting."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How the processor batches, and when it gives up."""

    batch: int = 1_000
    effects: int = 8
    """Maximum effects of a partition, queued or running: on a channel that is not idempotent, a crash leaves as many
    uncertain."""
    timers: int = 1_000
    """Maximum deadlines that fire in one transaction."""
    commit_every: timedelta = timedelta(milliseconds=100)
    commit_hangs_after: timedelta = timedelta(seconds=30)
    transaction_timeout: timedelta = timedelta(seconds=10)
    retake_after: timedelta = timedelta(seconds=1)
    """The pause before a partition is acquired again. It doubles with each further failure, up to
    ``retake_at_most``."""
    retake_at_most: timedelta = timedelta(seconds=30)
    stuck_after: timedelta = timedelta(minutes=2)
    """After this time without progress, although the brokers answer, ``/livez`` reports the partition."""
    finish_within: timedelta = timedelta(seconds=8)
    dead_letter_window: int = 200
    dead_letter_share: float = 0.5
    cache: int = 20_000
