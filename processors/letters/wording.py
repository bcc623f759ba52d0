"""What writing a letter comes to: its words, and the language that they are in."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The words of a letter, and the tag of their language. ``subject`` is one line, ``short`` for channels with room
    for a few words, None where the letter has none of its own."""

    subject: str = field(repr=False)
    text: str = field(repr=False)
    html: str | None = field(default=None, repr=False)
    short: str | None = field(default=None, repr=False)
    locale: str
