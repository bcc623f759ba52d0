"""Nobody who calls the gateway makes it fail: what is wrong with a call is told, and nothing is stored."""

from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from processors.gateway import metrics
from processors.gateway.role import GatewayRole
from processors.roles import wiring
from streams.clock import SystemClock
from streams.errors import InvalidEvent
from streams.http.serving import Bounds
from streams.publishing.validation import check_outgoing
from streams.registry.registry import InMemoryRegistry
from tests.gateway.test_gateway import SAID, SETTINGS, Gateway
from tests.outreach.servers import SECRET

PLAIN = json.dumps(SAID).encode()
KEY = base64.b64decode(SECRET.removeprefix("whsec_") + "==")


class Strict:
    """The brokers, behind all that the publisher checks."""

    def __init__(self) -> None:
        self.taken: list[Any] = []
        self.error: Exception | None = None

    async def publish(self, event: Any) -> None:
        if self.error is not None:
            raise self.error
        check_outgoing(event, now=SystemClock().now())
        self.taken.append(event)


class Caller:
    """Whoever sends bytes to the gateway."""

    def __init__(self, role: GatewayRole, topic: Strict) -> None:
        self.topic = topic
        self._port = role.port

    async def send(self, sent: bytes) -> tuple[int, dict[str, Any]]:
        """Status and JSON body of the answer; {} where it is none."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        writer.write(sent)
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0] or 0)
        body = await asyncio.wait_for(reader.readexactly(length), 5)
        writer.close()
        said = json.loads(body) if b"application/json" in head else {}
        return int(head.split(b" ")[1]), said

    async def report(
        self,
        body: bytes,
        *,
        name: bytes = b"m1",
        stamp: bytes | None = None,
        signature: bytes | None = None,
        head: bytes = b"",
    ) -> tuple[int, dict[str, Any]]:
        """A signed report of exactly these bytes."""
        stamp = stamp or str(int(time.time())).encode()
        mac = hmac.new(KEY, name + b"." + stamp + b"." + body, hashlib.sha256).digest()
        signature = b"v1," + base64.b64encode(mac) if signature is None else signature
        return await self.send(
            b"POST /callbacks/outcomes HTTP/1.1\r\nHost: a\r\nwebhook-id: %b\r\nwebhook-timestamp: %b\r\n"
            b"webhook-signature: %b\r\n%bContent-Length: %d\r\n\r\n%b" % (name, stamp, signature, head, len(body), body)
        )


@pytest.fixture
async def caller() -> AsyncIterator[Caller]:
    topic = Strict()
    role = wiring.gateway(SETTINGS, registry=InMemoryRegistry(), publishers=(topic,))
    await role.start()
    with capture_logs() as logs:
        yield Caller(role, topic)
    await role.stop()
    assert topic.error is not None or not [one for one in logs if one["log_level"] == "error"], "a caller made it fail"


def said(**changes: Any) -> bytes:
    return json.dumps(SAID | changes).encode()


BODIES: list[tuple[bytes, int, str]] = [
    (b"[" * 5_000 + b"]" * 5_000, 400, "body"),
    (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, 400, "body"),
    (PLAIN[:-1] + b',"detail":' + b"[" * 30_000 + b"]" * 30_000 + b"}", 400, "body"),
    (b'{"outreach_id":' + b"9" * 5_000 + b"}", 400, "body"),
    (PLAIN[:-1] + b',"occurred_at":NaN}', 400, "body"),
    (PLAIN[:-1] + b',"occurred_at":-Infinity}', 400, "body"),
    (PLAIN[:-1] + b',"occurred_at":1e999}', 400, "occurred_at"),
    (PLAIN[:-1] + b',"occurred_at":123456789012345678901234567890}', 400, "occurred_at"),
    (b'{"a":"\xff"}', 400, "body"),
    (b"\xff\xfe{\x00}\x00", 400, "body"),
    (b"", 400, "body"),
    (b"null", 400, "body"),
    (b'"text"', 400, "body"),
    (b"{} {}", 400, "body"),
    (PLAIN[:-1] + b',"kind":"OPENED"}', 400, "kind"),
    (PLAIN[:-1] + b',"\\ud83d":1}', 400, "body"),
    (said(customer_id="\ud83d"), 400, "customer_id"),
    (said(customer_id="a\0b"), 400, "customer_id"),
    (said(customer_id=[]), 400, "customer_id"),
    (said(customer_id="x" * 257), 400, "customer_id"),
    (said(detail={"a": 1}), 400, "detail"),
    (said(detail="\ud83d"), 400, "detail"),
    (said(kind=7), 400, "kind"),
    (said(kind="\ud83d"), 400, "kind"),
    (said(channel=None), 400, "channel"),
    (said(outreach_id=True), 400, "outreach_id"),
    (said(occurred_at="0001-01-01T00:00:00+14:00"), 400, "occurred_at"),
    (said(occurred_at="9999-12-31T23:59:59-14:00"), 400, "occurred_at"),
    (said(occurred_at="0001-01-01T00:00:00Z"), 400, "occurred_at"),
    (said(occurred_at=-1e300), 400, "occurred_at"),
    (said(**{"x" * 3_000: 1}), 400, "x" * 100),
    (b"x" * 100_000, 413, "body"),
]


@pytest.mark.parametrize(("body", "status", "field"), BODIES, ids=range(len(BODIES)))
async def test_a_body_that_is_wrong_is_told_by_its_field(caller: Caller, body: bytes, status: int, field: str) -> None:
    """Nested, huge, not a number, not UTF-8, twice, of another type, at the ends of the calendar: never our fault."""
    answer, told = await caller.report(body)
    assert (answer, told["field"]) == (status, field)
    assert caller.topic.taken == []


@pytest.mark.parametrize(
    ("head", "body", "status", "field"),
    [
        (b"Content-Encoding: gzip\r\n", PLAIN, 400, "body"),
        (b"Content-Encoding: deflate\r\n", PLAIN, 400, "body"),
        (b"Content-Encoding: gzip\r\n", gzip.compress(PLAIN)[:-12], 401, "webhook-signature"),
        (b"Content-Encoding: gzip\r\n", gzip.compress(b"x" * 10_000_000), 413, "body"),
        (b"Content-Encoding: rot13\r\n", PLAIN, 415, "content-encoding"),
        (b"Content-Type: multipart/form-data; boundary=x\r\n", PLAIN, 415, "content-type"),
        (b"Content-Type: text/html\r\n", PLAIN, 415, "content-type"),
        (b"Content-Type: \xff\r\n", PLAIN, 415, "content-type"),
    ],
)
async def test_a_body_that_is_packed_wrongly(caller: Caller, head: bytes, body: bytes, status: int, field: str) -> None:
    """Whatever its headers say of it."""
    answer, told = await caller.report(body, head=head)
    assert (answer, told["field"]) == (status, field)
    assert caller.topic.taken == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"signature": b"junk"}, {"signature": b"v1,%%%"}, {"signature": b"v1,\xe9"}, {"signature": b"v1,a,b"},
        {"signature": b"v1"}, {"signature": b""}, {"stamp": b"nan"}, {"stamp": b"inf"}, {"stamp": b"9" * 400},
        {"stamp": b"now"}, {"name": b"m\xe9"}, {"name": b""}, {"head": b"webhook-id: m2\r\n"},
        {"head": b"webhook-timestamp: 1\r\n"}, {"head": b"Webhook-Signature: v1,a\r\n"},
    ],
    ids=repr,
)  # fmt: skip
async def test_a_signature_that_is_none_is_not_heard(caller: Caller, wrong: dict[str, bytes]) -> None:
    """Malformed, of another time, twice: 401, as for a wrong one."""
    answer, told = await caller.report(PLAIN, **wrong)
    assert answer == 401
    assert told["field"].startswith("webhook-")
    assert caller.topic.taken == []


TOKENS = [
    b"%ff",
    b"%00",
    b"%ed%a0%bd",
    b"a%2fb",
    b"%",
    b"a" * 5_000,
    b"%c3%28.%ff",
    b".eJw.x",
    b".",
    b"%0d%0aX:%20y",
    b"~.~",
]


@pytest.mark.parametrize("method", [b"GET", b"POST"])
@pytest.mark.parametrize("token", TOKENS, ids=range(len(TOKENS)))
async def test_a_link_of_any_bytes_is_none_of_ours(caller: Caller, method: bytes, token: bytes) -> None:
    """404, in whatever language."""
    for language in (b"\xff\xfe", b"../../etc/passwd", b",;=", b"root", b"a-" * 3_500, b"x" * 7_000):
        began = time.process_time()
        answer, _ = await caller.send(
            method + b" /unsubscribe/" + token + b" HTTP/1.1\r\nHost: a\r\nAccept-Language: " + language
            + b"\r\nContent-Length: 0\r\n\r\n"
        )  # fmt: skip
        assert answer == 404
        assert time.process_time() - began < 0.2, "one header keeps everybody waiting"
    assert caller.topic.taken == []


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"PUT /callbacks/outcomes HTTP/1.1\r\nHost: a\r\n\r\n", 405), (b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 404),
        (b"GET /unsubscribe/x?%ff=%zz HTTP/1.1\r\nHost: [\r\n\r\n", 404),
        (b"GET http://[ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET /unsubscribe/x HTTP/1.1\r\nHost: a\r\nx: a\x00b\r\n\r\n", 400),
        (b"POST /callbacks/outcomes HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n", 400),
        (b"POST /callbacks/outcomes HTTP/1.1\r\nHost: a\r\nExpect: 200-x\r\nContent-Length: 0\r\n\r\n", 417),
    ],
)  # fmt: skip
async def test_what_is_hardly_http_is_the_callers_fault(caller: Caller, sent: bytes, status: int) -> None:
    """4xx."""
    answer, _ = await caller.send(sent)
    assert answer == status


async def test_a_fault_of_ours_is_ours() -> None:
    """500, in the log with its traceback, counted; and the next call is answered."""
    topic = Strict()
    topic.error = ZeroDivisionError("ours")
    role = wiring.gateway(SETTINGS, registry=InMemoryRegistry(), publishers=(topic,))
    await role.start()
    caller = Caller(role, topic)
    counted = metrics.GATEWAY_CALLS.labels(kind="outcome", status="500")
    before = counted._value.get()
    with capture_logs() as logs:
        answer, told = await caller.report(PLAIN)
    assert answer == 500
    assert "ours" not in told["error"].split(), "what it was stays in the log"
    assert counted._value.get() == before + 1
    assert [one["event"] for one in logs if one["log_level"] == "error"] == ["gateway_failed"]
    path = Gateway.path().encode()
    answer, _ = await caller.send(b"POST " + path + b" HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
    assert answer == 500
    topic.error = None
    assert (await caller.report(PLAIN))[0] == 202
    await role.stop()


async def test_every_way_to_be_wrong_is_counted(caller: Caller) -> None:
    """By kind and status, also what never reached a handler's end."""
    for status, body in ((400, b"{"), (413, b"x" * 100_000)):
        counted = metrics.GATEWAY_CALLS.labels(kind="outcome", status=str(status))
        before = counted._value.get()
        await caller.report(body)
        assert counted._value.get() == before + 1


