"""The gateway role: an HTTP server for unsubscribe requests and reports, which answers once Kafka has stored them."""

from __future__ import annotations

from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any, Protocol

import structlog
from aiohttp import web
from mode import Service

from processors.gateway import pages
from processors.gateway.reporters import Reporters
from processors.gateway.reports import reported, unsubscribed
from processors.gateway.requests import KINDS, answered, json_of, received, refusal, text_of
from processors.gateway.spans import traced
from processors.letters.unsubscribe_links import UNSUBSCRIBE, BadLink, Links, Unsubscription
from processors.roles.role import Role
from processors.settings import Settings
from streams.clock import Clock
from streams.errors import InvalidEvent, SettingsError, Unavailable
from streams.events import Outcome
from streams.http.serving import Bounds, served
from streams.publishing.publisher import Publisher
from streams.registry.registry import Registry
from streams.tracing import Tracing

log = structlog.get_logger()

CALLBACKS = "/callbacks/outcomes"

_LARGEST = 64 * 1024  # bytes of a request
_PATIENCE = timedelta(seconds=10)  # for the brokers; no caller waits longer
_LEAVING = timedelta(seconds=5)  # for calls in flight, on stopping
_PAGE_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",  # the address contains the customer's token
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}


class Publishes(Protocol):
    """Publishes outcomes to one topic."""

    async def publish(self, event: Outcome) -> Any:
        """Return once the brokers have acknowledged it. Raises InvalidEvent, Unavailable."""


class GatewayRole(Role):
    """Accepts unsubscribe requests and reported outcomes, and publishes them to the outcomes and touchpoints topics.

    A call answered with 200 or 202 is stored in Kafka, on both topics. Any other call may be repeated: the same link or
    message is the same fact, recognised by its ``event_id``.
    """

    name = "gateway"

    def __init__(
        self,
        settings: Settings,
        *,
        registry: Registry,
        clock: Clock,
        publishers: tuple[Publishes, ...],
        bounds: Bounds,
        tracing: Tracing | None = None,
    ) -> None:
        """``publishers`` replace those that the role connects itself; ``bounds`` limit what callers may use.
        Raises SettingsError if neither links nor reports are configured, or a secret is invalid."""
        super().__init__(registry=registry)
        self._settings = settings
        self._bounds = bounds
        self._tracing = tracing or Tracing()
        self._links = Links.of(settings)
        self._reporters = Reporters.of(settings)
        if self._links is None and self._reporters is None:
            names = "CARELINE_PUBLIC_URL, CARELINE_REPORTERS or CARELINE_CALLBACK_SECRET"
            raise SettingsError(f"{names}: the gateway needs at least one of them")
        self._clock = clock
        self._publishers = publishers
        self._patience = self._patience_with_servers()
        if publishers:
            self._patience.trouble = None
        self._connections = AsyncExitStack()
        self._runner: web.AppRunner | None = None
        self._port: int | None = None

    def missing(self) -> list[str]:
        """What keeps the role from accepting calls."""
        return [] if self._patience.trouble is None else [self._patience.trouble]

    @property
    def port(self) -> int | None:
        """The port of the server; None before the start."""
        return self._port

    async def on_start(self) -> None:
        """Start serving; calls are answered with 503 until the brokers are connected. Raises SettingsError."""
        around = [traced(self._tracing)] if self._tracing.on else []
        app = web.Application(client_max_size=_LARGEST, middlewares=[*around, answered])
        unsubscribe, outcome = KINDS
        app.router.add_get(f"{UNSUBSCRIBE}{{token}}", self._ask)
        app.router.add_post(f"{UNSUBSCRIBE}{{token}}", self._unsubscribe, name=unsubscribe)
        app.router.add_post(CALLBACKS, self._report, name=outcome)
        host, port = self._settings.gateway_host, self._settings.gateway_port
        try:
            runner = await served(app, host=host, port=port, shutdown=_LEAVING, bounds=self._bounds)
        except OSError as error:
            where = f"{host}:{port}: {error}"
            raise SettingsError(f"CARELINE_GATEWAY_HOST, CARELINE_GATEWAY_PORT: cannot listen on {where}") from error
        self._runner = runner
        self._port = int(runner.addresses[0][1])
        log.info("gateway_listens", url=f"http://{host}:{self._port}", unsubscribe=self._links is not None)

    async def on_stop(self) -> None:
        """Answer the calls in flight, then disconnect from the brokers."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()
        await self._connections.aclose()

    @Service.task
    async def _connect(self) -> None:
        if not self._publishers:
            self._publishers = await self._patience.answered(self._publishers_connected) or ()

    async def _publishers_connected(self) -> tuple[Publishes, ...]:
        topics = self._settings.topics
        async with AsyncExitStack() as stack:
            # touchpoints last, because the journeys role acts on them: no action is missing from the measurements
            publishers = [
                await stack.enter_async_context(
                    Publisher(
                        self._settings,
                        registry=self._registry,
                        topic=topic,
                        patience=_PATIENCE,
                        tracing=self._tracing,
                    )
                )
                for topic in (topics.outcomes, topics.touchpoints)
            ]
            self._connections.push_async_exit(stack.pop_all())
        return tuple(publishers)

    # -- calls ------------------------------------------------------------------------------------------------------

    async def _ask(self, call: web.Request) -> web.Response:
        """The page with the button. It changes nothing, because mail programs and virus scanners open every link."""
        link = self._read(call)
        if link is None:
            return self._broken(call)
        return _page(pages.asking(link))

    async def _unsubscribe(self, call: web.Request) -> web.Response:
        """One-click unsubscribe (RFC 8058), by a mail program or the button."""
        await received(call)
        link = self._read(call)
        if link is None:
            return self._broken(call)
        try:
            await self._publish(unsubscribed(link, self._clock.now()))
        except InvalidEvent as error:  # our own link, but an old one whose content breaks the contract
            log.warning("link_not_published", error=error)
            return self._broken(call)
        except Unavailable as error:
            log.warning("not_published", error=error)
            return _page(pages.later(link), status=503)
        return _page(pages.done(link))

    async def _report(self, call: web.Request) -> web.Response:
        """A provider or shop reports the outcome of an outreach."""
        if self._reporters is None:
            return refusal(404, None, "this gateway accepts no reports")
        text = await text_of(call)
        reporter, message_id = self._reporters.heard(text, call)
        outcome = reported(json_of(text), message_id=message_id, now=self._clock.now(), by=reporter.name)
        reporter.check(outcome)
        await self._publish(outcome)
        said = {"event_id": outcome.event_id}
        return web.json_response(said, status=202, headers={"Cache-Control": "no-store"})

    async def _publish(self, outcome: Outcome) -> None:
        """Publish to both topics. Raises InvalidEvent, Unavailable."""
        if not self._publishers:
            raise Unavailable(self._patience.trouble or "stopping")
        for publisher in self._publishers:
            await publisher.publish(outcome)

    def _read(self, call: web.Request) -> Unsubscription | None:
        if self._links is None:
            return None
        try:
            return self._links.read(call.match_info["token"])
        except BadLink:
            return None

    @staticmethod
    def _broken(call: web.Request) -> web.Response:
        return _page(pages.broken(call.headers.get("Accept-Language", "")), status=404)


def _page(html: str, *, status: int = 200) -> web.Response:
    return web.Response(text=html, status=status, content_type="text/html", headers=_PAGE_HEADERS)
