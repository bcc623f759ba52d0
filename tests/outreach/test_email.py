"""E-mail over SMTP, against a real mail server in this process."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import trustme

from processors.outreach.channels.email import EmailChannel
from processors.outreach.channels.smtp import MailServer
from processors.outreach.errors import Ambiguous, Refused, TryLater
from streams.errors import SettingsError
from tests.outreach.given import NOON, letter, outreach_id
from tests.outreach.servers import MailSink

MakeChannel = Callable[..., EmailChannel]
BIG = "x" * 900 + "\n"


def channel_to(sink: MailSink, *, scheme: str = "smtp", who: str = "", query: str = "", **options: Any) -> EmailChannel:
    options = {"timeout": timedelta(seconds=5), "patience": timedelta(seconds=1)} | options
    return EmailChannel(
        url=f"{scheme}://{who}localhost:{sink.port}{query}",
        sender="Careline <care@careline.example>",
        clock=lambda: NOON,
        **options,
    )


@asynccontextmanager
async def mail(**options: Any) -> AsyncIterator[tuple[MailSink, EmailChannel]]:
    async with MailSink() as sink:
        channel = channel_to(sink, **options)
        yield sink, channel
        await channel.close()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    return context


@pytest.fixture
def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


async def test_the_letter_as_the_customer_gets_it() -> None:
    """Text and HTML, from us, to the customer, dated by the clock it was given, named after its outreach."""
    async with mail(reply_to="People who care <people@careline.example>") as (sink, channel):
        await channel.send(letter(1, subject="Ihr Flug verspätet sich ✈", revises=outreach_id(9), locale="de-DE"))
    (message,) = sink.messages
    assert sink.recipients == ["ana@mail.example"]
    assert message["From"] == "Careline <care@careline.example>"
    assert message["To"] == "ana@mail.example"
    assert message["Subject"] == "Ihr Flug verspätet sich ✈"
    assert message["Reply-To"] == "People who care <people@careline.example>"
    assert message["Message-ID"] == f"<{outreach_id(1)}@careline.example>"
    assert message["Careline-Outreach-Id"] == outreach_id(1)
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["References"] == message["In-Reply-To"] == f"<{outreach_id(9)}@careline.example>"
    assert parsedate_to_datetime(message["Date"]) == NOON
    assert message.get_content_type() == "multipart/alternative"
    text, html = message.iter_parts()
    assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert "your flight is running late" in text.get_content()
    assert "<p>Hello Ana,</p>" in html.get_content()


async def test_a_line_that_begins_with_a_dot_arrives_whole() -> None:
    """A dot alone on a line would end the letter in SMTP; the customer sees it as it was written."""
    async with mail() as (sink, channel):
        await channel.send(letter(text="before\n.\n..\n.after\n", html=None))
    assert b"\r\n..\r\n.after\r\n" in sink.raw[0]
    assert sink.messages[0].get_content().splitlines() == ["before", ".", "..", ".after"]


@pytest.mark.parametrize("stage", ["at-mail", "at-rcpt", "at-data", "after-dot"])
@pytest.mark.parametrize(("answer", "error"), [("451 busy", TryLater), ("550 no", Refused)])
async def test_the_servers_own_no_is_understood_at_every_step(stage: str, answer: str, error: type[Exception]) -> None:
    """4xx is later and 5xx is never, whenever it is said; the next letter goes out, over the same connection unless the
    server took no letter on it at all."""
    async with mail() as (sink, channel):
        sink.next.append(f"{stage} {answer}")
        with pytest.raises(error, match=answer):
            await channel.send(letter(1))
        assert sink.messages == []
        await channel.send(letter(2))
    assert [each["Careline-Outreach-Id"] for each in sink.messages] == [outreach_id(2)]
    assert sink.connections == (2 if (stage, error) == ("at-mail", TryLater) else 1)


@pytest.mark.parametrize("failure", ["drop-in-body", "stall-in-body"])
async def test_lost_before_the_final_dot_is_later(failure: str) -> None:
    """The server never saw the end of the letter, so it must not deliver it: certain, and safe to send again."""
    async with mail() as (sink, channel):
        sink.next.append(failure)
        with pytest.raises(TryLater, match="before the letter was complete"):
            await channel.send(letter(1, text=BIG * 12_000))
        sink.released.set()
        await channel.send(letter(2))
    assert [each["Careline-Outreach-Id"] for each in sink.messages] == [outreach_id(2)]


@pytest.mark.parametrize("failure", ["drop-after-dot", "hang-after-dot", "after-dot 354 what?", "after-dot hello"])
async def test_lost_between_the_dot_and_the_answer_is_ambiguous(failure: str) -> None:
    """The server had it all and may have delivered it: nobody knows, and nothing else is claimed."""
    async with mail() as (sink, channel):
        sink.next.append(failure)
        with pytest.raises(Ambiguous, match="had the letter"):
            await channel.send(letter(1))
        sink.next.clear()
        await channel.send(letter(2))
    assert sink.messages[-1]["Careline-Outreach-Id"] == outreach_id(2)


@pytest.mark.parametrize("failure", ["drop-at-mail", "at-mail 421 closing"])
async def test_a_connection_that_went_stale_costs_no_letter(failure: str) -> None:
    """A kept connection that dies before the letter is replaced at once; a fresh one that dies is TryLater."""
    async with mail() as (sink, channel):
        await channel.send(letter(1))
        sink.next.append(failure)
        await channel.send(letter(2))
        assert sink.connections == 2
        sink.next += [failure, failure]
        with pytest.raises(TryLater):
            await channel.send(letter(3))
    assert [each["Careline-Outreach-Id"] for each in sink.messages] == [outreach_id(1), outreach_id(2)]


async def test_connections_are_kept_and_few() -> None:
    """Forty letters at once go over no more connections than allowed, and forty more over the same ones."""
    async with mail(connections=3) as (sink, channel):
        for start in (0, 40):
            await asyncio.gather(*(channel.send(letter(start + number)) for number in range(40)))
    assert len(sink.messages) == 80
    assert sink.connections <= 3


async def test_a_task_that_is_cancelled_leaves_no_half_conversation_behind() -> None:
    """Shutting down while a server is silent: the next letter starts on a clean connection."""
    async with mail(patience=timedelta(seconds=30)) as (sink, channel):
        sink.next.append("hang-after-dot")
        sending = asyncio.create_task(channel.send(letter(1)))
        await asyncio.wait_for(sink.delivered.wait(), 5)
        sending.cancel()
        with suppress(asyncio.CancelledError):
            await sending
        await channel.send(letter(2))
    assert sink.messages[-1]["Careline-Outreach-Id"] == outreach_id(2)


async def test_nobody_listening_is_later(unused_tcp_port: int) -> None:
    """A mail server that is down has certainly not taken the letter."""
    channel = EmailChannel(
        url=f"smtp://127.0.0.1:{unused_tcp_port}", sender="care@careline.example", clock=lambda: NOON
    )
    with pytest.raises(TryLater, match="no connection"):
        await channel.send(letter())


@pytest.mark.parametrize(("scheme", "query"), [("smtps", ""), ("smtp", "?starttls")])
async def test_encrypted_where_asked(
    server_tls: ssl.SSLContext, trusting: ssl.SSLContext, scheme: str, query: str
) -> None:
    """smtps:// and ?starttls carry the letter over TLS."""
    async with MailSink(tls=server_tls, starttls=bool(query)) as sink:
        channel = channel_to(sink, scheme=scheme, query=query, tls=trusting)
        await channel.send(letter())
        await channel.close()
    assert sink.over_tls == [True]


