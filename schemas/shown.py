"""Values and names of fields as an error shows them: in a few words, whatever they hold."""

from __future__ import annotations

import reprlib
from typing import Any

LONGEST = 60


def joined(path: str, name: str) -> str:
    """The path of a field within another, which names it as it can be shown."""
    shown = name if name and name.isprintable() and len(name) <= LONGEST else short(name)
    return f"{path}.{shown}" if path else shown


def short(value: Any) -> str:
    """The value as Python writes it, in a few words, however large or deep it is."""
    try:
        text = _SHORT.repr(value)
    except ValueError:  # a whole number of more digits than Python writes out
        return "a number of thousands of digits"
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 2 * LONGEST
