"""A mail server may say anything: it costs the letter that it was said to, and what was said is kept."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from processors.outreach.channels.email import EmailChannel
from processors.outreach.channels.protection import ProtectedChannel, Threshold
from processors.outreach.channels.smtp import ConnectionGone
from processors.outreach.errors import Ambiguous, ChannelError, CircuitOpen, Refused, TryLater
from tests.outreach.given import NOON, letter, outreach_id
from tests.outreach.servers import RawMailServer

LATIN = "Empfänger unbekannt".encode("latin-1")


@asynccontextmanager
async def mail(most: int | None = None, full: bytes = b"450 enough\r\n", who: str = "", **given: Any) -> AsyncIterator[
    tuple[RawMailServer, EmailChannel]
]:  # fmt: skip
    says = {"." if verb == "dot" else verb: given.pop(verb) for verb in list(given) if verb in _VERBS}
    async with RawMailServer(most=most, full=full, **says) as server:
        channel = EmailChannel(
            url=f"smtp://{who}localhost:{server.port}",
            sender="care@careline.example",
            clock=lambda: NOON,
            **{"timeout": timedelta(seconds=2), "patience": timedelta(seconds=0.5)} | given,
        )
        yield server, channel
        await channel.close()


_VERBS = {"hello", "EHLO", "MAIL", "RCPT", "DATA", "dot", "RSET", "QUIT", "AUTH", "STARTTLS", "body"}


def recorded(error: ChannelError) -> str:
    """What the ledger would hold, on one line and writable as UTF-8."""
    assert error.detail.isprintable()
    assert len(error.detail) <= 500
    return error.detail.encode("utf-8").decode("utf-8")


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA", "dot"])
@pytest.mark.parametrize(("code", "kind"), [(b"550", Refused), (b"450", TryLater), (b"421", TryLater)])
async def test_a_no_in_latin_1_is_a_no(verb: str, code: bytes, kind: type[ChannelError]) -> None:
    """Whatever step it is said at, it is understood by its code and kept with its bytes escaped."""
    async with mail(**{verb: code + b" " + LATIN + b"\r\n"}) as (server, channel):
        with pytest.raises(kind) as no:
            await channel.send(letter(1))
        assert recorded(no.value) == f"{code.decode()} Empf\\xe4nger unbekannt"
        server.says["." if verb == "dot" else verb] = RawMailServer.USUAL["." if verb == "dot" else verb]
        await channel.send(letter(2))
    assert len(server.taken) == 1


@pytest.mark.parametrize("said", ["hello", "EHLO", "AUTH"])
async def test_a_no_before_any_letter_is_for_later(said: str) -> None:
    """The server turns everybody away, in Latin-1: nothing is sent, and the letter is kept."""
    async with mail(**{said: b"554 " + LATIN + b"\r\n"}, who="care:pw@") as (server, channel):
        with pytest.raises(TryLater, match=r"no connection.*Empf\\xe4nger|no connection.*what\?") as later:
            await channel.send(letter())
        recorded(later.value)
    assert server.taken == []


async def test_a_yes_in_latin_1_is_a_yes() -> None:
    """Also where it greets, introduces itself, and says goodbye."""
    says: dict[str, bytes] = {
        verb: usual.replace(b"\r\n", b" " + LATIN + b"\r\n")
        for verb, usual in RawMailServer.USUAL.items()
        if verb not in (".", "EHLO")
    }
    async with mail(EHLO=b"250-" + LATIN + b"\r\n250 SIZE\r\n", dot=b"250 " + LATIN + b"\r\n", **says) as (_, channel):
        for number in range(3):
            await channel.send(letter(number))


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (b"550 \x00\x1b[2J\x7f\r\n", r"550 \x00\x1b[2J\x7f"),
        (b"550 no\n", "550 no"),
        (b"550-5.7.1 we do not\r\n550 5.7.1 want it\r\n", "550 5.7.1 we do not 5.7.1 want it"),
        (b"550-a\r\n554 b\r\n", "554 a b"),
        (b"550\r\n", "550"),
        (b"550\tno\r\n", "550 no"),
        (b"550 \xed\xa0\xbd half\r\n", r"550 \xed\xa0\xbd half"),
        ("550 \u202eno\u2028\r\n".encode(), r"550 \u202eno\u2028"),
        (b"550 " + b"x" * 20_000 + b"\r\n", "550 " + "x" * 495 + "…"),
        (b"550 a\rb\r\n", "550 a b"),
    ],
    ids=range(10),
)
async def test_what_was_said_is_kept(said: bytes, kept: str) -> None:
    """Control characters, bare line feeds, several lines, half characters, direction overrides, 20 kB in one line."""
    async with mail(RCPT=said) as (_, channel):
        with pytest.raises(Refused) as no:
            await channel.send(letter())
        assert recorded(no.value) == kept


NONSENSE = [
    b"hello\r\n", b"\r\n", b"25\r\n", b"+25 ok\r\n", b" 25 ok\r\n", b"2_5 ok\r\n", b"2500 ok\r\n", b"099 ok\r\n",
    b"999 ok\r\n", b"199 ok\r\n", b"\xb2\xb5\xb0 ok\r\n", b"250-ok\r\n550 no\r\n", b"-250 ok\r\n", b"250-a\r\n" * 6_000,
]  # fmt: skip


@pytest.mark.parametrize("said", NONSENSE, ids=range(len(NONSENSE)))
async def test_what_is_no_reply_is_no_yes(said: bytes) -> None:
    """Before the letter it is for later; after it nobody knows: never sent, and never refused."""
    for verb, kind in (("RCPT", TryLater), ("dot", Ambiguous), ("hello", TryLater)):
        async with mail(**{verb: said}) as (server, channel):
            with pytest.raises(kind) as unclear:
                await channel.send(letter())
            recorded(unclear.value)
            assert type(unclear.value) in (TryLater, ConnectionGone, Ambiguous)
        assert verb == "dot" or server.taken == []


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "RSET"])
async def test_a_reply_that_nobody_asked_for_is_not_the_answer_to_the_letter(verb: str) -> None:
    """A yes too many must not be taken for a yes to the letter that is refused after it."""
    async with mail(**{verb: b"250 ok\r\n250 and ok\r\n"}, dot=b"554 no\r\n") as (_, channel):
        for number in range(3):
            with pytest.raises((Refused, TryLater)) as no:
                await channel.send(letter(number))
            assert not isinstance(no.value, Ambiguous)


async def test_a_server_that_speaks_into_the_letter_has_not_taken_it() -> None:
    """The letter is not ended, so it must not be delivered."""
    async with mail(body=b"250 queued already\r\n", patience=timedelta(seconds=2)) as (server, channel):
        with pytest.raises(TryLater, match="before the letter was complete"):
            await channel.send(letter(text="x" * 900 + "\n" + ("y" * 900 + "\n") * 20_000))
    assert server.taken == []


@pytest.mark.parametrize("full", [b"450 enough\r\n", b"421 enough\r\n", b"452 4.5.3 enough\r\n", b"451 h\xf6r auf\r\n"])
async def test_a_connection_that_has_carried_enough_is_replaced_at_once(full: bytes) -> None:
    """A server that takes three letters a connection gets all ten within a moment, three on each."""
    began = time.monotonic()
    async with mail(most=3, full=full, connections=1) as (server, channel):
        for number in range(10):
            await channel.send(letter(number))
    assert len(server.taken) == 10
    assert server.connections == 4
    assert time.monotonic() - began < 5


async def test_many_letters_to_a_server_that_takes_few_a_connection() -> None:
    """Forty at once: each leaves at the first try."""
    async with mail(most=3) as (server, channel):
        await asyncio.gather(*(channel.send(letter(number)) for number in range(40)))
    assert len(server.taken) == 40


@pytest.mark.parametrize("verb", ["RCPT", "DATA", "dot"])
async def test_a_connection_that_will_not_take_a_later_letter_is_not_used_for_the_next(verb: str) -> None:
    """Where the limit shows itself at another step than MAIL, the retry and the next letter have a fresh connection."""
    async with mail(connections=1) as (server, channel):
        await channel.send(letter(1))
        server.says["." if verb == "dot" else verb] = b"452 too many\r\n"
        with pytest.raises(TryLater):
            await channel.send(letter(2))
        server.says["." if verb == "dot" else verb] = RawMailServer.USUAL["." if verb == "dot" else verb]
        await channel.send(letter(3))
    assert server.connections == 2


async def test_a_server_that_takes_nothing_opens_its_circuit() -> None:
    """Four hundred and fifty to every MAIL is not health: after five letters it is left alone."""
    async with mail(MAIL=b"450 not now\r\n") as (server, channel):
        guarded = ProtectedChannel(
            channel, clock=lambda: NOON, threshold=Threshold(failures=5, pause=timedelta(seconds=30))
        )
        for number in range(5):
            with pytest.raises(TryLater, match="450 not now"):
                await guarded.send(letter(number))
        with pytest.raises(CircuitOpen):
            await guarded.send(letter(6))
    assert server.connections == 5, "a fresh connection that is refused is not followed by another"


@pytest.mark.parametrize(
    ("said", "answered"),
    [(b"450 4.2.1 mailbox busy", True), (b"452 4.2.2 over quota", True), (b"452 4.3.1 disk full", False),
     (b"451 4.4.3 no DNS", False), (b"450 greylisted", True)],
)  # fmt: skip
async def test_what_concerns_one_mailbox_is_no_failure_of_the_server(said: bytes, answered: bool) -> None:
    """Its own troubles are, whoever the letter is for (RFC 3463)."""
    async with mail(RCPT=said + b"\r\n") as (_, channel):
        with pytest.raises(TryLater) as later:
            await channel.send(letter())
    assert later.value.answered is answered


async def test_a_slow_greeting_is_waited_for() -> None:
    """Longer than any other step: a busy server gets its letter in the end."""
    async with mail(timeout=timedelta(seconds=0.2), greeting=timedelta(seconds=5)) as (server, channel):
        server.greet_after = 0.8
        await channel.send(letter())
    assert len(server.taken) == 1


async def test_a_greeting_that_never_comes_has_an_end() -> None:
    """Its own limit, and it is named; nothing was sent."""
    async with mail(greeting=timedelta(seconds=0.2)) as (server, channel):
        server.greet_after = 3
        with pytest.raises(TryLater, match=r"did not greet within 0\.2 s"):
            await channel.send(letter())


async def test_a_server_that_holds_every_connection_holds_no_other_letter() -> None:
    """While all connections wait for a greeting, the next letter is told to take another address."""
    async with mail(connections=2, timeout=timedelta(seconds=0.3), greeting=timedelta(seconds=1)) as (server, channel):
        server.greet_after = 30
        held = [asyncio.create_task(channel.send(letter(number))) for number in range(2)]
        await asyncio.sleep(0.1)
        began = time.monotonic()
        with pytest.raises(CircuitOpen, match="every connection"):
            await channel.send(letter(3))
        assert time.monotonic() - began < 0.9
        for result in await asyncio.gather(*held, return_exceptions=True):
            assert isinstance(result, TryLater)
    assert server.taken == []


async def test_the_letters_around_a_strange_reply_are_sent() -> None:
    """One recipient of twenty makes the server speak Latin-1: the nineteen others have their letters."""
    async with mail() as (server, channel):
        for number in range(20):
            server.says["RCPT"] = b"550 " + LATIN + b"\r\n" if number == 7 else RawMailServer.USUAL["RCPT"]
            if number == 7:
                with pytest.raises(Refused):
                    await channel.send(letter(number))
            else:
                await channel.send(letter(number))
    assert len(server.taken) == 19
    assert not any(outreach_id(7).encode() in one for one in server.taken)
