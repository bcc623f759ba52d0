"""Signed webhooks, against a receiver that checks them with the standard's own library."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from ipaddress import ip_address
from typing import Any

import pytest

from processors.outreach.channels.webhook import WebhookChannel, retry_after
from processors.outreach.errors import Ambiguous, Refused, TryLater
from streams.errors import SettingsError
from streams.events.types import Gesture
from streams.http.destinations import STRICT, Destinations
from tests.outreach.given import NOON, letter, outreach_id
from tests.outreach.servers import SECRET, WebhookReceiver


def now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def hooked(**options: Any) -> AsyncIterator[tuple[WebhookReceiver, WebhookChannel]]:
    given: dict[str, Any] = {
        "secret": SECRET,
        "timeout": timedelta(seconds=1),
        "destinations": Destinations.parse("127.0.0.1"),
        **options,
    }
    async with WebhookReceiver() as receiver:
        channel = WebhookChannel(clock=now, **given)
        yield receiver, channel
        await channel.close()


async def test_the_receiver_gets_the_letter_signed() -> None:
    """The signature holds, the id is the outreach's, and the body says all that a receiver needs."""
    gesture = Gesture(code="wifi", title="Free wifi", cost=Decimal("2.50"), currency="USD", link="https://c.example/w")
    async with hooked() as (receiver, channel):
        receipt = await channel.send(letter(1, address=receiver.url, gesture=gesture, revises=outreach_id(9)))
    assert receipt.message_id == outreach_id(1)
    content = receiver.seen[outreach_id(1)]
    assert content["type"] == "careline.outreach"
    assert content["timestamp"] == NOON.isoformat()
    data = content["data"]
    assert data["customer_id"] == "customer-7"
    assert data["revises"] == outreach_id(9)
    assert data["gesture"] == {"code": "wifi", "title": "Free wifi", "link": "https://c.example/w"}
    assert data["useful_until"] == (NOON + timedelta(hours=3)).isoformat()
    assert data["text"].startswith("Hello Ana")


async def test_a_receiver_with_another_secret_turns_it_away() -> None:
    """The check on the other side is real: a wrong secret is a 401, and that is a final no."""
    async with hooked(secret="whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA") as (receiver, channel):
        with pytest.raises(Refused, match="401"):
            await channel.send(letter(address=receiver.url))
    assert receiver.seen == {}


async def test_sent_again_it_is_the_same_bytes() -> None:
    """A second attempt differs in nothing but the time of its signature."""
    async with hooked() as (receiver, channel):
        await channel.send(letter(address=receiver.url))
        await channel.send(letter(address=receiver.url))
    first, second = receiver.bodies
    assert first == second
    assert json.loads(first)["data"]["outreach_id"] == outreach_id(1)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("400", Refused), ("401", Refused), ("404", Refused), ("410", Refused), ("301", Refused), ("307", Refused),
        ("408", TryLater), ("425", TryLater), ("429", TryLater), ("500", TryLater), ("503", TryLater),
    ],
)  # fmt: skip
async def test_each_status_says_what_to_do(answer: str, error: type[Exception]) -> None:
    """4xx and 3xx are a final no, 429 and 5xx are for later."""
    async with hooked() as (receiver, channel):
        receiver.next.append(answer)
        with pytest.raises(error, match=answer):
            await channel.send(letter(address=receiver.url))
        assert receiver.calls == 1


async def test_a_redirect_is_not_followed() -> None:
    """A letter goes to the address that was given and to no other."""
    async with hooked() as (receiver, channel):
        receiver.next.append(f"307 Location: {receiver.url}/elsewhere")
        with pytest.raises(Refused, match="307"):
            await channel.send(letter(address=receiver.url))
        assert receiver.calls == 1


