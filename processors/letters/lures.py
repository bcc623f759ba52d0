"""Cleans what others wrote, so that our letters carry no phishing: real names only, no text that a mail program would
make clickable, and only links that lead where they appear to. Pure."""

from __future__ import annotations

import re
import unicodedata

LONGEST_NAME = 80
"""Characters of a name; a longer one is not used in a greeting."""

LONGEST_LINK = 2_000
"""Characters."""

_ONE_WORD = r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)"
_LINK = re.compile(
    rf"https://(?:{_ONE_WORD}\.)+(?:[a-z]{{2,63}}|xn--[a-z0-9-]{{1,59}})(?::[0-9]{{1,5}})?(?:[/?#][^\s\\<>\"`{{|}}^]*)?",
    re.IGNORECASE | re.ASCII,
)
_CALLS = re.compile(
    r"://|\b(?:https?|ftp|mailto|tel|sms|smsto|callto|skype|facetime|whatsapp|javascript)\s*:|\bwww\d*\.|\S@\S"
    r"|\d{1,3}(?:\.\d{1,3}){3}\s*[:/]",
    re.IGNORECASE,
)
_HOST = re.compile(r"(?<![\w.-])[\w-]+(?:\.[\w-]+)*\.(?:xn--[\w-]+|[^\W\d_]{2,})(?![\w-])(?P<more>\.?[:/?@])?")
_NUMBER = re.compile(r"\d(?:[^\w]*\d){5}")  # phones make such a number callable
_ABBREVIATION = 3  # characters, with the full stop, as in Ma.Teresa and St.Gallen

_OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_NOT_IN_LINKS = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp", "Zs"})


def person(name: str) -> str:
    """The name as used in a greeting; "" for anything that is not a name: longer than LONGEST_NAME, or with something
    clickable or callable, a control character or a direction override."""
    if len(name) > 2 * LONGEST_NAME:
        return ""
    line = " ".join(name.split(" ")).strip()
    if len(line) > LONGEST_NAME or _hides(line) or _NUMBER.search(line):
        return ""
    return harmless(line)


def harmless(text: str) -> str:
    """The text if nothing in it is clickable; else "". A missing space after an abbreviation, as in St.Gallen, is
    inserted."""
    if "." not in text and "@" not in text and ":" not in text and text.isascii():
        return text
    seen = _as_seen(text)
    if _CALLS.search(seen):
        return ""
    if any(not _is_abbreviated(found) for found in _HOST.finditer(seen)):
        return ""
    return _HOST.sub(lambda found: found[0].replace(".", ". ") if _is_abbreviated(found) else found[0], text)


def link(value: str) -> str:
    """The link itself. Raises ValueError if a letter may not carry it."""
    if not is_link(value):
        raise ValueError(f"{value[:40]!r} is not a link a letter may carry; use https:// and a plain host name")
    return value


def is_link(value: str) -> bool:
    """Whether the whole text is a link that a letter may carry: https, a plain host name, and nothing that hides where
    it leads. So no user name or password before the host, no IP address, and no other scheme."""
    if len(value) > LONGEST_LINK or not _LINK.fullmatch(value):
        return False
    return value.isprintable() and not any(unicodedata.category(char) in _NOT_IN_LINKS for char in value)


def _hides(line: str) -> bool:
    return any(char in _OVERRIDES or unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in line)


def _as_seen(text: str) -> str:
    """The text as a mail program may read it: full-width letters as plain ones, without invisible characters."""
    plain = unicodedata.normalize("NFKC", text)
    return "".join(char for char in plain if unicodedata.category(char) != "Cf")


def _is_abbreviated(found: re.Match[str]) -> bool:
    *before, last = found[0].split(".")
    short = all(len(label) <= _ABBREVIATION for label in before)
    return short and last[:1].isupper() and last[1:].islower() and not found["more"]
