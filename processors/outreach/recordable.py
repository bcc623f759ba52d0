"""Turns any answer of a provider into text that the ledger can store and a terminal can show."""

from __future__ import annotations

import re

from streams.addresses import canonical
from streams.events import OutreachChannel, OutreachRequested

LONGEST = 500
"""Characters kept of a provider's answer."""

_CUT = "…"
_SPACE = re.compile(r"[ \t\r\n]+")


def recordable(said: str | bytes, *, longest: int = LONGEST) -> str:
    """``said`` as one line of at most ``longest`` printable characters. Bytes that are not UTF-8, surrogates and
    unprintable characters are escaped, such as ``\\xe9``; a longer text ends in an ellipsis."""
    head = said[: 4 * longest]  # the rest would not fit anyway
    text = head.decode("utf-8", "backslashreplace") if isinstance(head, bytes) else head
    line = "".join(char if char.isprintable() else _escaped(char) for char in _SPACE.sub(" ", text).strip(" "))
    if len(line) <= longest and len(head) == len(said):
        return line
    return line[: longest - len(_CUT)] + _CUT


def without_addresses(detail: str, request: OutreachRequested | None) -> str:
    """A provider's answer without the customer's addresses, which servers often repeat: the entry outlives erasure."""
    for to in () if request is None else request.addresses:
        if to.channel is OutreachChannel.AGENT_TASK or not to.address.strip():
            continue
        spelt = dict.fromkeys((to.address, to.address.strip(), canonical(to.channel, to.address)))
        for text in sorted(spelt, key=len, reverse=True):
            detail = re.sub(re.escape(text), "(address)", detail, flags=re.IGNORECASE)
    return detail


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
