"""Output to a terminal. Every command prints through this module only.

Text from outside (names, ids, posts, servers' errors) is shown and never interpreted: markup is off, and control
characters and whatever hides or reorders text are escaped (``\\x1b``, ``\\u202e``). No table truncates anything: its
cells wrap if the columns fit, and otherwise it is printed entry by entry. If the output is not a terminal, lines are
not wrapped, unless COLUMNS sets a width.
"""

from __future__ import annotations

import json
import os
import re
import sys
import unicodedata
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType
from rich.padding import Padding
from rich.segment import Segment
from rich.table import Column, Table
from rich.text import Text

Part = str | tuple[str, str] | Text
"""Text from any source, optionally with a style."""

_UNBOUNDED = 1 << 16
_RIGID = 40  # a wider column wraps even if it is marked as rigid
_NARROWEST = 8  # the least readable width of a column that wraps,
_WORD = 24  # or the width of its longest word, up to this

_SPACES = frozenset("\t\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029")
_EMOJI = "\u2190-\u2bff\u3030\u303d\U0001f000-\U0001faff"
_JOINING = "\u0600-\u08ff\u0900-\u0dff\u1000-\u109f\u1780-\u17ff"
_HIDDEN = re.compile(
    rf"(?P<kept>(?<=[{_EMOJI}\ufe0f])\u200d(?=[{_EMOJI}])"  # one emoji made of several
    rf"|(?<=[{_JOINING}])[\u200c\u200d](?=[{_JOINING}])"  # Persian, Hindi and other scripts need them
    r"|(?<=\U0001f3f4)[\U000e0030-\U000e007a]{2,8}\U000e007f"  # the flags of Scotland, Wales, England
    r"|(?<=[#*0-9])\ufe0f(?=\u20e3))"
    r"|(?P<line>\r\n)"
    r"|[\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    r"\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    r"\U000e0000-\U000e0fff]"
)


def clean(text: str, *, lines: bool = False) -> str:
    """The text without anything that a terminal interprets or a reader cannot see; on one line, or as ``lines``.

    Emoji, and the joiners that some scripts need, are kept.
    """

    def shown(found: re.Match[str]) -> str:
        letter = found[0]
        if found["kept"]:
            return letter
        if found["line"] or letter in _SPACES:
            return "\n" if lines and letter not in "\t\v\f" else " "
        if letter in "\ufe0e\ufe0f" and unicodedata.category(text[found.start() - 1 : found.start()] or " ")[0] in "SP":
            return letter  # selects the form of the symbol before it
        number = ord(letter)
        return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 1 << 16 else f"\\U{number:08x}"

    return _HIDDEN.sub(shown, text)


def styled(*parts: Part, style: str = "", lines: bool = False) -> Text:
    """The cleaned parts as one text."""
    whole = Text(style=style)
    for part in parts:
        if isinstance(part, Text):
            whole.append_text(part)
        elif isinstance(part, str):
            whole.append(clean(part, lines=lines))
        else:
            whole.append(clean(part[0], lines=lines), part[1])
    return whole


def say(text: str, *, err: bool = False) -> None:
    """Print the text without wrapping; on standard error if ``err``."""
    _write(clean(text, lines=True), sys.stderr if err else sys.stdout)


def say_json(data: Any, *, indent: int | None = 2) -> None:
    """Print data as JSON: valid and unchanged whatever the output can encode, and harmless to a terminal."""
    say_json_text(json.dumps(data, indent=indent, ensure_ascii=False))


