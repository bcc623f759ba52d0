"""Roles as the processes they are in production: started, waited for, stopped, killed; by process id, never by name."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from deploy.local.place import free_port

READY_WITHIN = 60.0
STOPS_WITHIN = 30.0


class Role:
    """One role in a process of its own: ready when the block begins, stopped when it ends.

    ::

        async with Role("journeys", role_env) as journeys:
            await journeys.kill()
            await journeys.start()

    What it logged is kept in one file over all its lives, and shown when the block fails.
    """

    def __init__(self, name: str, env: Mapping[str, str], *, wait: bool = True, **settings: str) -> None:
        """``settings`` are further CARELINE_ variables, as ``time_source="events"``; ``wait`` until it is ready."""
        self.name = name
        self._wait = wait
        self.port = free_port(taken=set())
        self._env = {**env, "CARELINE_OPS_PORT": str(self.port)}
        self._env |= {f"CARELINE_{setting.upper()}": value for setting, value in settings.items()}
        self._process: asyncio.subprocess.Process | None = None
        descriptor, path = tempfile.mkstemp(prefix=f"{name}-", suffix=".log")
        os.close(descriptor)
        self._log = Path(path)

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.kill()
            self._show()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                await self.stop()
        finally:
            await self.kill()
            if error is not None:
                self._show()
            self._log.unlink()

    @property
    def pid(self) -> int:
        """The process of its present life."""
        assert self._process is not None, f"{self.name} was not started"
        return self._process.pid

    @property
    def log(self) -> str:
        """All that it logged so far."""
        return self._log.read_text(errors="replace")

    async def start(self) -> None:
        """Start it, and wait until it says that it is ready."""
        with self._output().open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command(), env=self._env, stdout=log, stderr=log, stdin=asyncio.subprocess.DEVNULL
            )
        if self._wait:
            await self.until(lambda status, _: status == httpx.codes.OK, "/readyz", within=READY_WITHIN)

    async def stop(self) -> None:
        """SIGTERM, as an operator does it; it ends in order and with code 0."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(STOPS_WITHIN):
            code = await process.wait()
        assert code == 0, f"{self.name} ended with {code}:\n{self.log}"

    async def kill(self) -> None:
        """SIGKILL, as a machine does it; nothing is tidied up."""
        process = self._process
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()

    async def ask(self, path: str) -> tuple[int, Any]:
        """Status and JSON of a path that operators look at; status 0 while nothing answers."""
        async with httpx.AsyncClient(timeout=5) as client:
            try:
                answer = await client.get(f"http://127.0.0.1:{self.port}{path}")
            except httpx.TransportError:
                return 0, None
        return answer.status_code, answer.json()

    async def metrics(self) -> str:
        """What Prometheus reads; "" while nothing answers."""
        async with httpx.AsyncClient(timeout=5) as client:
            try:
                return (await client.get(f"http://127.0.0.1:{self.port}/metrics")).text
            except httpx.TransportError:
                return ""

    async def until(self, met: Callable[[int, Any], bool], path: str, *, within: float = 30) -> Any:
        """Wait until the answer of the path is as wanted, and return its JSON."""
        seen: tuple[int, Any] = (0, None)
        try:
            async with asyncio.timeout(within):
                while not met(*(seen := await self.ask(path))):
                    process = self._process
                    assert process is not None
                    assert process.returncode is None, f"{self.name} ended with {process.returncode}:\n{self.log}"
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"{self.name}: {path} says {seen} after {within} s:\n{self.log}") from None
        return seen[1]

    def _command(self) -> list[str]:
        return [sys.executable, "-m", "processors.cli", "run", self.name]

    def _output(self) -> Path:
        return self._log

    def _show(self) -> None:
        sys.stderr.write(f"--- {self.name} logged:\n{self.log}\n")
