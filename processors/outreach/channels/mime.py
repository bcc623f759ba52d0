"""A letter as an Internet message (RFC 5322): the same letter is the same message, and no text becomes a header."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from email.policy import SMTP, compat32
from email.utils import format_datetime

from processors.outreach.channels import Letter
from processors.outreach.errors import Refused

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_BIDIRECTIONAL = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def mailbox(address: str) -> str:
    """The bare address in ASCII (an international domain in its IDNA form). Raises Refused if it is not one."""
    local, at, domain = address.rpartition("@")
    try:
        domain = domain.encode("idna").decode("ascii")
    except UnicodeError:
        domain = ""
    if not (at and len(local) <= 64 and _LOCAL.fullmatch(local) and _DOMAIN.fullmatch(domain)):
        raise Refused("not an e-mail address that can be written to")
    if len(local) + 1 + len(domain) > 254:
        raise Refused("the e-mail address is longer than 254 characters")
    return f"{local}@{domain}"


def one_line(text: str) -> str:
    """``text`` fit for a header: on one line, without control characters, and without what reads as encoded."""
    kept = "".join(
        char
        for char in " ".join(text.split())
        if unicodedata.category(char) not in ("Cc", "Cs", "Zl", "Zp") and char not in _BIDIRECTIONAL
    )
    # The email package decodes =?utf-8?q?=0A?= found in a value, and would put the line break into the header.
    return kept.replace("=?", "= ?")


def _body(text: str) -> str:
    return _UNPRINTABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def compose(letter: Letter, *, sender: Address, reply_to: str | None, at: datetime) -> bytes:
    """The message as it goes over the wire, lines ended by CRLF, before dot-stuffing.

    ``Message-ID`` is made of the outreach_id alone, so that a mailbox that gets the same letter twice can tell; a
    letter that revises another is threaded with it. Raises Refused if the letter does not fit into a message.
    """
    for name in (letter.outreach_id, *filter(None, (letter.revises,))):
        if not _TOKEN.fullmatch(name):
            raise Refused("the outreach id does not fit into a Message-ID")
    headers: dict[str, str | Address] = {
        "From": sender,
        "To": Address(addr_spec=mailbox(letter.address)),
        "Subject": one_line(letter.subject),
        "Date": format_datetime(at),
        "Message-ID": f"<{letter.outreach_id}@{sender.domain}>",
        "Careline-Outreach-Id": letter.outreach_id,
        "Auto-Submitted": "auto-generated",
    }
    if reply_to is not None:
        headers["Reply-To"] = reply_to
    if letter.revises:
        headers["In-Reply-To"] = headers["References"] = f"<{letter.revises}@{sender.domain}>"
    if _TOKEN.fullmatch(letter.locale):
        headers["Content-Language"] = letter.locale
    message = EmailMessage(policy=SMTP)
    message.set_content(_body(letter.text), cte="quoted-printable")
    if letter.html is not None:
        message.add_alternative(_body(letter.html), subtype="html", cte="quoted-printable")
    for name, value in headers.items():
        message[name] = value
    wire = message.as_bytes()
    # Belt and braces: what a mail server will read must be the headers above and no other.
    found = [name for name in BytesHeaderParser(policy=compat32).parsebytes(wire) if name not in _MIME]
    if sorted(found) != sorted(headers):
        raise Refused("the letter would change the message's headers")
    return wire


_MIME = frozenset({"MIME-Version", "Content-Type", "Content-Transfer-Encoding"})
