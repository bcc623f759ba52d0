"""What time it is for a step, by the source of time that the settings name."""

from __future__ import annotations

from datetime import datetime

from aiokafka import ConsumerRecord

from streams.clock import Clock, from_millis, to_millis
from streams.config import TimeSource

_FUTURE_RECORD = 3_600_000  # ms; the broker's own bound, so that one wrong clock does not move everybody's


class Times:
    """``real``: the wall's clock, where effects are asked for by real time; else None."""

    def __init__(self, source: TimeSource, *, wall: Clock, outside: bool) -> None:
        """``outside``: there are effects."""
        self._wall = wall if source is TimeSource.WALL else None
        self.real = self._wall if outside else None

    def stamp(self, record: ConsumerRecord) -> int:
        """The record's time in ms, as far as it is believed."""
        stamp: int = record.timestamp
        return stamp if self._wall is None else min(stamp, to_millis(self._wall.now()) + _FUTURE_RECORD)

    def now(self, millis: int) -> datetime:
        """The time of a step, where the partition's clock says ``millis``."""
        return from_millis(millis) if self.real is None else self.real.now()
