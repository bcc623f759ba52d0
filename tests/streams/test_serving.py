"""Whoever connects to an HTTP port of ours and says nothing, too much or too slowly shuts nobody else out."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
import uvloop
from aiohttp import web

from streams.http.serving import Bounds, body_of, served

SHORT = timedelta(seconds=0.4)
TIGHT = Bounds(first=SHORT, idle=SHORT * 2, body=SHORT, connections=8, per_address=6, header_bytes=4096)
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


class Server:
    """A port with a page that takes no body, one that takes one, and one that takes its time."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.port = 0

    async def page(self, call: web.Request) -> web.Response:
        return web.Response(text="well")

    async def echo(self, call: web.Request) -> web.Response:
        try:
            return web.Response(text=str(len(await body_of(call))))
        except TimeoutError:
            return web.Response(status=408)

    async def slow(self, call: web.Request) -> web.Response:
        await self.go_on.wait()
        return web.Response(text="at last")

    async def fail(self, call: web.Request) -> web.Response:
        raise ZeroDivisionError

    async def connect(self, sent: bytes = b"") -> Line:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(sent)
        await writer.drain()
        return Line(reader, writer)


class Line:
    """One connection to it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def answer(self) -> bytes:
        """Headers and body of the next answer; what there was of it, if the connection ended."""
        try:
            head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 5)
            length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0] or 0)
            return head + await asyncio.wait_for(self.reader.readexactly(length), 5)
        except asyncio.IncompleteReadError as error:
            return error.partial
        except ConnectionError:
            return b""

    async def closed_after(self) -> float:
        """Seconds until the other side hangs up."""
        began = time.monotonic()
        with contextlib.suppress(ConnectionError):
            await asyncio.wait_for(self.reader.read(), 5)
        return time.monotonic() - began


async def started(server: Server, bounds: Bounds) -> web.AppRunner:
    app = web.Application(client_max_size=1000)
    app.router.add_get("/", server.page)
    app.router.add_post("/", server.echo)
    app.router.add_get("/slow", server.slow)
    app.router.add_get("/fail", server.fail)
    runner = await served(app, host="127.0.0.1", port=0, shutdown=timedelta(seconds=1), bounds=bounds)
    server.port = runner.addresses[0][1]
    return runner


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(
    scope="module", params=[asyncio.DefaultEventLoopPolicy, uvloop.EventLoopPolicy], ids=["asyncio", "uvloop"]
)
def event_loop_policy(request: pytest.FixtureRequest) -> Any:
    """The roles run on uvloop, and what embeds a port may run on asyncio's own loop."""
    return request.param()


@pytest_asyncio.fixture(loop_scope="module")
async def server() -> AsyncIterator[Server]:
    one = Server()
    runner = await started(one, TIGHT)
    yield one
    one.go_on.set()
    await runner.cleanup()


@pytest.mark.parametrize("sent", [b"", b"G", GET[:-2], GET + GET[:-2]], ids=["nothing", "a letter", "cut", "second"])
async def test_headers_have_a_time(server: Server, sent: bytes) -> None:
    """Also those of the next call on the same connection."""
    line = await server.connect(sent)
    assert await line.closed_after() < 1.5


