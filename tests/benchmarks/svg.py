"""Bar charts as plain SVG, readable on a light and a dark background. Pure: the same rows give the same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

_WIDTH = 960
_LEFT, _RIGHT = 380, 210  # room for the bars' names, and for what is said behind them
_BAR, _STEP = 22, 36

_STYLE = """
    .ground { fill: #fbfaf7; stroke: #d9d5cc; }
    .title { fill: #1d1f23; font-size: 19px; font-weight: 600; }
    .heading { fill: #1d1f23; font-size: 15px; font-weight: 600; }
    .name { fill: #1d1f23; font-size: 14px; text-anchor: end; }
    .said { fill: #1d1f23; font-size: 14px; paint-order: stroke; stroke: #fbfaf7; stroke-width: 4px; }
    .note { fill: #55524b; font-size: 13px; }
    .ours { fill: #3f8350; }
    .theirs { fill: #7ba6d1; }
    .range { stroke: #1d1f23; stroke-width: 1.5; }
    .goal { stroke: #b4551f; stroke-width: 2; stroke-dasharray: 5 4; }
    .goalnote { fill: #9a4414; font-size: 13px; text-anchor: middle; }
    @media (prefers-color-scheme: dark) {
      .ground { fill: #17191d; stroke: #3a3e46; }
      .title, .heading, .name, .said { fill: #f0f1f3; }
      .said { stroke: #17191d; }
      .note { fill: #b9bec7; }
      .ours { fill: #6fbf82; }
      .theirs { fill: #4a79a8; }
      .range { stroke: #f0f1f3; }
      .goal { stroke: #f0a06a; }
      .goalnote { fill: #f0a06a; }
    }
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar: its name, its length, and the text after it. ``low`` and ``high`` are drawn as a range."""

    name: str
    value: float
    said: str
    ours: bool = False
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Bars with the same unit under a heading, optionally with a goal."""

    heading: str
    bars: Sequence[Bar]
    goal: float | None = None
    goal_said: str = ""


def chart(*, title: str, description: str, notes: Sequence[str], sections: Sequence[Section]) -> str:
    """The chart. ``description`` is its text alternative."""
    parts: list[str] = []
    y = 68
    for note in notes:
        parts.append(_text("note", 24, y, note))
        y += 20
    for section in sections:
        if section.heading:
            y += 20
            parts.append(_text("heading", 24, y, section.heading))
        y += 34 if section.goal is not None else 10
        parts += _section(section, y)
        y += len(section.bars) * _STEP + 4
    height = y + 12
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" '
        'aria-labelledby="title desc"\n'
        "     font-family=\"system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif\">\n"
        f'  <title id="title">{escape(title)}</title>\n'
        f'  <desc id="desc">{escape(description)}</desc>\n'
        f"  <style>{_STYLE}  </style>\n"
        f'  <rect class="ground" x="1" y="1" width="{_WIDTH - 2}" height="{height - 2}" rx="14"/>\n'
        f"  {_text('title', 24, 40, title)}\n" + "".join(f"  {part}\n" for part in parts) + "</svg>\n"
    )


def _section(section: Section, top: int) -> list[str]:
    ends = [bar.high or bar.value for bar in section.bars] + [section.goal or 0.0]
    scale = (_WIDTH - _LEFT - _RIGHT) / (max(ends) or 1.0)
    shapes: list[str] = []
    texts: list[str] = []
    for number, bar in enumerate(section.bars):
        y, middle = top + number * _STEP, top + number * _STEP + _BAR / 2
        width = bar.value * scale
        kind = "ours" if bar.ours else "theirs"
        shapes.append(f'<rect class="{kind}" x="{_LEFT}" y="{y}" width="{width:.1f}" height="{_BAR}" rx="3"/>')
        end = width
        if bar.low is not None and bar.high is not None and bar.high > bar.low:
            low, high = _LEFT + bar.low * scale, _LEFT + bar.high * scale
            shapes.append(f'<path class="range" d="M{low:.1f} {middle:.1f}H{high:.1f}"/>')
            end = max(end, high - _LEFT)
        texts.append(_text("name", _LEFT - 12, middle + 5, bar.name))
        texts.append(_text("said", _LEFT + end + 10, middle + 5, bar.said))
    if section.goal is not None:
        x = _LEFT + section.goal * scale
        bottom = top + len(section.bars) * _STEP - (_STEP - _BAR) + 6
        shapes.append(f'<path class="goal" d="M{x:.1f} {top - 8}V{bottom}"/>')
        texts.append(_text("goalnote", x, top - 14, section.goal_said))
    return shapes + texts  # texts are drawn over the lines


def _text(kind: str, x: float, y: float, text: str) -> str:
    return f'<text class="{kind}" x="{x:.5g}" y="{y:.5g}">{escape(text)}</text>'
