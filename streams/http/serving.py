"""The HTTP server of all our ports: with time limits, bounds on size and connections, and no product name.

Idle connections shut nobody out. At the limit of connections, the one whose request we have waited for longest is
closed to make room; a new connection is refused only if all others are being answered.
"""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv6Address, ip_address
from typing import Any, cast

from aiohttp import web
from aiohttp.typedefs import Handler
from aiohttp.web_request import BaseRequest

from streams import metrics
from streams.durations import whole_millis

_LINGER = 1024 * 1024  # bytes read of a body that is too large, so that its sender sees the answer
_BACKLOG = 1024
_PEER_GONE = timedelta(seconds=30)  # without reading any of the answer
_SAME_PLACE = 64  # bits of an IPv6 address that identify one customer of an internet provider


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Limits for clients. ``first``: time until the headers of the first request are complete; ``idle``: until those of
    the next one on the same connection are, longer than the proxies before us keep theirs; ``body``: until a body
    is complete."""

    first: timedelta = timedelta(seconds=10)
    idle: timedelta = timedelta(seconds=75)
    body: timedelta = timedelta(seconds=10)
    connections: int = 500
    per_address: int = 200
    header_bytes: int = 16 * 1024
    headers: int = 64


async def served(app: web.Application, *, host: str, port: int, shutdown: timedelta, bounds: Bounds) -> web.AppRunner:
    """Start listening; the returned runner's ``cleanup`` stops the server within ``shutdown``. Raises OSError."""
    app.middlewares.insert(0, _bounded)
    app.on_response_prepare.append(_without_banner)
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=shutdown.total_seconds())
    await runner.setup()
    try:
        await _Site(runner, host=host, port=port, bounds=bounds).start()
    except OSError:
        await runner.cleanup()
        raise
    return runner


async def body_of(call: BaseRequest) -> bytes:
    """The body of a call to a path that accepts one. Raises TimeoutError if it is not complete in time, and whatever
    aiohttp's ``read`` raises."""
    connection = call.protocol
    assert isinstance(connection, _Connection)
    with connection.waiting():
        async with asyncio.timeout(connection.bounds.body.total_seconds()):
            try:
                return await call.read()
            except web.HTTPRequestEntityTooLarge:
                await _linger(call)
                raise


async def _linger(call: BaseRequest) -> None:
    left = _LINGER
    while left > 0 and not call.content.at_eof():
        left -= len(await call.content.readany())


