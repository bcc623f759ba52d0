"""A failed call affects only its own letter."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import pytest

from processors.outreach.channels.recording import Planned, RecordingChannel
from processors.outreach.errors import Ambiguous, Refused, TryLater
from processors.outreach.results import Delivered, Failed, Postponed, Unknown
from streams.http.destinations import STRICT
from tests.outreach.given import letter
from tests.outreach.test_containment import EMAIL, MAIL, deliver
from tests.outreach.test_replies import LATIN, mail
from tests.outreach.test_webhook import hooked


async def test_a_refusal_in_latin_1_is_a_refusal() -> None:
    """A mail server's reply is understood in any encoding."""
    async with mail(RCPT=b"550 " + LATIN + b"\r\n") as (server, channel):
        with pytest.raises(Refused, match=r"550 Empf\\xe4nger unbekannt"):
            await channel.send(letter(1))
        server.says["RCPT"] = server.USUAL["RCPT"]
        await channel.send(letter(2))
        assert len(server.taken) == 1


@pytest.mark.parametrize(
    ("failure", "result"),
    [
        (Refused("no such person"), Failed),
        (TryLater("busy"), Postponed),
        (Planned(Ambiguous("no answer"), arrived=True), Unknown),
        (Planned(RuntimeError("a channel with a fault"), arrived=True), Unknown),
    ],
    ids=["certainly not sent", "to be retried", "uncertain", "a fault of ours"],
)
async def test_every_failure_has_a_result_and_the_next_letter_leaves(failure: Any, result: type[Any]) -> None:
    """Every failure is recorded as certainly not sent, to be retried, or uncertain."""
    channel = RecordingChannel(provider="mail")
    channel.plan(failure)
    assert type(await deliver({EMAIL: channel}, MAIL)) is result
    assert type(await deliver({EMAIL: channel}, MAIL)) is Delivered


@pytest.mark.parametrize("address", ["http://receiver.example/", "https://10.0.0.5/", "https://inside.example/"])
async def test_a_webhook_goes_nowhere_else(address: str) -> None:
    """Webhooks are called only over https and at public addresses, which are checked when the connection is made."""

    async def resolve(host: str, port: int) -> list[Any]:
        return [ip_address("10.0.0.5")]  # a public name, and an address inside: seen when it is connected to

    async with hooked(destinations=STRICT, resolve=resolve) as (receiver, channel):
        with pytest.raises(Refused):
            await channel.send(letter(address=address))
        assert receiver.calls == 0