async def test_the_receiver_s_wish_to_wait_is_kept() -> None:
    """Retry-After is handed on."""
    async with hooked() as (receiver, channel):
        receiver.next.append("429 Retry-After: 7")
        with pytest.raises(TryLater) as later:
            await channel.send(letter(address=receiver.url))
    assert later.value.retry_after == timedelta(seconds=7)


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        (None, None),
        ("soon", None),
        ("-3", None),
        ("0", timedelta()),
        ("120", timedelta(minutes=2)),
        ("99999999999999999999", timedelta(days=1)),
        ("Sun, 08 Feb 2026 12:01:00 GMT", timedelta(minutes=1)),
        ("Sun, 08 Feb 2026 11:00:00 GMT", timedelta()),
    ],
)
def test_retry_after_in_all_its_forms(header: str | None, wait: timedelta | None) -> None:
    """Seconds or a date; never negative, never more than a day, and nonsense is no wish at all."""
    assert retry_after(header, NOON) == wait


@pytest.mark.parametrize("failure", ["hang", "drop"])
async def test_no_answer_after_the_letter_is_ambiguous(failure: str) -> None:
    """The receiver had the letter; sent again, it knows it by its id."""
    async with hooked() as (receiver, channel):
        receiver.next.append(failure)
        with pytest.raises(Ambiguous, match="had the letter"):
            await channel.send(letter(address=receiver.url))
        await channel.send(letter(address=receiver.url))
    assert list(receiver.seen) == [outreach_id(1)]
    assert receiver.calls == 2


async def test_nobody_listening_is_later(unused_tcp_port: int) -> None:
    """A receiver that is down has certainly not taken the letter."""
    async with hooked() as (_, channel):
        with pytest.raises(TryLater, match="cannot be reached"):
            await channel.send(letter(address=f"http://127.0.0.1:{unused_tcp_port}/"))


async def test_a_server_without_tls_gets_nothing() -> None:
    """https:// to a server that does not speak it fails before the letter is sent."""
    async with hooked() as (receiver, channel):
        with pytest.raises(TryLater, match="cannot be reached"):
            await channel.send(letter(address=receiver.url.replace("http:", "https:")))
    assert receiver.calls == 0


async def test_a_receiver_that_never_says_hello_is_later() -> None:
    """A TLS handshake that hangs is bounded, and nothing was sent."""
    released = asyncio.Event()

    async def silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await released.wait()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with hooked(timeout=timedelta(seconds=0.5)) as (_, channel):
        with pytest.raises(TryLater, match="cannot be reached"):
            await channel.send(letter(address=f"https://127.0.0.1:{port}/"))
    released.set()
    server.close()


INSIDE = [
    "127.0.0.1", "127.9.9.9", "10.0.0.5", "172.31.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
    "224.0.0.1", "255.255.255.255", "198.18.0.1", "::1", "::", "fe80::1", "fd00:ec2::254", "fc00::1", "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.5", "::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::", "2002:a00:5::1",
    "2001:0:1::1", "2001:db8::1", "::ffff:0:127.0.0.1", "2606:4700::5efe:10.0.0.5",
]  # fmt: skip


@pytest.mark.parametrize("inside", INSIDE)
async def test_no_letter_goes_to_an_address_inside(inside: str) -> None:
    """Not as it is written, and not as what a name resolves to: nobody is called."""
    written = f"[{inside}]" if ":" in inside else inside
    resolved_to = ip_address(inside)

    async def resolve(host: str, port: int) -> list[Any]:
        return [resolved_to]

    async with hooked(destinations=STRICT, resolve=resolve) as (_, channel):
        for address in (f"https://{written}/", f"https://{written}:8443/", "https://receiver.example/"):
            with pytest.raises(Refused, match="not public"):
                await channel.send(letter(address=address))