class _Room:
    """The open connections, and those whose request we wait for, longest wait first."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._by_place: dict[str, set[_Connection]] = {}
        self._waiting: dict[_Connection, None] = {}
        self._count = 0

    def enter(self, one: _Connection) -> bool:
        """Whether there is room for ``one``; closes a waiting connection if necessary."""
        here = self._by_place.get(one.place, set())
        if len(here) >= self._bounds.per_address and not self._make_room(one.place):
            return False
        if self._count >= self._bounds.connections and not self._make_room(None):
            return False
        self._by_place.setdefault(one.place, set()).add(one)
        self._count += 1
        self._waiting[one] = None
        return True

    def leave(self, one: _Connection) -> None:
        """Forget a connection; no effect if it has left already."""
        self._waiting.pop(one, None)
        here = self._by_place.get(one.place, set())
        if one in here:
            here.remove(one)
            self._count -= 1
        if not here:
            self._by_place.pop(one.place, None)

    def waits(self, one: _Connection) -> None:
        """We wait for the client from now on."""
        self._waiting.pop(one, None)
        if one in self._by_place.get(one.place, set()):
            self._waiting[one] = None

    def works(self, one: _Connection) -> None:
        """Its request is being answered."""
        self._waiting.pop(one, None)

    def _make_room(self, place: str | None) -> bool:
        longest = next((one for one in self._waiting if place in (None, one.place)), None)
        if longest is None:
            metrics.CONNECTIONS_CLOSED.labels(why="refused").inc()
            return False
        metrics.CONNECTIONS_CLOSED.labels(why="made_room").inc()
        self.leave(longest)
        if longest.transport is not None:
            longest.transport.abort()
        return True


class _Waiting:
    """A context in which we wait for the client in the middle of a call."""

    def __init__(self, room: _Room, one: _Connection) -> None:
        self._room = room
        self._one = one

    def __enter__(self) -> None:
        self._room.waits(self._one)

    def __exit__(self, *exc: object) -> None:
        self._room.works(self._one)


class _Connection(web.RequestHandler):
    """aiohttp's connection, counted in a :class:`_Room`."""

    def __init__(self, server: web.Server, *, room: _Room, bounds: Bounds, **kwargs: Any) -> None:
        super().__init__(
            server,
            keepalive_timeout=bounds.idle.total_seconds(),  # from an answer until the next headers are complete
            lingering_time=0,  # unwanted bodies are not read
            max_headers=bounds.headers,
            access_log=None,  # type: ignore[arg-type]  # as the runner passes it
            **kwargs,
        )
        self._room = room
        self.bounds = bounds
        self.place = ""
        self._until_first: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.place = _place(transport.get_extra_info("peername"))
        both_ways = cast("asyncio.Transport", transport)  # uvloop's class does not inherit from it
        if not self._room.enter(self):
            both_ways.abort()
            return
        _give_up_on_the_gone(both_ways)
        patience = self.bounds.first.total_seconds()
        self._until_first = asyncio.get_running_loop().call_later(patience, both_ways.abort)
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._room.leave(self)
        self._first_is_whole()
        super().connection_lost(exc)

    def handle_error(
        self,
        request: BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer invalid HTTP with the status alone, and do not log it."""
        if status >= 500 or request.writer.output_size > 0:
            return super().handle_error(request, status, exc, message)
        answer = web.Response(status=status, text=f"{status}", headers={"Server": "http"})
        answer.force_close()
        return answer

    def waiting(self) -> _Waiting:
        """A context in which we wait for the client."""
        return _Waiting(self._room, self)

    def works(self) -> None:
        """Its request is being answered."""
        self._first_is_whole()
        self._room.works(self)

    def waits(self) -> None:
        """Its request was answered."""
        self._room.waits(self)

    def _first_is_whole(self) -> None:
        if self._until_first is not None:
            self._until_first.cancel()
            self._until_first = None


class _Site(web.BaseSite):
    """A TCP port that creates our connections."""

    def __init__(self, runner: web.AppRunner, *, host: str, port: int, bounds: Bounds) -> None:
        super().__init__(runner, backlog=_BACKLOG)
        self._host = host
        self._port = port
        self._bounds = bounds

    @property
    def name(self) -> str:
        return f"http://{self._host}:{self._port}"

    async def start(self) -> None:
        await super().start()
        loop, room, server = asyncio.get_running_loop(), _Room(self._bounds), self._runner.server
        assert server is not None

        def connection() -> _Connection:
            return _Connection(server, room=room, bounds=self._bounds, loop=loop)

        self._server = await loop.create_server(connection, self._host, self._port, backlog=_BACKLOG)


@web.middleware
async def _bounded(request: web.Request, handler: Handler) -> web.StreamResponse:
    connection = request.protocol
    assert isinstance(connection, _Connection)
    said = len(request.raw_path) + sum(len(name) + len(value) for name, value in request.raw_headers)
    if said > connection.bounds.header_bytes:
        raise web.HTTPRequestHeaderFieldsTooLarge
    connection.works()
    try:
        return await handler(request)
    finally:
        connection.waits()


async def _without_banner(call: web.Request, answer: web.StreamResponse) -> None:
    answer.headers.pop("Server", None)


def _place(peer: Any) -> str:
    """The origin of a connection: its IPv4 address, or the /64 network of its IPv6 address."""
    try:
        address = ip_address(str(peer[0]).partition("%")[0])
    except (TypeError, IndexError, ValueError):
        return ""
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or int(address) >> _SAME_PLACE)
    return str(address)


def _give_up_on_the_gone(transport: asyncio.Transport) -> None:
    """Drop a client that reads nothing of an answer. On Linux only; elsewhere TCP's own timeout applies."""
    connected = transport.get_extra_info("socket")
    if connected is not None and hasattr(socket, "TCP_USER_TIMEOUT"):
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, whole_millis(_PEER_GONE))
