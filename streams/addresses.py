"""Compares addresses: decides when two spellings are the same address. No other module does.

Letters are sent to an address as it was written. Suppressions and duplicates are matched by its canonical form.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from urllib.parse import urlsplit

import idna

from streams.events.types import Address, OutreachChannel

_LINK_TO_CALL = ("tel:", "sms:", "callto:")
_EXTENSION = re.compile(r"(;.*|(ext\.?|x)[0-9]+)$", re.IGNORECASE)
_TRUNK_PREFIX = re.compile(r"^((?:\+|00)[^(]*)\(0\)")  # as in +44 (0)20: not dialled from abroad
_QUOTED = re.compile(r'"([A-Za-z0-9!#$%&\'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&\'*+/=?^_`{|}~-]+)*)"')
_INVISIBLE = frozenset({"Cc", "Cf"})
_DEFAULT_PORTS = {"https": 443, "http": 80}


def canonical(channel: OutreachChannel, address: str) -> str:
    """Return the canonical form, which all spellings of an address share; never raises.

    E-mail: the domain as an A-label (UTS 46), without a trailing dot; the local part caseless (Unicode 3.13, D145),
    because an opt-out applies to every spelling that differs in case only. Phones: E.164 for an international number
    (``+`` or ``00``); the digits of a national one, because its country is unknown. Webhooks: scheme and host caseless.
    Anything else, such as push tokens: without surrounding space.
    """
    return _canonical(channel, address)


def domain_in_ascii(name: str) -> str:
    """Return a mail domain as it is sent: an international one as A-labels (IDNA 2008, after the mapping of UTS 46), an
    ASCII one unchanged. Raises ValueError for what IDNA 2008 does not allow, such as an emoji."""
    if name.isascii() and "xn--" not in name.lower():
        return name
    try:
        return idna.encode(name, uts46=True, transitional=False).decode()
    except UnicodeError as why:  # the base class of IDNAError
        raise ValueError(f"{name!r} is not a domain name by IDNA 2008") from why


def same(one: Address, other: Address) -> bool:
    """Return whether both are the same address on the same channel."""
    return one.channel is other.channel and canonical(one.channel, one.address) == canonical(
        other.channel, other.address
    )


def distinct(addresses: tuple[Address, ...]) -> tuple[Address, ...]:
    """Return each address once, in its first spelling, in the original order."""
    if len(addresses) < 2:
        return addresses
    first: dict[tuple[OutreachChannel, str], Address] = {}
    for address in addresses:
        first.setdefault((address.channel, canonical(address.channel, address.address)), address)
    return addresses if len(first) == len(addresses) else tuple(first.values())


@lru_cache(maxsize=16_384)
def _canonical(channel: OutreachChannel, address: str) -> str:
    text = _trimmed(address)
    match channel:
        case OutreachChannel.EMAIL:
            return _mail(text)
        case OutreachChannel.SMS:
            return _phone(text)
        case OutreachChannel.WEBHOOK:
            return _url(text)
        case _:
            return text


def _trimmed(text: str) -> str:
    """Return the text without spaces and invisible characters at either end."""

    def blank(character: str) -> bool:
        return character.isspace() or unicodedata.category(character) in _INVISIBLE

    begin, end = 0, len(text)
    while begin < end and blank(text[begin]):
        begin += 1
    while begin < end and blank(text[end - 1]):
        end -= 1
    return text[begin:end]


def _mail(text: str) -> str:
    if text[:7].lower() == "mailto:":
        text = text[7:]
    if text.startswith("<") and text.endswith(">"):
        text = text[1:-1]
    local, at, domain = text.rpartition("@")
    if not at:
        return _caseless(text)
    local = _trimmed(local)
    quoted = _QUOTED.fullmatch(local)
    return f"{_caseless(quoted[1] if quoted else local)}@{_host(_trimmed(domain))}"


def _host(name: str) -> str:
    name = unicodedata.normalize("NFKC", name).replace("\u3002", ".").rstrip(".")
    try:
        return idna.encode(name, uts46=True, transitional=False).decode().lower()
    except (idna.IDNAError, UnicodeError):  # an address literal, an underscore, a label that is too long
        return _caseless(name)


def _phone(text: str) -> str:
    text = unicodedata.normalize("NFKC", text)
    for scheme in _LINK_TO_CALL:
        if text.lower().startswith(scheme):
            text = _trimmed(text[len(scheme) :].lstrip("/"))
    text = _TRUNK_PREFIX.sub(r"\1", _EXTENSION.sub("", text))
    digits = "".join(str(unicodedata.decimal(one)) for one in text if unicodedata.decimal(one, None) is not None)
    if not digits:
        return _caseless(text)
    if text.startswith("+"):
        return f"+{digits}"
    return f"+{digits[2:]}" if digits.startswith("00") else digits


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return text
    if not parts.hostname:
        return text
    user, at, _ = parts.netloc.rpartition("@")
    host = _host(parts.hostname)
    where = f"[{host}]" if ":" in host else host
    if port is not None and port != _DEFAULT_PORTS.get(parts.scheme):
        where += f":{port}"
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme}://{user}{at}{where}{parts.path or '/'}{query}"


def _caseless(text: str) -> str:
    """Return the text folded for caseless comparison (Unicode 15, D145)."""
    folded = unicodedata.normalize("NFD", unicodedata.normalize("NFD", text).casefold())
    return unicodedata.normalize("NFC", folded)
