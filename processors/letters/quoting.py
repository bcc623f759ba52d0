"""Quotes what others wrote in a letter: on one line, and without effect on the direction of the text around it."""

from __future__ import annotations

import unicodedata

from processors.language import is_right_to_left

_TURNS = dict.fromkeys(map(ord, "\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"))
_ISOLATE, _END = "\u2068", "\u2069"
_LONGEST = 120  # characters of a description; a longer one is a text rather than a name
_ENDS = " .,;:!?…\u3002\u061f\u06d4"
_RIGHT_TO_LEFT = frozenset({"R", "AL"})


def quoted(text: str, *, within: str) -> str:
    """``text`` on one line, without marks that change the direction of the text after it; isolated (UAX 9) if its
    direction differs from that of the language tag ``within``."""
    line = " ".join(text.translate(_TURNS).split())
    if line.isascii() and not is_right_to_left(within):
        return line
    if " " not in line:
        return line  # a date, a link, a code or a name: a single word does not affect the text around it
    strong = {unicodedata.bidirectional(char) for char in line}
    turned = "L" in strong if is_right_to_left(within) else not strong.isdisjoint(_RIGHT_TO_LEFT)
    return f"{_ISOLATE}{line}{_END}" if turned else line


def phrase(text: str) -> str:
    """A description that fits into a sentence: without final punctuation, and shortened to the length of a name."""
    line = " ".join(text.split()).rstrip(_ENDS)
    if len(line) <= _LONGEST:
        return line
    return f"{line[:_LONGEST].rsplit(' ', 1)[0].rstrip(_ENDS)}…"
