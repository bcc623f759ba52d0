"""Whatever goes wrong in a call costs that call, and is told for what it is: never left, perhaps left, or later."""

from __future__ import annotations

import asyncio
import dataclasses
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import pytest

from processors.letters.templates import Templates
from processors.letters.unsubscribe_links import Links
from processors.outreach.channels.apprise_service import AppriseChannel
from processors.outreach.channels.email import EmailChannel
from processors.outreach.channels.handover import Handover
from processors.outreach.channels.recording import Planned, RecordingChannel
from processors.outreach.channels.webhook import WebhookChannel
from processors.outreach.delivery import Delivery
from processors.outreach.errors import Ambiguous, Refused, TryLater, Unsendable
from processors.outreach.ledger import LedgerLogic
from processors.outreach.recordable import recordable
from processors.outreach.results import Deliver, Delivered, Failed, Postponed, Result, Unknown
from streams.events import Address, FailureReason, OutreachChannel
from streams.http.destinations import Destinations
from streams.processor import Effect, Incoming
from streams.topics import Topics
from tests.outreach.given import NOON, letter, request
from tests.outreach.servers import SECRET, MailSink, MessageService, WebhookReceiver

EMAIL, WEBHOOK, SMS = OutreachChannel.EMAIL, OutreachChannel.WEBHOOK, OutreachChannel.SMS
MAIL = Address(channel=EMAIL, address="ana@mail.example")
HOOK = Address(channel=WEBHOOK, address="https://ana.example/hook")
ODD = [
    RuntimeError("?"), UnicodeDecodeError("utf-8", b"\xe9", 0, 1, "?"), RecursionError(), MemoryError(), KeyError("x"),
    ssl.SSLError("?"), OSError(5, "?"), AssertionError(), StopAsyncIteration(), ExceptionGroup("?", [ValueError()]),
    asyncio.CancelledError(), asyncio.InvalidStateError(), Exception("\ud83d"), TimeoutError(),
]  # fmt: skip


async def deliver(channels: dict[OutreachChannel, Any], *addresses: Address, **options: Any) -> Result:
    delivery = Delivery(
        channels=channels, templates=options.pop("templates", Templates()), links=options.pop("links", None),
        clock=lambda: NOON,
    )  # fmt: skip
    task = Deliver(request=request(addresses=addresses), **options)
    return await delivery.perform(Effect(key="o", lane="c", task=task))


@pytest.mark.parametrize("error", ODD, ids=lambda error: type(error).__name__)
async def test_a_channel_that_breaks_its_promise_may_have_sent_it(error: BaseException) -> None:
    """An exception that no channel may raise: nobody knows, and the next letter goes out."""
    channel = RecordingChannel(provider="mail")
    channel.plan(Planned(error, arrived=True))
    result = await deliver({EMAIL: channel}, MAIL)
    assert isinstance(result, Unknown)
    assert type(error).__name__ in result.detail
    assert isinstance(await deliver({EMAIL: channel}, MAIL), Delivered)


async def test_where_twice_is_once_it_is_asked_again() -> None:
    """The same of an idempotent channel."""
    channel = RecordingChannel(provider="hook", idempotent=True)
    channel.plan(Planned(RuntimeError(), arrived=True))
    result = await deliver({WEBHOOK: channel}, HOOK, MAIL)
    assert isinstance(result, Postponed)
    assert result.perhaps_left


async def test_our_own_end_is_no_result() -> None:
    """A role that stops cancels the call; that is told to nobody as an outcome."""
    started = asyncio.Event()

    class Slow(RecordingChannel):
        async def send(self, letter: Any) -> Any:
            started.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(deliver({EMAIL: Slow()}, MAIL))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("error", [e for e in ODD if isinstance(e, Exception)], ids=lambda error: type(error).__name__)
async def test_a_letter_that_cannot_be_written_has_certainly_not_left(error: Exception) -> None:
    """A fault in its words or its link is told as one; nobody is called."""

    class Broken(Templates):
        def render(self, *_: Any, **__: Any) -> Any:
            raise error

    class Torn(Links):
        def unsubscribe(self, *_: Any, **__: Any) -> Any:
            raise error

    for parts in ({"templates": Broken()}, {"links": Torn(secret="0123456789abcdef", base="https://care.example")}):
        channel = RecordingChannel()
        result = await deliver({EMAIL: channel}, MAIL, **parts)
        assert isinstance(result, Failed)
        assert (result.reason, channel.calls) == (FailureReason.TEMPLATE, [])
        assert isinstance(await deliver({EMAIL: channel}, MAIL, perhaps_by=EMAIL, **parts), Unknown)