def say_json_text(text: str) -> None:
    """Like say_json, for text that is JSON already."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    _write(_in_ascii(text.rstrip("\n"), encoding), sys.stdout)


def _write(text: str, file: IO[str]) -> None:
    file.write(f"{text}\n")
    file.flush()


def _in_ascii(text: str, encoding: str) -> str:
    def escaped(found: re.Match[str]) -> str:
        return found[0] if found[0] in "\n" else json.dumps(found[0])[1:-1]  # outside strings, JSON is all ASCII

    text = _HIDDEN.sub(lambda found: found[0] if found["kept"] else escaped(found), text)
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return re.sub(r"[^\x00-\x7f]", escaped, text)
    return text


def clean_event(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """A structlog processor that cleans the texts of a log entry for a terminal."""
    return {
        name: clean(value, lines=name in ("exception", "stack")) if isinstance(value, str) else value
        for name, value in event.items()
    }


def never_fails_on_encoding() -> None:
    """From now on, print a question mark for every character that standard output cannot encode."""
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="replace")


@dataclass(slots=True)
class Grid:
    """A table without a frame. Columns named in ``rigid`` are not wrapped; those in ``right`` are right-aligned."""

    columns: Sequence[str]
    rigid: Iterable[str] = ()
    right: Iterable[str] = ()
    header: bool = True
    indent: int = 0
    rows: list[list[Text]] = field(default_factory=list)

    def add(self, *cells: Part) -> None:
        """Add a row; the cells may be text from any source."""
        assert len(cells) == len(self.columns)
        self.rows.append([styled(cell, lines=True) for cell in cells])

    def laid_out(self, width: int) -> RenderableType:
        """The table if it is readable at that width, else entry by entry."""
        widths = self._widths(width - self.indent - 2 * (len(self.columns) - 1))
        if widths is None:
            return self._by_entry()
        table = Table(
            *(
                Column(
                    clean(name), width=wide, overflow="fold", justify="right" if self._is(name, self.right) else "left"
                )
                for name, wide in zip(self.columns, widths, strict=True)
            ),
            box=None,
            padding=(0, 2, 0, 0),
            pad_edge=False,
            show_header=self.header,
        )
        for row in self.rows:
            table.add_row(*row)
        return Padding(table, (0, 0, 0, self.indent), expand=False)

    def _widths(self, room: int) -> list[int] | None:
        wanted = [
            max([cell_len(line) for row in self.rows for line in row[at].plain.split("\n")]
                + [cell_len(clean(name)) if self.header else 0, 1])
            for at, name in enumerate(self.columns)
        ]  # fmt: skip
        words = [
            max((cell_len(word) for row in self.rows for word in row[at].plain.split()), default=0)
            for at in range(len(wanted))
        ]
        least = [
            min(wide, _RIGID if self._is(name, (*self.rigid, *self.right)) else max(_NARROWEST, min(word, _WORD)))
            for name, wide, word in zip(self.columns, wanted, words, strict=True)
        ]
        if sum(least) > room:
            return None
        widths, spare = list(least), room - sum(least)
        while spare and (short := [at for at, wide in enumerate(widths) if wide < wanted[at]]):
            share = max(1, spare // len(short))
            for at in short:
                more = min(share, wanted[at] - widths[at], spare)
                widths[at] += more
                spare -= more
        return widths

    def _by_entry(self) -> RenderableType:
        whole = Text(overflow="fold")
        for number, row in enumerate(self.rows):
            whole.append("\n\n" if number else "")
            named = [
                styled((f"{clean(name)}: ", "dim") if self.header and name else "", cell)
                for name, cell in zip(self.columns, row, strict=True)
                if cell.plain
            ]
            whole.append_text(Text("\n").join(named))
        return Padding(whole, (0, 0, 0, self.indent), expand=False)

    @staticmethod
    def _is(name: str, among: Iterable[str]) -> bool:
        return name in tuple(among)


class Screen(Console):
    """A console that never interprets text from outside, whatever is printed."""

    def __init__(self, *, stderr: bool = False, file: IO[str] | None = None, width: int | None = None) -> None:
        super().__init__(stderr=stderr, file=file, width=width, markup=False, emoji=False, highlight=False)
        if width is None and not self.is_terminal and "COLUMNS" not in os.environ:
            self.width = _UNBOUNDED

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Like rich's own, but cleans any text that was not cleaned before."""
        for segment in super().render(renderable, options):
            text, style, control = segment
            yield segment if control else Segment(clean(text, lines=True), style)

    def tell(self, *parts: Part, style: str = "", indent: int = 0) -> None:
        """Print one paragraph, wrapped at the width of the terminal."""
        self.print(Padding(styled(*parts, style=style), (0, 0, 0, indent), expand=False), overflow="fold")

    def heading(self, title: str) -> None:
        """Print a heading."""
        self.print()
        self.print(styled(title, style="bold underline"))

    def grid(self, grid: Grid) -> None:
        """Print a table; nothing if it has no rows."""
        if grid.rows:
            self.print(grid.laid_out(self.width))
