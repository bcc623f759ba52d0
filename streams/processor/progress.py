"""Tracks a partition's progress for health checks and lag metrics."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

_ORDINARY_PACE = 20_000  # state records a second


class Progress:
    """The progress of one partition. Whatever shows that it is not stuck is reported here: commits, idleness, absent
    brokers."""

    def __init__(self, *, seconds: Callable[[], float] = time.monotonic) -> None:
        """``seconds``: a monotonic clock."""
        self._seconds = seconds
        self._since = seconds()
        self.position: int | None = None
        """The offset of the first record that is not handled; None until it is known."""
        self.ready = False
        """Whether its state is recovered and its records are being read."""
        self.failures = 0
        """How often in a row the partition has failed since it last made progress."""
        self._why = ""
        self._recovery: tuple[float, int, int] | None = None

    def recovering(self, read: int, left: int) -> None:
        """So many records of its state topic are read, and so many left; 0 left: it is recovered."""
        began = self._seconds() if self._recovery is None or not read else self._recovery[0]
        self._recovery = began, read, left

    @property
    def recovery_left(self) -> int | None:
        """State records still to read; None while nobody knows."""
        recovery = self._recovery  # another thread asks
        return None if recovery is None else recovery[2]

    @property
    def recovery_seconds_left(self) -> float | None:
        """How long that takes at the pace so far, in seconds; None while nobody knows."""
        recovery = self._recovery
        if recovery is None:
            return None
        began, read, left = recovery
        # as if one second at an ordinary pace had gone before: the first figures are no wild guess
        return left * (self._seconds() - began + 1) / (read + _ORDINARY_PACE) if left else 0

    def moved(self, position: int) -> None:
        """Record a committed transaction."""
        self.position = position
        self.well()

    def well(self) -> None:
        """Record progress, or that there is nothing left to handle."""
        self.failures = 0
        self._why = ""
        self.not_stuck()

    def not_stuck(self) -> None:
        """Record that it is recovering, or waiting for effects or brokers, which a restart would not help."""
        self._since = self._seconds()

    def failed(self, why: str) -> None:
        """Record that the partition failed and has to be acquired again."""
        self.failures += 1
        self._recovery = None
        self._why = why

    @property
    def quiet(self) -> timedelta:
        """How long there has been no progress."""
        return timedelta(seconds=self._seconds() - self._since)

    def waiting_for(self) -> str | None:
        """Return what has to happen before the partition is worked on; None if it is."""
        if self.failures:
            return f"worked on, but it does not get past offset {self.position}: {self._why}"
        return None if self.ready else "recovered"

    def stuck(self, after: timedelta) -> str | None:
        """Return what to tell an operator if there has been no progress for ``after``; None if there has."""
        if self.quiet < after:
            return None
        because = f": {self._why}" if self._why else ""
        return f"has not got past offset {self.position} for {int(self.quiet.total_seconds())} s{because}"