@pytest.mark.parametrize("error", ODD, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize(("far", "kind"), [(0, Unsendable), (1, TryLater), (2, Ambiguous)])
async def test_how_far_a_call_had_come_says_what_its_failure_means(
    far: int, kind: type[Exception], error: BaseException
) -> None:
    """Nobody called: the letter is at fault. Called: later. Perhaps left: nobody knows."""

    def fail() -> None:
        with Handover("mail") as call:
            if far:
                call.called()
            if far > 1:
                call.leaving()
            raise error

    with pytest.raises(kind):
        fail()


async def test_a_known_failure_is_left_as_it_is() -> None:
    """Also after the letter may have left: a server's own no is certain."""

    def fail() -> None:
        with Handover("mail") as call:
            call.leaving()
            raise Refused("550")

    with pytest.raises(Refused, match="550"):
        fail()


@asynccontextmanager
async def real(kind: str) -> AsyncIterator[tuple[Any, str, Any]]:
    """A real channel, an address for it, and its server."""
    if kind == "email":
        async with MailSink() as sink:
            mail = EmailChannel(
                url=f"smtp://localhost:{sink.port}", sender="care@careline.example", clock=lambda: datetime.now(UTC)
            )
            yield mail, "ana@mail.example", sink
            await mail.close()
    elif kind == "webhook":
        async with WebhookReceiver() as receiver:
            hook = WebhookChannel(
                secret=SECRET, clock=lambda: datetime.now(UTC), destinations=Destinations.parse("127.0.0.1")
            )
            yield hook, receiver.url, receiver
            await hook.close()
    else:
        async with MessageService() as service:
            sms = AppriseChannel(kind=SMS, url=service.apprise_url, setting="CARELINE_SMS_URL")
            yield sms, "+15555550100", service
            await sms.close()


@pytest.mark.parametrize("kind", ["email", "webhook", "sms"])
async def test_a_letter_that_no_message_can_be_made_of_costs_itself_alone(kind: str) -> None:
    """On every real channel: refused as a fault of ours, nothing arrives, and the next letter does."""
    async with real(kind) as (channel, address, server):
        made = letter(1, address=address, short="short")
        no_text: Any = object()
        with pytest.raises(Ambiguous if kind == "sms" else Unsendable):  # Apprise keeps to itself how far it was
            await channel.send(dataclasses.replace(made, subject=no_text, short=no_text))
        await channel.send(made)
    arrived = server.messages if kind == "email" else list(server.seen)
    assert len(arrived) == 1


@pytest.mark.parametrize("kind", ["email", "webhook", "sms"])
async def test_half_characters_in_a_letter_stop_nothing(kind: str) -> None:
    """A lone surrogate in a name reaches the customer escaped or left out, or costs this letter; never the next."""
    async with real(kind) as (channel, address, _):
        with suppress(Refused, Ambiguous):
            await channel.send(
                letter(1, address=address, subject="a\ud83db", text="a\ud83db\n", html=None, short="a\ud83d")
            )
        await channel.send(letter(2, address=address, short="well"))


def test_every_result_can_be_recorded() -> None:
    """Half characters, control characters, a megabyte: the outcome and the ledger's entry are written all the same."""
    logic = LedgerLogic(topics=Topics(prefix="t."), idempotent={EMAIL: False})
    asked = request(addresses=(MAIL,))
    waiting = logic.receive(_incoming(asked), None, NOON, busy=False).state
    state = logic.wake("o", waiting, NOON, busy=False).state  # it is with the provider
    nasty = "\ud83d\x00\x1b[2J\u202e" + "é" * 1_000_000
    results: list[Result] = [
        Failed(channel=EMAIL, provider=nasty, reason=FailureReason.REJECTED, detail=nasty),
        Unknown(channel=EMAIL, provider=nasty, detail=nasty),
        Postponed(channel=EMAIL, provider=nasty, detail=nasty),
        Delivered(channel=EMAIL, provider=nasty, message_id=nasty),
    ]
    for result in results:
        step = logic.completed("o", state, result, NOON)
        for record in (step.state, *(send.record for send in step.sends)):
            for field in record.__struct_fields__:
                value = getattr(record, field)
                if isinstance(value, str):
                    assert len(value.encode("utf-8")) < 4_000


def _incoming(record: Any) -> Any:
    return Incoming(record=record, value=b"", headers=[])


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("plain", "plain"), ("é ✈ 日本", "é ✈ 日本"), ("\ud83d", "\\ud83d"), ("a\nb\t c ", "a b c"), (b"\xff", "\\xff"),
        ("\x1b[31m", "\\x1b[31m"), ("\u200b\u2066", "\\u200b\\u2066"), ("", ""), ("x" * 501, "x" * 499 + "…"),
    ],
)  # fmt: skip
def test_what_is_recordable(said: str | bytes, kept: str) -> None:
    """Printable, on one line, bounded; what is readable stays readable."""
    assert recordable(said) == kept