async def test_a_name_that_changes_its_mind_leads_nowhere() -> None:
    """Public at first and inside a moment later: the connection goes to what was checked, or not at all."""
    answers = iter([["203.0.114.1", "127.0.0.1"], ["127.0.0.1"], ["::1"]])
    met = 0

    async def meet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal met
        met += 1
        writer.close()

    async def resolve(host: str, port: int) -> list[Any]:
        return [ip_address(one) for one in next(answers)]

    server = await asyncio.start_server(meet, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with hooked(destinations=STRICT, resolve=resolve) as (_, channel):
        for _ in range(3):
            with pytest.raises(Refused, match="not public"):
                await channel.send(letter(address=f"https://receiver.example:{port}/"))
    server.close()
    assert met == 0


async def test_the_connection_goes_to_the_address_that_was_checked() -> None:
    """The name is resolved once, by us; the receiver sees its own name."""
    asked = []

    async def resolve(host: str, port: int) -> list[Any]:
        asked.append(host)
        return [ip_address("127.0.0.1")]

    async with hooked(destinations=Destinations.parse("receiver.example"), resolve=resolve) as (receiver, channel):
        await channel.send(letter(address=receiver.url.replace("127.0.0.1", "receiver.example")))
        assert receiver.hosts == [receiver.url.split("/")[2].replace("127.0.0.1", "receiver.example")]
    assert asked == ["receiver.example"]
    assert list(receiver.seen) == [outreach_id(1)]


@pytest.mark.parametrize("address", ["http://receiver.example/", "https://10.0.0.5/"])
async def test_what_is_allowed_is_allowed_alone(address: str) -> None:
    """Opening one host opens no other."""
    async with hooked(destinations=Destinations.parse("localhost, 127.0.0.1, 10.1.0.0/16")) as (_, channel):
        with pytest.raises(Refused):
            await channel.send(letter(address=address))


async def test_a_name_that_nobody_has_is_later() -> None:
    """Names come back."""

    async def resolve(host: str, port: int) -> list[Any]:
        raise OSError(-2, "Name or service not known")

    async with hooked(destinations=STRICT, resolve=resolve) as (_, channel):
        with pytest.raises(TryLater, match="cannot be resolved"):
            await channel.send(letter(address="https://receiver.example/"))


async def test_many_that_are_refused_use_up_no_connection() -> None:
    """A hundred addresses inside, and the receiver still gets its letter."""

    async def resolve(host: str, port: int) -> list[Any]:
        return [ip_address("10.0.0.5" if host == "inside.example" else "127.0.0.1")]

    allowed = Destinations.parse("127.0.0.1")
    async with hooked(destinations=allowed, resolve=resolve, connections=2) as (receiver, channel):
        for _ in range(100):
            with pytest.raises(Refused):
                await channel.send(letter(address="https://inside.example/"))
        await channel.send(letter(address=receiver.url))
    assert receiver.calls == 1


@pytest.mark.parametrize(
    "address",
    [
        "", "ana@mail.example", "http://receiver.example/", "http://10.0.0.1/", "http://127.0.0.1.evil.example/",
        "ftp://receiver.example/", "https://", "https:///path", "https://user:pw@receiver.example/", "https://@receiver.example",
        "//receiver.example", "https://receiver.example/\r\nx: y", "https://receiver.example:99999/", "https://localhost/",
        "https://intranet/", "https://a.internal/", "https://127.1/", "https://2130706433/", "https://0x7f000001/",
        "https://receiver.example:25/", "https://receiver.example\\@127.0.0.1/", "https://127.0.0.1%2f@receiver.example/",
        "https://１２７.0.0.1/", "https://receiver.example/" + "x" * 2_048, "file:///etc/passwd", "https://[::1", "https://[v1.x]/",
    ],
)  # fmt: skip
async def test_only_https_to_a_public_host(address: str) -> None:
    """A letter never crosses a network unencrypted, nor goes where the address is not plain."""
    async with hooked() as (_, channel):
        with pytest.raises(Refused):
            await channel.send(letter(address=address))


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_é"])
def test_a_wrong_secret_is_named(secret: str) -> None:
    """The setting is named, its value is not shown."""
    with pytest.raises(SettingsError, match="CARELINE_WEBHOOK_SECRET"):
        WebhookChannel(secret=secret, clock=now)
