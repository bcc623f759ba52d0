"""How far a partition has come, and since when it has not got any further: what health checks and the lag go by."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

_ORDINARY_PACE = 20_000  # state records a second


class Progress:
    """Of one partition. Whatever shows that it is not stuck is told here: commits, idleness, brokers that are away."""

    def __init__(self, *, seconds: Callable[[], float] = time.monotonic) -> None:
        """``seconds``: a clock that never goes back."""
        self._seconds = seconds
        self._since = seconds()
        self.position: int | None = None
        """The offset of the first record that is not handled; None until it is known."""
        self.ready = False
        """Whether its state is recovered and its records are read."""
        self.failures = 0
        """How often in a row the partition was lost since it last got any further."""
        self._why = ""
        self._recovery: tuple[float, int, int] | None = None

    def recovering(self, read: int, left: int) -> None:
        """So many records of its state topic are read, and so many left; 0 left: it is recovered."""
        began = self._seconds() if self._recovery is None or not read else self._recovery[0]
        self._recovery = began, read, left

    @property
    def recovery_left(self) -> int | None:
        """State records still to read; None while nobody knows."""
        return None if self._recovery is None else self._recovery[2]

    @property
    def recovery_seconds_left(self) -> float | None:
        """How long that takes at the pace so far, in seconds; None while nobody knows."""
        if self._recovery is None:
            return None
        began, read, left = self._recovery
        # as if one second at an ordinary pace had gone before: the first figures are no wild guess
        return left * (self._seconds() - began + 1) / (read + _ORDINARY_PACE) if left else 0

    def moved(self, position: int) -> None:
        """A transaction was committed."""
        self.position = position
        self.well()

    def well(self) -> None:
        """It got further, or there is nothing left to handle."""
        self.failures = 0
        self._why = ""
        self.not_stuck()

    def not_stuck(self) -> None:
        """It recovers, waits for calls under way, or for brokers: that is no fault a restart would mend."""
        self._since = self._seconds()

    def failed(self, why: str) -> None:
        """The partition was lost and has to be taken again."""
        self.failures += 1
        self._recovery = None
        self._why = why

    @property
    def quiet(self) -> timedelta:
        """For how long nothing has moved."""
        return timedelta(seconds=self._seconds() - self._since)

    def waiting_for(self) -> str | None:
        """What is to become of the partition before it is worked on; None where it is."""
        if self.failures:
            return f"worked on, but it does not get past offset {self.position}: {self._why}"
        return None if self.ready else "recovered"

    def stuck(self, after: timedelta) -> str | None:
        """What to tell an operator where nothing has moved for longer than ``after``; None where it moves."""
        if self.quiet < after:
            return None
        because = f": {self._why}" if self._why else ""
        return f"has not got past offset {self.position} for {int(self.quiet.total_seconds())} s{because}"