async def test_an_event_that_the_contract_refuses_names_its_field(caller: Caller) -> None:
    """By the publisher, after everything else was well."""
    caller.topic.error = InvalidEvent("customer_id", "is wrong")
    assert await caller.report(PLAIN) == (400, {"error": "customer_id: is wrong", "field": "customer_id"})


@pytest.mark.parametrize("path", [b"/callbacks/outcomes", b"/unsubscribe/x"])
async def test_who_hangs_up_in_the_middle_is_no_fault_of_ours(caller: Caller, path: bytes) -> None:
    """Nothing is stored, and nothing is noted as an error."""
    for _ in range(3):
        _, writer = await asyncio.open_connection("127.0.0.1", caller._port)
        writer.write(b"POST " + path + b" HTTP/1.1\r\nHost: a\r\nContent-Length: 500\r\n\r\n{")
        await writer.drain()
        await asyncio.sleep(0.02)
        writer.transport.abort()
    await asyncio.sleep(0.05)
    assert caller.topic.taken == []


@pytest.mark.parametrize("name", [b"Content-Type: application/json", b"Content-Encoding: identity"])
async def test_a_header_that_is_there_twice_is_told(caller: Caller, name: bytes) -> None:
    """Of two nobody could say which one counts."""
    field, _, other = name.partition(b": ")
    assert (await caller.report(PLAIN, head=b"%b: %b\r\n%b: gzip\r\n" % (field, other, field)))[0] in (400, 415)
    assert caller.topic.taken == []


@pytest.mark.parametrize("path", [b"/callbacks/outcomes", b"/unsubscribe/x"])
async def test_a_body_that_does_not_come_is_waited_for_no_longer(path: bytes) -> None:
    """408, in words, and the place is free for somebody else."""
    role = wiring.gateway(
        SETTINGS, registry=InMemoryRegistry(), publishers=(Strict(),), bounds=Bounds(body=timedelta(seconds=0.2))
    )
    await role.start()
    began = time.monotonic()
    answer, told = await Caller(role, Strict()).send(
        b"POST " + path + b" HTTP/1.1\r\nHost: a\r\nContent-Length: 500\r\n\r\n{"
    )
    assert (answer, told["field"]) == (408, "body")
    assert time.monotonic() - began < 2
    await role.stop()
