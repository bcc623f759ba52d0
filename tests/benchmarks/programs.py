"""A measured program: its process, its log, its processor time and memory."""

from __future__ import annotations

import asyncio
import signal
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

_ENDS_WITHIN = 20.0
_LAST_LINES = 15
MIB = 1 << 20


class ProgramFailed(Exception):
    """The program ended or made no progress. The message quotes the end of its log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Resident memory in MiB: current and peak."""

    now: float
    peak: float


class Program:
    """Runs for the duration of the block, and is stopped by its process id."""

    def __init__(self, name: str, argv: Sequence[str], *, env: Mapping[str, str], cwd: Path | None = None) -> None:
        self.name = name
        self._argv = list(argv)
        self._env = dict(env)
        self._cwd = cwd
        self._process: asyncio.subprocess.Process | None = None
        with tempfile.NamedTemporaryFile(prefix=f"bench-{name}-", suffix=".log", delete=False) as log:
            self._log = Path(log.name)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
        self._log.unlink()

    @property
    def pid(self) -> int:
        """The id of the running process."""
        return self._running().pid

    @property
    def log(self) -> str:
        """Everything that it has logged so far."""
        return self._log.read_text(errors="replace")

    async def start(self) -> None:
        """Start the process, without waiting."""
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._argv, env=self._env, cwd=self._cwd, stdout=log, stderr=log, stdin=asyncio.subprocess.DEVNULL
            )

    async def stop(self) -> None:
        """Terminate it, by force if that takes too long."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(_ENDS_WITHIN):
                await process.wait()
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        """Send SIGKILL."""
        process = self._running()
        process.kill()
        await process.wait()

    def check(self) -> None:
        """Raises ProgramFailed if it has ended."""
        code = self._running().returncode
        if code is not None:
            raise self.failure(f"ended with code {code}")

    def failure(self, why: str) -> ProgramFailed:
        """The exception for its failure."""
        lines = "\n".join(self.log.splitlines()[-_LAST_LINES:])
        return ProgramFailed(f"{self.name} {why}\n{lines}")

    def cpu_seconds(self) -> float:
        """The processor time of all its threads, in seconds."""
        times = psutil.Process(self.pid).cpu_times()
        return float(times.user + times.system)

    def starved_seconds(self) -> float:
        """How long its threads, taken together, had work but no core to do it on."""
        waits = (task / "schedstat" for task in Path(f"/proc/{self.pid}/task").iterdir())
        return sum(int(wait.read_text().split()[1]) for wait in waits) / 1e9

    def memory(self) -> Memory:
        """Its current and peak memory."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        kib = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in status.splitlines())
               if name in ("VmRSS", "VmHWM")}  # fmt: skip
        return Memory(now=round(kib["VmRSS"] / 1024, 1), peak=round(kib["VmHWM"] / 1024, 1))

    def _running(self) -> asyncio.subprocess.Process:
        if self._process is None:
            raise RuntimeError(f"{self.name} was not started")
        return self._process