async def test_dripping_headers_gain_no_time(server: Server) -> None:
    """A byte now and then does not count as an answer to our patience."""
    line = await server.connect()
    began = time.monotonic()
    with contextlib.suppress(ConnectionError):
        while time.monotonic() - began < 4 and not line.reader.at_eof():
            line.writer.write(b"G" if time.monotonic() - began < 0.1 else b"E")
            await line.writer.drain()
            await asyncio.sleep(0.05)
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("drips", [False, True])
async def test_bodies_have_a_time(server: Server, drips: bool) -> None:
    """408, and the connection is closed; however the body drips."""
    line = await server.connect(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\n")
    began = time.monotonic()
    answer = asyncio.create_task(line.answer())
    while drips and not answer.done():
        line.writer.write(b"x")
        await asyncio.sleep(0.05)
    assert (await answer).startswith(b"HTTP/1.1 408")
    assert await line.closed_after() < 1
    assert time.monotonic() - began < 2


async def test_who_sends_too_much_sees_why(server: Server) -> None:
    """413, also when the body comes after the headers."""
    line = await server.connect(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n")
    await asyncio.sleep(0.05)
    line.writer.write(b"x" * 300_000)
    assert (await line.answer()).startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize("path", [b"/", b"/nowhere"])
async def test_a_body_that_nobody_asked_for_is_not_read(server: Server, path: bytes) -> None:
    """The call is answered, and the sender of a gigabyte is hung up on long before it is through."""
    head = b"GET " + path + b" HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n"
    line = await server.connect(head)
    assert (await line.answer()).startswith(b"HTTP/1.1 200" if path == b"/" else b"HTTP/1.1 404")
    sent = 0
    with contextlib.suppress(ConnectionError):
        while sent < 100_000_000:
            line.writer.write(b"x" * 65_536)
            await line.writer.drain()
            sent += 65_536
    assert sent < 20_000_000


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: " + b"x" * 5_000 + b"\r\n\r\n", b"431"),
        (GET[:-2] + b"".join(b"X%d: %s\r\n" % (n, b"x" * 90) for n in range(50)) + b"\r\n", b"431"),
        (b"GET /?" + b"x" * 5_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", b"431"),
        (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: " + b"x" * 20_000 + b"\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"".join(b"X%d: x\r\n" % n for n in range(200)) + b"\r\n", b"400"),
    ],
    ids=["one", "many", "path", "line", "count"],
)  # fmt: skip
async def test_headers_have_a_size(server: Server, sent: bytes, status: bytes) -> None:
    """Each, their number, and all together with the path."""
    assert (await (await server.connect(sent)).answer()).split()[1] == status


async def test_the_longest_silent_makes_room(server: Server) -> None:
    """Whoever has something to say gets in; of those who say nothing, the one that came first has to go."""
    silent = [await server.connect() for _ in range(TIGHT.per_address)]
    await asyncio.sleep(0.05)
    line = await server.connect(GET)
    assert (await line.answer()).endswith(b"well")
    assert await silent[0].closed_after() < 0.1
    assert not silent[-1].reader.at_eof()


async def test_a_slow_body_makes_room_too(server: Server) -> None:
    """It keeps us waiting as unfinished headers do."""
    for _ in range(TIGHT.per_address):
        await server.connect(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\nx")
    await asyncio.sleep(0.05)
    assert (await (await server.connect(GET)).answer()).endswith(b"well")


async def test_who_is_being_answered_keeps_the_place(server: Server) -> None:
    """With all places in work a new connection is turned away, and every call under way is answered."""
    slow = [await server.connect(GET.replace(b"/ ", b"/slow ", 1)) for _ in range(TIGHT.per_address)]
    await asyncio.sleep(0.05)
    assert await (await server.connect(GET)).answer() == b""
    server.go_on.set()
    for line in slow:
        assert (await line.answer()).endswith(b"at last")
    assert (await (await server.connect(GET)).answer()).endswith(b"well")


async def test_there_is_a_bound_for_all_addresses_together() -> None:
    """Whatever the bound of each."""
    one = Server()
    runner = await started(one, Bounds(connections=3, per_address=100))
    silent = [await one.connect() for _ in range(3)]
    await asyncio.sleep(0.05)
    assert (await (await one.connect(GET)).answer()).endswith(b"well")
    assert await silent[0].closed_after() < 0.1
    await runner.cleanup()


@pytest.mark.parametrize(
    "sent",
    [GET, GET.replace(b"/ ", b"/nowhere ", 1), GET.replace(b"/ ", b"/fail ", 1), GET.replace(b"GET", b"PUT"),
     b"\x16\x03\x01 no http\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 5_000 + b"\r\n\r\n"],
    ids=["200", "404", "500", "405", "400", "431"],
)  # fmt: skip
async def test_no_answer_names_a_product(server: Server, sent: bytes) -> None:
    """Nor its version, whatever is asked."""
    answer = (await (await server.connect(sent)).answer()).lower()
    assert answer.startswith(b"http/1.")
    for name in (b"aiohttp", b"python", b"careline", b"traceback"):
        assert name not in answer


async def test_thousands_of_half_open_calls_shut_nobody_out() -> None:
    """5,000 connections that never finish their headers, while honest calls are answered, each in its turn.

    How long they take: ``python -m tests.benchmarks.half_open``.
    """
    one = Server()
    runner = await started(one, Bounds())
    half_open: list[asyncio.StreamWriter] = []

    async def flood() -> None:
        for _ in range(1_250):
            with contextlib.suppress(ConnectionError):
                half_open.append((await one.connect(GET[:-2])).writer)

    floods = [asyncio.create_task(flood()) for _ in range(4)]
    calls = 0
    while not all(task.done() for task in floods) or calls < 20:
        assert (await (await one.connect(GET)).answer()).endswith(b"well")
        calls += 1
        await asyncio.sleep(0.01)
    await asyncio.gather(*floods)
    for writer in half_open:
        writer.close()
    await runner.cleanup()
    assert len(half_open) > 4_900
