"""Addresses in any script: taken where the mail server takes them, refused with a reason where it does not."""

from __future__ import annotations

import pytest

from processors.outreach.channels.email import EmailChannel
from processors.outreach.channels.mime import mailbox
from processors.outreach.errors import Refused
from streams.errors import SettingsError
from tests.outreach.given import NOON, letter
from tests.outreach.servers import MailSink

INTERNATIONAL = [
    "josé@mail.example",
    "用户@例え.example",
    "δοκιμή.ana@παράδειγμα.example",
    "अजय@डाटा.example",
    "änna+x@mail.example",
]


def channel(port: int) -> EmailChannel:
    """E-mail by the server at that port."""
    return EmailChannel(url=f"smtp://127.0.0.1:{port}", sender="care@careline.example", clock=lambda: NOON)


@pytest.mark.parametrize("address", INTERNATIONAL)
async def test_a_server_that_offers_it_gets_the_letter(address: str) -> None:
    """The customer is written to under the name they gave, before and after others who have a plain one."""
    async with MailSink(utf8=True) as sink:
        mail = channel(sink.port)
        for number, to in enumerate(("ana@mail.example", address, "ben@mail.example")):
            await mail.send(letter(number, address=to))
        assert sink.recipients == ["ana@mail.example", mailbox(address), "ben@mail.example"]
        assert f"\nTo: {mailbox(address)}".encode() in sink.raw[1].replace(b"\r\n", b"\n")
        await mail.close()


@pytest.mark.parametrize("address", INTERNATIONAL)
async def test_a_server_that_does_not_is_not_asked(address: str) -> None:
    """It is refused, and says why; the connection serves the next customer."""
    async with MailSink() as sink:
        mail = channel(sink.port)
        with pytest.raises(Refused, match="the mail server does not offer SMTPUTF8"):
            await mail.send(letter(1, address=address))
        await mail.send(letter(2))
        assert (sink.recipients, sink.connections) == (["ana@mail.example"], 1)
        await mail.close()


@pytest.mark.parametrize("address", [
    "jo\u200bse@mail.example", "jo\u202ese@mail.example", "jo\u00a0se@mail.example", "jo\ud83dse@mail.example",
    "jo\u2028se@mail.example", "é" * 33 + "@mail.example", "ana@\U0001f600.example", "ana@xn--a.example",
    "ana@a\u200db.example", "ana@" + "é" * 64 + ".example", ".é@mail.example", "é..a@mail.example",
])  # fmt: skip
def test_what_is_none_in_any_script(address: str) -> None:
    """What does not show, is too long in bytes, or is no domain by IDNA 2008."""
    with pytest.raises(Refused):
        mailbox(address)


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("ana@straße.example", "ana@xn--strae-oqa.example"),  # IDNA 2003 made strasse of it, another domain
        ("ana@βόλος.example", "ana@xn--nxasmm1c.example"),
        ("ana@BÜCHER.example", "ana@xn--bcher-kva.example"),
        ("ana@Mail.Example", "ana@Mail.Example"),
        ("jose\u0301@mail.example", "josé@mail.example"),
    ],
)
def test_domains_go_by_idna_2008(written: str, sent: str) -> None:
    """And local parts in one composed form."""
    assert mailbox(written) == sent


def test_the_sender_is_known_to_every_server() -> None:
    """Replies and bounces have to find their way."""
    with pytest.raises(SettingsError, match="ASCII"):
        EmailChannel(url="smtp://127.0.0.1", sender="josé@careline.example", clock=lambda: NOON)
