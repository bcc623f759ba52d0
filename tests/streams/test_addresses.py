"""When two spellings are one address."""

from __future__ import annotations

import pytest
from hypothesis import given as for_any
from hypothesis import settings
from hypothesis import strategies as st

from streams.addresses import canonical, distinct, same
from streams.events import Address, OutreachChannel
from tests.drawn import examples

EMAIL, SMS, WEBHOOK, PUSH = (
    OutreachChannel.EMAIL,
    OutreachChannel.SMS,
    OutreachChannel.WEBHOOK,
    OutreachChannel.PUSH,
)


@pytest.mark.parametrize(
    ("channel", "one", "other"),
    [
        (EMAIL, "ana@mail.example", "ana@MAIL.Example"),
        (EMAIL, "ana@mail.example", "ANA@mail.example"),
        (EMAIL, "ana@mail.example", "  ana@mail.example\r\n"),
        (EMAIL, "ana@mail.example", "\u200bana@mail.example\ufeff"),
        (EMAIL, "ana@mail.example", "ana@mail.example."),
        (EMAIL, "ana@mail.example", "ana@mail\u3002example"),
        (EMAIL, "ana@mail.example", "ana@ｍａｉｌ.example"),
        (EMAIL, "ana@mail.example", "<ana@mail.example>"),
        (EMAIL, "ana@mail.example", "mailto:Ana@mail.example"),
        (EMAIL, "ana@mail.example", '"ana"@mail.example'),
        (EMAIL, "ana@bücher.example", "ana@xn--bcher-kva.example"),
        (EMAIL, "ana@bücher.example", "ana@BÜCHER.example"),
        (EMAIL, "ana@straße.example", "ana@xn--strae-oqa.example"),
        (EMAIL, "žofie@mail.example", "ŽOFIE@mail.example"),
        (EMAIL, "žofie@mail.example", "z\u030cofie@mail.example"),
        (EMAIL, "σίσυφος@mail.example", "ΣΊΣΥΦΟΣ@mail.example"),
        (SMS, "+4917012345", "0049 170 12345"),
        (SMS, "+4917012345", "+49 (0)170-123.45"),
        (SMS, "+4917012345", "00 49 / 170 12345"),
        (SMS, "+4917012345", "tel:+49-170-12345"),
        (SMS, "+4917012345", "＋４９170\u00a0123\u201145"),
        (SMS, "+4917012345", "\u202a+4917012345\u202c"),
        (SMS, "0170 12345", "0170-12345"),
        (WEBHOOK, "https://ana.example/hook", "HTTPS://Ana.Example:443/hook"),
        (WEBHOOK, "https://ana.example", "https://ana.example./"),
        (WEBHOOK, "https://bücher.example/", "https://xn--bcher-kva.example"),
        (PUSH, "tOken", " tOken "),
    ],
)
def test_one_address_in_two_spellings(channel: OutreachChannel, one: str, other: str) -> None:
    """A no to the one is a no to the other."""
    assert canonical(channel, one) == canonical(channel, other)
    assert same(Address(channel=channel, address=one), Address(channel=channel, address=other))


@pytest.mark.parametrize(
    ("channel", "one", "other"),
    [
        (EMAIL, "ana@mail.example", "anna@mail.example"),
        (EMAIL, "ana+news@mail.example", "ana@mail.example"),
        (EMAIL, "a.na@mail.example", "ana@mail.example"),
        (EMAIL, "ana@straße.example", "ana@strasse.example"),
        (SMS, "+4917012345", "+4317012345"),
        (SMS, "+4917012345", "017012345"),
        (WEBHOOK, "https://ana.example/Hook", "https://ana.example/hook"),
        (WEBHOOK, "https://ana.example/", "http://ana.example/"),
        (PUSH, "tOken", "token"),
    ],
)
def test_two_addresses(channel: OutreachChannel, one: str, other: str) -> None:
    """These may be two people's."""
    assert canonical(channel, one) != canonical(channel, other)


@for_any(st.sampled_from(list(OutreachChannel)), st.text(max_size=40))
@settings(max_examples=examples(400), deadline=None, derandomize=True)
def test_whatever_stands_there_can_be_compared(channel: OutreachChannel, text: str) -> None:
    """Whatever somebody wrote into an address, and with whatever space around it."""
    assert canonical(channel, f" {text}\t") == canonical(channel, text)


@pytest.mark.parametrize(
    "text", ["\ud800@x.example", "a@\udfff", "@", "a@[IPv6:::1]", "https://[::1", "x" * 5_000 + "@y"]
)
@pytest.mark.parametrize("channel", list(OutreachChannel))
def test_what_is_no_address_harms_nobody(channel: OutreachChannel, text: str) -> None:
    """A half surrogate, an address literal, a label that is too long: no error."""
    assert canonical(channel, text)


def test_each_once_as_it_was_first_written() -> None:
    """A letter goes out to the spelling that came first, once."""
    spelt = [Address(channel=EMAIL, address=text) for text in ("Ana@mail.example", "ana@MAIL.example", "b@x.example")]
    phone = Address(channel=SMS, address="ana@mail.example")
    assert distinct((*spelt, phone)) == (spelt[0], spelt[2], phone)
