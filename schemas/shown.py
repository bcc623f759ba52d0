"""Shortens values and names of fields for error messages, whatever they contain."""

from __future__ import annotations

import reprlib
from typing import Any

LONGEST = 60


def joined(path: str, name: str) -> str:
    """The path of a field within another, with the name in a form that can be shown."""
    shown = name if name and name.isprintable() and len(name) <= LONGEST else short(name)
    return f"{path}.{shown}" if path else shown


def short(value: Any) -> str:
    """The value's ``repr``, shortened, however large or deep the value is."""
    try:
        text = _SHORT.repr(value)
    except ValueError:  # an integer with more digits than Python converts
        return "a number of thousands of digits"
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 2 * LONGEST
