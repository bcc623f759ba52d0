"""The workers of a drive: started, armed, stopped, killed, and restarted when they end, like by a supervisor."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from streams.processor.failpoints import Point
from tests.live.roles import Role

REACHED_WITHIN = 60.0
_LAST_WORDS = 1_500  # characters


@dataclass(frozen=True, slots=True)
class Strike:
    """When a worker is hit: the n-th time that it reaches a point, or (without a point) after a number of seconds."""

    point: Point | None = None
    time: int = 1
    after: float = 0.0


class Worker(Role):
    """One worker process; ``instance`` is its name, which it keeps over restarts."""

    def __init__(self, env: Mapping[str, str], *, instance: str, role: str = "journeys", **settings: str) -> None:
        super().__init__(role, env, wait=False, instance=instance, **settings)
        self.instance = instance
        self.bug: str | None = None
        """The planted bug, in every life."""
        self.fails = False
        """Whether one event in a thousand fails its step; see ``failing``."""
        self.output: str | None = None
        """Where its log goes, instead of to a file of ours."""
        self.clock: str | None = None
        """A file with the seconds by which its wall clock is wrong."""
        self._armed: list[str] = []

    @property
    def code(self) -> int | None:
        """The exit code; None while it runs."""
        return None if self._process is None else self._process.returncode

    def arm(self, *, at: Point | None = None, time: int = 1, do: str = "kill") -> None:
        """Arm its next life; without a point, nothing will happen to it."""
        self._armed = [] if at is None else ["--at", f"{at}:{time}", "--do", do]

    async def ready(self, *, within: float = 60) -> None:
        """Wait until it is ready."""
        await self.until(lambda status, _: status == 200, "/readyz", within=within)

    async def ended(self, *, within: float) -> int:
        """Wait for its end; returns the exit code. Raises TimeoutError."""
        assert self._process is not None
        async with asyncio.timeout(within):
            return await self._process.wait()

    def signal(self, number: signal.Signals) -> None:
        """Send SIGSTOP or SIGCONT."""
        assert self._process is not None
        self._process.send_signal(number)

    async def stopped_itself(self, *, within: float = REACHED_WITHIN) -> None:
        """Wait until it is stopped (SIGSTOP). Raises TimeoutError."""
        process = psutil.Process(self.pid)
        async with asyncio.timeout(within):
            while process.status() != psutil.STATUS_STOPPED:  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    def forget(self) -> None:
        """Delete its log."""
        self._log.unlink(missing_ok=True)

    def _command(self) -> list[str]:
        words = [sys.executable, "-m", "tests.chaos.worker", self.name, *self._armed]
        words += [] if self.bug is None else ["--bug", self.bug]
        words += ["--failing"] if self.fails else []
        return words + ([] if self.clock is None else ["--clock", self.clock])

    def _output(self) -> Path:
        return self._log if self.output is None else Path(self.output)


@dataclass(slots=True)
class Toll:
    """How the workers' lives ended."""

    kills: int = 0
    points: dict[str, int] = field(default_factory=dict)
    missed: list[str] = field(default_factory=list)
    """Points that were not reached in time."""
    other_ends: list[int] = field(default_factory=list)
    """Codes of ends that nobody asked for: 75 is the watchdog's."""
    last_words: list[str] = field(default_factory=list)
    """The end of the logs of those workers."""


async def endure(workers: list[Worker], plan: deque[Strike], *, toll: Toll, struck: Callable[[], None]) -> None:
    """Start the workers and carry out the strikes of ``plan`` in order; leaves the workers running, unarmed."""
    await asyncio.gather(*(_endure(worker, plan, toll, struck) for worker in workers))


async def _endure(worker: Worker, plan: deque[Strike], toll: Toll, struck: Callable[[], None]) -> None:
    while plan:
        strike = plan.popleft()
        worker.arm(at=strike.point, time=strike.time)
        await worker.start()
        if strike.point is None:
            await asyncio.sleep(strike.after)
            await worker.kill()
        try:
            code = await worker.ended(within=REACHED_WITHIN)
        except TimeoutError:
            toll.missed.append(f"{strike.point}:{strike.time}")
            await worker.kill()
            continue
        if code == -signal.SIGKILL:
            name = "random" if strike.point is None else str(strike.point)
            toll.kills += 1
            toll.points[name] = toll.points.get(name, 0) + 1
        else:
            toll.other_ends.append(code)
        struck()
    worker.arm()
    await worker.start()


async def supervise(worker: Worker, toll: Toll) -> None:
    """Restart the worker whenever it ends, until cancelled."""
    while True:
        if worker.code is not None:
            toll.other_ends.append(worker.code)
            toll.last_words.append(worker.log[-_LAST_WORDS:])
            await asyncio.sleep(1)
            await worker.start()
        await asyncio.sleep(0.2)
