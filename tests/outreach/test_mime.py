"""No text becomes a header."""

from __future__ import annotations

from email.headerregistry import Address
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from processors.outreach.channels.mime import compose, mailbox
from processors.outreach.errors import Refused
from tests.outreach.given import NOON, letter

SENDER = Address("Careline", addr_spec="care@careline.example")
HEADERS = {
    "From", "To", "Subject", "Date", "Message-ID", "Careline-Outreach-Id", "Auto-Submitted", "Content-Language",
    "MIME-Version", "Content-Type",
}  # fmt: skip


@given(subject=st.text(st.characters(), max_size=300), text=st.text(st.characters(), max_size=300))
@example(subject="late\r\nBcc: all@b.example", text="")
@example(subject="=?utf-8?q?late=0ABcc:_all@b.example?=", text="")
@example(subject="=?utf-8?b?bGF0ZQpCY2M6IGFsbEBiLmV4YW1wbGU=?=", text="\r\n.\r\nMAIL FROM:<a@b>")
@example(subject="\u2028Bcc: all@b.example\x85\x0b\x1c", text="--===============\n")
@example(subject="\ud800" + "x" * 2000, text="\ud800\x00")
def test_whatever_a_letter_says_its_headers_stay_the_same(subject: str, text: str) -> None:
    """A subject with line breaks, encoded words or half a character ends in the subject, and in no other header."""
    wire = compose(letter(subject=subject, text=text, html=text), sender=SENDER, reply_to=None, at=NOON)
    message = BytesParser(policy=default).parsebytes(wire)
    assert set(message) == HEADERS
    assert len(message.keys()) == len(HEADERS)
    assert message["To"] == "ana@mail.example"
    assert [part.get_content_type() for part in message.walk()] == ["multipart/alternative", "text/plain", "text/html"]
    assert all(len(line) <= 998 for line in wire.split(b"\r\n"))
    assert b"\n" not in wire.replace(b"\r\n", b"")
    assert b"\r" not in wire.replace(b"\r\n", b"")


@given(
    st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cf", "Zs", "Zl", "Zp")), min_size=1, max_size=80)
)
def test_an_honest_subject_arrives_as_it_was_written(subject: str) -> None:
    """Any script, any emoji: read back, it is the same subject."""
    wire = compose(letter(subject=subject), sender=SENDER, reply_to=None, at=NOON)
    assert BytesParser(policy=default).parsebytes(wire)["Subject"] == subject.replace("=?", "= ?")


@given(text=st.text(st.characters(codec="utf-8", exclude_categories=("Cc",)), max_size=400))
@example(text="--=_careline--\n--=_careline\nContent-Type: text/html\n\n<b>")
@example(text=".\n..\nFrom care\n trailing \t\n=3D=\n" + "x" * 2000)
def test_the_words_arrive_as_they_were_written(text: str) -> None:
    """Whatever the text looks like, a part's end, a dot alone on a line, an endless line: read back, it is the same."""
    wire = compose(letter(text=text, html=text), sender=SENDER, reply_to=None, at=NOON)
    message = BytesParser(policy=default).parsebytes(wire)
    assert isinstance(message, EmailMessage)
    wanted = text if text.endswith("\n") else f"{text}\n"
    for part in message.iter_parts():
        payload = part.get_payload(decode=True)
        assert isinstance(payload, bytes)
        # the line break before a boundary belongs to the boundary
        assert payload.decode().replace("\r\n", "\n") in (wanted, wanted.removesuffix("\n"))
    assert max(len(line) for line in wire.partition(b"\r\n\r\n")[2].split(b"\r\n")) <= 76


@pytest.mark.parametrize(
    "name", ["Careline", "Müller & Söhne", 'The "good", <kind>', "a long name " * 9 + "x", "", "a, b"]
)
def test_the_sender_is_who_was_set(name: str) -> None:
    """Its name may hold what a header has to quote or encode."""
    sender = Address(name, addr_spec="care@careline.example")
    wire = compose(letter(), sender=sender, reply_to=str(sender), at=NOON)
    message = BytesParser(policy=default).parsebytes(wire)
    for header in ("From", "Reply-To"):
        (read,) = message[header].addresses
        assert (read.display_name, read.addr_spec) == (name, "care@careline.example")


def test_the_same_letter_is_the_same_message() -> None:
    """So that a mailbox, or a person, can tell that a letter came twice."""
    first, second = (compose(letter(7), sender=SENDER, reply_to=None, at=NOON) for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    "address",
    [
        "", "ana", "@mail.example", "ana@", "ana@mail..example", "ana@-mail.example", ".ana@mail.example",
        "an a@mail.example", "ana@mail.example, b@mail.example", "ana@mail.example\nBcc: b@mail.example",
        "<ana@mail.example>", "ana@mail.example>", "ana@[127.0.0.1]",
        "a" * 65 + "@mail.example", "a@" + "b" * 64 + ".example", "a@" + "b." * 130 + "example", "ana\x00@mail.example",
    ],
)  # fmt: skip
def test_what_is_not_one_plain_address_is_refused(address: str) -> None:
    """One mailbox and nothing else: no list, no route, no line break."""
    with pytest.raises(Refused):
        mailbox(address)


def test_an_international_domain_is_written_in_ascii() -> None:
    """bücher.example is a domain like any other."""
    assert mailbox("ana+fly@bücher.example") == "ana+fly@xn--bcher-kva.example"


@pytest.mark.parametrize("name", ["", "a b", "a>\r\nBcc: x", "<a>"])
def test_an_id_that_is_not_one_is_refused(name: str) -> None:
    """Ids go into headers, too."""
    with pytest.raises(Refused):
        compose(letter(outreach_id=name), sender=SENDER, reply_to=None, at=NOON)


def test_a_letter_can_be_ended_with_one_click() -> None:
    """RFC 8058: the link on one line of its own, and the word that one POST is enough; no link, neither of them."""
    link = "https://care.example/unsubscribe/" + "x" * 300
    wire = compose(letter(unsubscribe=link), sender=SENDER, reply_to=None, at=NOON)
    assert f"\r\nList-Unsubscribe: <{link}>\r\n".encode() in wire
    assert b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in wire
    assert b"List-Unsubscribe" not in compose(letter(), sender=SENDER, reply_to=None, at=NOON)


@pytest.mark.parametrize(
    "link",
    ["https://a.example/\r\nBcc: all@b.example", "https://a.example/> <b", "javascript:x", "https://a/" + "x" * 999],
)
def test_a_link_that_does_not_fit_is_left_out(link: str) -> None:
    """The letter goes out all the same; the link in its foot is enough."""
    assert b"List-Unsubscribe" not in compose(letter(unsubscribe=link), sender=SENDER, reply_to=None, at=NOON)
