"""The result of writing a letter: its texts and their language."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The texts of a letter, and their language tag. ``subject`` is one line; ``short`` is for channels with little
    room, None if the letter has no short form."""

    subject: str = field(repr=False)
    text: str = field(repr=False)
    html: str | None = field(default=None, repr=False)
    short: str | None = field(default=None, repr=False)
    locale: str