@pytest.mark.parametrize(("scheme", "query"), [("smtps", ""), ("smtp", "?starttls")])
async def test_no_letter_to_a_server_that_cannot_prove_its_name(
    server_tls: ssl.SSLContext, scheme: str, query: str
) -> None:
    """A certificate nobody vouches for: nothing is sent."""
    async with MailSink(tls=server_tls, starttls=bool(query)) as sink:
        with pytest.raises(TryLater, match="no connection"):
            await channel_to(sink, scheme=scheme, query=query).send(letter())
    assert sink.messages == []


async def test_no_falling_back_to_clear_text() -> None:
    """A server that offers no STARTTLS gets no letter where it was asked for."""
    async with MailSink() as sink:
        with pytest.raises(TryLater, match="no connection"):
            await channel_to(sink, query="?starttls").send(letter())
    assert sink.messages == []


async def test_logs_in_with_the_url_s_password() -> None:
    """User and password come from the URL, percent-encoded; a wrong one sends nothing."""
    async with MailSink(password="p@ss/word") as sink:
        channel = channel_to(sink, who="care:p%40ss%2Fword@")
        await channel.send(letter())
        await channel.close()
        with pytest.raises(TryLater, match="no connection") as wrong:
            await channel_to(sink, who="care:secret-guess@").send(letter())
        assert "secret-guess" not in str(wrong.value)
    assert len(sink.messages) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost",
        "smtp://",
        "smtp://host:notaport",
        "smtp://host/path",
        "smtp://host?tls",
        "smtps://host?starttls",
        "smtp://care:hunter2@mail.example:25",
    ],
)
def test_a_wrong_url_is_named_without_its_password(url: str) -> None:
    """The setting is named; a password is neither shown nor ever sent in the clear."""
    with pytest.raises(SettingsError, match="CARELINE_SMTP_URL") as error:
        MailServer.parse(url)
    assert "hunter2" not in str(error.value)


def test_the_usual_ports() -> None:
    """25, 465 with smtps://, 587 with ?starttls."""
    urls = ("smtp://h", "smtps://h", "smtp://h?starttls", "smtp://[::1]:1025")
    assert [MailServer.parse(url).port for url in urls] == [25, 465, 587, 1025]
    assert "hunter2" not in repr(MailServer.parse("smtps://care:hunter2@h"))


@pytest.mark.parametrize("sender", ["", "nobody", "Care <care@>", "a@b.example\nBcc: c@d.example <x>"])
def test_a_wrong_sender_is_named(sender: str) -> None:
    """The setting is named when the channel is built, not when the first letter fails."""
    with pytest.raises(SettingsError, match="CARELINE_MAIL_FROM"):
        EmailChannel(url="smtp://localhost", sender=sender, clock=lambda: NOON)
