"""What a provider said, as the ledger can keep it and a terminal can show it, whatever it was."""

from __future__ import annotations

import re

from streams.addresses import canonical
from streams.events import OutreachChannel, OutreachRequested

LONGEST = 500
"""Characters kept of what a provider said."""

_CUT = "…"
_SPACE = re.compile(r"[ \t\r\n]+")


def recordable(said: str | bytes, *, longest: int = LONGEST) -> str:
    """``said`` on one line of printable characters, at most ``longest``. What is not UTF-8, not printable or half a
    character is kept as its escape, as ``\\xe9``; a longer text ends in an ellipsis."""
    head = said[: 4 * longest]  # what is cut off there would not fit anyway
    text = head.decode("utf-8", "backslashreplace") if isinstance(head, bytes) else head
    line = "".join(char if char.isprintable() else _escaped(char) for char in _SPACE.sub(" ", text).strip(" "))
    if len(line) <= longest and len(head) == len(said):
        return line
    return line[: longest - len(_CUT)] + _CUT


def without_addresses(detail: str, request: OutreachRequested | None) -> str:
    """What a provider said, without the customer's addresses, which servers like to repeat: an entry outlives them."""
    for to in () if request is None else request.addresses:
        if to.channel is OutreachChannel.AGENT_TASK or not to.address.strip():
            continue
        spelt = dict.fromkeys((to.address, to.address.strip(), canonical(to.channel, to.address)))
        for text in sorted(spelt, key=len, reverse=True):
            detail = re.sub(re.escape(text), "(address)", detail, flags=re.IGNORECASE)
    return detail


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
