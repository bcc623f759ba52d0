"""A worker of a drive: the production role in a process that can die or stop at an exact point.

``python -m tests.chaos.worker journeys --at before_commit:3 --do kill`` runs the same as ``careline run journeys``,
with the same settings. It adds a signature (a header) to its records, a listener at the failpoints, optionally a
planted bug, and a wall clock that can be wrong.
"""

from __future__ import annotations

import argparse
import itertools
import os
import signal
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiokafka.consumer.fetcher
from aiokafka import AIOKafkaProducer

from processors.cli import run
from processors.roles import standing, wiring
from streams.clock import SystemClock
from streams.processor import failpoints
from streams.processor.failpoints import Point
from tests.chaos import failing
from tests.chaos.bugs import BUGS as JOURNEY_BUGS
from tests.chaos.dispatch_bugs import DISPATCH_BUGS
from tests.chaos.watching import LIFE

SIGNALS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}
BUGS = JOURNEY_BUGS | DISPATCH_BUGS
ROLES = {"journeys": run.journeys, "outreach": run.outreach}


def sign() -> None:
    """Sign every record of a transaction with this process and the number of the producer that it started."""
    start, create_batch = AIOKafkaProducer.start, AIOKafkaProducer.create_batch
    takes = itertools.count(1)

    async def started(self: Any) -> None:
        self._life = f"{os.getpid()}.{next(takes)}.{int(time.time() * 1000)}".encode()
        await start(self)

    def signed(self: Any) -> Any:
        batch = create_batch(self)
        append = batch.append

        def appended(*, headers: Any = (), **named: Any) -> Any:
            return append(headers=[*headers, (LIFE, self._life)], **named)

        batch.append = appended
        return batch

    AIOKafkaProducer.start = started
    AIOKafkaProducer.create_batch = signed


def arm(point: Point, time_reached: int, what: signal.Signals) -> None:
    """Send this process ``what`` when it reaches ``point`` for the n-th time."""
    reached = itertools.count(1)

    def listener(at: Point) -> None:
        if at is point and next(reached) == time_reached:
            os.kill(os.getpid(), what)

    failpoints.listen(listener)


class _Skewed:
    """The wall clock, wrong by the number of seconds in a file; correct if that is empty or missing."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def offset(self) -> float:
        try:
            return float(self._file.read_text() or 0)
        except FileNotFoundError:
            return 0.0

    def time(self) -> float:
        return time.time() + self.offset()

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)


def skew(file: Path) -> None:
    """Give everything in this process a wall clock that can jump."""
    wrong = _Skewed(file)

    class Clock(SystemClock):
        def now(self) -> datetime:
            return super().now() + timedelta(seconds=wrong.offset())

    wiring.SystemClock = Clock  # type: ignore[attr-defined]
    aiokafka.consumer.fetcher.time = wrong  # when it last polled, too, is what the machine's clock says
    standing.time = wrong  # type: ignore[assignment]  # and what its metrics say


def main() -> None:
    """Run the role."""
    parser = argparse.ArgumentParser()
    parser.add_argument("role", choices=ROLES)
    parser.add_argument("--at", help="point:n, the n-th time it is reached")
    parser.add_argument("--do", choices=SIGNALS, default="kill")
    parser.add_argument("--bug", choices=BUGS)
    parser.add_argument("--failing", action="store_true", help="one event in a thousand fails its step")
    parser.add_argument("--clock", type=Path, help="a file with the seconds by which the wall clock is wrong")
    asked = parser.parse_args()
    sign()
    if asked.at:
        point, _, number = asked.at.partition(":")
        arm(Point(point), int(number or 1), SIGNALS[asked.do])
    if asked.bug:
        BUGS[asked.bug]()
    if asked.failing:
        failing.plant()
    if asked.clock:
        skew(asked.clock)
    ROLES[asked.role]()


if __name__ == "__main__":
    main()
