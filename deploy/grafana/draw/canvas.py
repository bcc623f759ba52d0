"""Shapes of SVG, in colours that are readable on a light and a dark background."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from deploy.grafana.model import Colour, Steps

_PALETTE = (
    ("#3973ac", "#6aa5df"), ("#c2571a", "#f08a4b"), ("#3f8350", "#6fbf82"), ("#7b5ea7", "#b9a3e3"),
    ("#a07d12", "#d9b84a"), ("#1f8a8a", "#5cc4c4"), ("#b04a78", "#e58bb2"), ("#6b6f76", "#a3a9b3"),
)  # fmt: skip
_MEANT = {
    "good": ("#2f7d46", "#6fbf82"),
    "warn": ("#a86400", "#e3a83b"),
    "bad": ("#b3261e", "#f2766b"),
    "calm": ("#3973ac", "#6aa5df"),
    "quiet": ("#85827a", "#8f959f"),
}
CLASSES = {
    Colour.GOOD: "good",
    Colour.WARN: "warn",
    Colour.BAD: "bad",
    Colour.CALM: "calm",
    Colour.QUIET: "quiet",
}
_ALIKE = {"calm": 0, "warn": 4, "good": 2, "quiet": 7, "bad": 1}
"""Which of the palette looks like a colour that means something."""

_INK = """
    .ground { fill: #f4f2ec; }
    .card { fill: #fffefb; stroke: #d9d5cc; }
    .heading { fill: #1d1f23; font-size: 25px; font-weight: 650; }
    .about { fill: #55524b; font-size: 15px; }
    .section { fill: #1d1f23; font-size: 16px; font-weight: 600; }
    .title { fill: #1d1f23; font-size: 15.5px; font-weight: 600; }
    .axis { fill: #55524b; font-size: 13px; }
    .name { fill: #1d1f23; font-size: 14px; }
    .soft { fill: #55524b; font-size: 14px; }
    .value { fill: #1d1f23; font-size: 14px; font-weight: 600; }
    .word { fill: #ffffff; font-size: 13px; font-weight: 600; }
    .big { font-weight: 650; }
    .onfill { fill: #ffffff; }
    .middle { text-anchor: middle; }
    .end { text-anchor: end; }
    .grid { stroke: #e7e3da; stroke-width: 1; fill: none; }
    .rule { stroke: #cfcabf; stroke-width: 1; fill: none; }
    .line { fill: none; stroke-width: 2.2; stroke-linejoin: round; }
    .area { stroke: none; fill-opacity: .2; }
    .faint { stroke: none; fill-opacity: .09; }
    .limit { fill: none; stroke-width: 1.6; stroke-dasharray: 6 5; }
    .halo { paint-order: stroke; stroke: #fffefb; stroke-width: 4px; font-size: 13px; }
    .alarm { fill: #b3261e; fill-opacity: .09; }
"""
_DARK_INK = """
      .ground { fill: #111317; }
      .card { fill: #1b1e23; stroke: #343941; }
      .heading, .section, .title, .name, .value { fill: #f0f1f3; }
      .about, .axis, .soft { fill: #b9bec7; }
      .word, .onfill { fill: #111317; }
      .grid { stroke: #2b3037; }
      .rule { stroke: #464c56; }
      .halo { stroke: #1b1e23; }
      .alarm { fill: #f2766b; fill-opacity: .13; }
"""


def _coloured(dark: bool) -> str:
    pairs = {f"c{number}": pair for number, pair in enumerate(_PALETTE)} | _MEANT
    indent = " " * (6 if dark else 4)
    return "".join(
        f"{indent}.{name} {{ stroke: {pair[dark]}; }} .{name}f {{ fill: {pair[dark]}; }}\n"
        for name, pair in pairs.items()
    )


STYLE = f"{_INK}{_coloured(False)}    @media (prefers-color-scheme: dark) {{{_DARK_INK}{_coloured(True)}    }}\n"


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle by its upper left corner."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """Its lower edge."""
        return self.y + self.height

    def inside(self, *, left: float = 0, top: float = 0, right: float = 0, bottom: float = 0) -> Box:
        """The box within these margins."""
        return Box(self.x + left, self.y + top, self.width - left - right, self.height - top - bottom)


@dataclass(slots=True)
class Canvas:
    """Collects shapes in the order in which they lie upon one another."""

    parts: list[str] = field(default_factory=list)

    def text(
        self,
        classes: str,
        x: float,
        y: float,
        text: str,
        *,
        room: float | None = None,
        size: float = 0,
        after: str = "",
    ) -> None:
        """A line of text, shortened to ``room`` pixels; ``after`` follows it as a value."""
        size_of = size or _SIZE_OF.get(classes.split()[0], 14)
        shown = text if room is None else fitting(text, room, size_of)
        attribute = f' font-size="{size:.4g}"' if size else ""
        value = f' <tspan class="value">{escape(after)}</tspan>' if after else ""
        full = f"<title>{escape(text)}</title>" if shown != text else ""
        self.parts.append(
            f'<text class="{classes}" x="{_n(x)}" y="{_n(y)}"{attribute}>{full}{escape(shown)}{value}</text>'
        )

    def rect(self, classes: str, box: Box, *, round_by: float = 0, opacity: float | None = None, tip: str = "") -> None:
        """A filled rectangle; ``tip`` is shown under the pointer."""
        more = f' rx="{_n(round_by)}"' if round_by else ""
        more += f' fill-opacity="{opacity:.2f}"' if opacity is not None else ""
        place = f'x="{_n(box.x)}" y="{_n(box.y)}" width="{_n(box.width)}" height="{_n(box.height)}"'
        shape = f'<rect class="{classes}" {place}{more}'
        self.parts.append(f"{shape}><title>{escape(tip)}</title></rect>" if tip else f"{shape}/>")

    def path(self, classes: str, points: Sequence[tuple[float, float]], *, closed: bool = False) -> None:
        """A line through the points."""
        if points:
            way = "M" + "L".join(f"{_n(x)} {_n(y)}" for x, y in points) + ("Z" if closed else "")
            self.parts.append(f'<path class="{classes}" d="{way}"/>')


_SIZE_OF = {"heading": 25, "about": 15, "section": 16, "title": 16.5, "axis": 13, "word": 13}
"""By class; a little more than its font where that is bold."""


def width_of(text: str, size: float) -> float:
    """About as wide as the text is in a sans-serif font; rather too wide than too narrow."""
    narrow = sum(letter in "iljtfr.,:;|'()" for letter in text)
    wide = sum(letter.isupper() or letter in "mw%" for letter in text)
    return (len(text) - 0.45 * narrow + 0.25 * wide) * size * 0.6


def fitting(text: str, room: float, size: float) -> str:
    """The text, or as much of its beginning as fits, and an ellipsis."""
    if width_of(text, size) <= room:
        return text
    while text and width_of(text + "…", size) > room:
        text = text[:-1]
    return text.rstrip() + "…"


def colour_at(value: float, steps: Steps) -> str:
    """The class of the last step that is not above the value."""
    shown = "quiet"
    for step in steps:
        if step.at is None or value >= step.at:
            shown = CLASSES[step.colour]
    return shown


def colours_for(names: Sequence[str], fixed: dict[str, Colour]) -> list[str]:
    """A class for each series: the fixed ones, and for the others those of the palette that look like none of these."""
    taken = {_ALIKE[CLASSES[fixed[name]]] for name in names if name in fixed}
    free = [number for number in range(len(_PALETTE)) if number not in taken] or list(range(len(_PALETTE)))
    given = iter(range(len(names)))
    return [CLASSES[fixed[name]] if name in fixed else f"c{free[next(given) % len(free)]}" for name in names]


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
