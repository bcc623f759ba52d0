"""The roles as separate processes: started, watched over HTTP, killed and restarted."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from deploy.local.place import free_port
from deploy.local.private import UMASK, opener, private_directory
from deploy.local.processes import last_lines
from streams.errors import CarelineError

_STOP_SECONDS = 20
_LINE = re.compile(r"^(?P<name>[a-z_]+)(?:\{(?P<labels>[^}]*)\})? (?P<value>[0-9.e+-]+)$", re.MULTILINE)


class RoleFailed(CarelineError):
    """A role ended by itself, or did not become ready; the message quotes the end of its log."""


class Role:
    """One role, as a process."""

    def __init__(self, name: str, *, environment: Mapping[str, str], logs: Path, port: int) -> None:
        self.name = name
        self.log = logs / f"{name}.log"
        self._environment = {
            **os.environ,
            **environment,
            "CARELINE_OPS_HOST": "127.0.0.1",
            "CARELINE_OPS_PORT": str(port),
        }
        self.url = f"http://127.0.0.1:{port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process; it appends to the log of an earlier run."""
        with open(self.log, "ab", opener=opener) as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "processors.cli", "run", self.name],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                umask=UMASK,
                start_new_session=True,  # so that Ctrl-C reaches only us, and we stop the roles
            )

    def kill(self) -> None:
        """kill -9."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        """Terminate the process, and kill it if it does not end."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    async def ready(self, client: httpx.AsyncClient) -> bool:
        """Whether /readyz answers 200. Raises RoleFailed if the process ended, or if /livez reports a failure."""
        if self._process is not None and (code := self._process.poll()) is not None:
            raise RoleFailed(f"{self.name} ended with {code}; its log {self.log} ends with:\n{last_lines(self.log)}")
        try:
            if (alive := await client.get(f"{self.url}/livez")).status_code != 200:
                raise RoleFailed(f"{self.name} is broken: {alive.text} (log: {self.log})")
            return (await client.get(f"{self.url}/readyz")).status_code == 200
        except httpx.TransportError:
            return False

    async def metrics(self, client: httpx.AsyncClient) -> dict[str, float]:
        """Its metrics, summed over their labels; {} while it does not answer."""
        try:
            text = (await client.get(f"{self.url}/metrics")).text
        except httpx.TransportError:
            return {}
        sums: dict[str, float] = {}
        for found in _LINE.finditer(text):
            sums[found["name"]] = sums.get(found["name"], 0) + float(found["value"])
        return sums


class Roles:
    """All roles of the demo, stopped in order whatever happens."""

    def __init__(self, names: tuple[str, ...], *, environment: Mapping[str, str], logs: Path, keep: bool) -> None:
        private_directory(logs)
        taken: set[int] = set()
        self.by_name: dict[str, Role] = {}
        for name in names:
            taken.add(port := free_port(taken=taken))
            self.by_name[name] = Role(name, environment=environment, logs=logs, port=port)
        self._keep = keep
        self._client = httpx.AsyncClient(timeout=5, trust_env=False)

    async def __aenter__(self) -> Self:
        try:
            for role in self.by_name.values():
                role.start()
            await self.wait_until_ready()
        except BaseException:
            self._stop()
            await self._client.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._keep or error is not None:
            self._stop()
        await self._client.aclose()

    async def wait_until_ready(self, *, seconds: float = 90) -> None:
        """Wait until every role is ready. Raises RoleFailed."""
        until = time.monotonic() + seconds
        for role in self.by_name.values():
            while not await role.ready(self._client):
                if time.monotonic() > until:
                    raise RoleFailed(f"{role.name} is not ready after {seconds:.0f} s (log: {role.log})")
                await asyncio.sleep(0.1)

    async def metrics(self, name: str) -> dict[str, float]:
        """A role's metrics, summed over their labels."""
        return await self.by_name[name].metrics(self._client)

    def _stop(self) -> None:
        for role in self.by_name.values():
            role.stop()
