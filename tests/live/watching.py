"""A real Prometheus of a test's own, which scrapes the roles that announce themselves to it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from deploy.local.monitoring import RULES, scrape_configuration
from deploy.local.place import free_port


class Watching:
    """Running while the block does. Roles started with ``CARELINE_OPS_TARGETS=<targets>`` are scraped each second."""

    def __init__(self, program: str, folder: Path, *, rules: Path = RULES) -> None:
        self.targets = folder / "targets"
        self.targets.mkdir()
        self.url = f"http://127.0.0.1:{(port := free_port(taken=set()))}"
        configuration = folder / "prometheus.yml"
        configuration.write_text(scrape_configuration(rules=rules, every=timedelta(seconds=1)))
        self._command = (
            program,
            f"--config.file={configuration}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--log.level=warn",
        )
        self._process: asyncio.subprocess.Process | None = None
        self._client = httpx.AsyncClient(base_url=self.url, timeout=10)

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(*self._command)
        async with asyncio.timeout(30):
            while not await self._ready():
                assert self._process.returncode is None, "Prometheus ended"
                await asyncio.sleep(0.1)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()

    async def ask(self, expr: str) -> list[Any]:
        """Its samples now; a scalar as one. An expression that Prometheus refuses fails the test."""
        page = (await self._client.post("/api/v1/query", data={"query": expr})).json()
        assert page["status"] == "success", f"{page.get('error')}: {expr}"
        data = page["data"]
        found: list[Any] = [data["result"]] if data["resultType"] == "scalar" else data["result"]
        return found

    async def names(self) -> set[str]:
        """The names of all series."""
        page = (await self._client.get("/api/v1/label/__name__/values")).json()
        return set(page["data"])

    async def _ready(self) -> bool:
        try:
            return (await self._client.get("/-/ready")).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False
