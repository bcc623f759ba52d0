"""The operators' HTTP port of every role: /metrics, /livez, /readyz, and paths that the role adds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Self

import structlog
from aiohttp import web
from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector

from streams.errors import SettingsError
from streams.http.exposition import Together, asked_for
from streams.http.serving import Bounds, served
from streams.metrics import REGISTRY

log = structlog.get_logger()

_PROCESS = CollectorRegistry()
ProcessCollector(registry=_PROCESS)
PlatformCollector(registry=_PROCESS)
_ALL = Together(REGISTRY, _PROCESS)

_PATIENCE = timedelta(seconds=2)  # a scraper that never disconnects must not delay the end

Check = Callable[[], list[str]]
"""Returns what is wrong or missing, in words for an operator; [] if nothing is."""


class OpsServer:
    """Serves a role's health and metrics for as long as it is started.

    ``live`` says what has crashed: /livez then answers 503 naming it, and the supervisor restarts the process.
    ``ready`` says what the role still waits for: /readyz then answers 503 naming it. ``routes`` are further paths, each
    with a function whose result is returned as JSON.
    """

    def __init__(
        self,
        *,
        host: str,
        port: int | None,
        live: Check,
        ready: Check,
        shows: Callable[[], None] = lambda: None,
        routes: Mapping[str, Callable[[], Any]] | None = None,
    ) -> None:
        """``port`` None serves nothing; 0 takes any free port, which is logged. ``shows`` is called on the event loop
        before metrics are read."""
        self._host = host
        self._wanted = port
        self._live = live
        self._ready = ready
        self._shows = shows
        self._routes = dict(routes or {})
        self._runner: web.AppRunner | None = None
        self._port: int | None = None

    @property
    def port(self) -> int | None:
        """The port of the server; None before the start, and if no port was requested."""
        return self._port

    async def start(self) -> None:
        """Start serving. Raises SettingsError if the address is not available."""
        if self._wanted is None or self._runner is not None:
            return
        app = web.Application()
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get("/livez", self._livez)
        app.router.add_get("/readyz", self._readyz)
        for path, answer in self._routes.items():
            app.router.add_get(path, _as_json(answer))
        try:
            runner = await served(
                app, host=self._host, port=self._wanted, shutdown=_PATIENCE, bounds=Bounds(connections=100)
            )
        except OSError as error:
            where = f"{self._host}:{self._wanted}"
            raise SettingsError(f"CARELINE_OPS_HOST, CARELINE_OPS_PORT: cannot listen on {where}: {error}") from error
        self._runner = runner
        self._port = int(runner.addresses[0][1])
        log.info("ops_server", url=f"http://{self._host}:{self._port}", paths=["/metrics", "/livez", "/readyz"])

    async def stop(self) -> None:
        """Stop serving. Idempotent."""
        runner, self._runner, self._port = self._runner, None, None
        if runner is not None:
            await runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.stop()

    async def _metrics(self, request: web.Request) -> web.Response:
        self._shows()
        asked = asked_for(request.headers.get("Accept", ""))
        # formatting thousands of lines must not block the event loop that handles records
        body = await asyncio.to_thread(asked.write, _ALL)
        return web.Response(body=body, headers={"Content-Type": asked.content_type})

    async def _livez(self, request: web.Request) -> web.Response:
        wrong = self._live()
        return web.json_response({"live": not wrong, "wrong": wrong}, status=503 if wrong else 200)

    async def _readyz(self, request: web.Request) -> web.Response:
        waiting_for = self._ready()
        body = {"ready": not waiting_for, "waiting_for": waiting_for}
        return web.json_response(body, status=503 if waiting_for else 200)


def _as_json(answer: Callable[[], Any]) -> Callable[[web.Request], Any]:
    async def handle(request: web.Request) -> web.Response:
        return web.json_response(answer())

    return handle
