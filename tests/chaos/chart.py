"""``python -m tests.chaos.chart``: writes docs/chaos.svg and the table in docs/reliability.md from a run's figures."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from typing import Any

from tests.chaos.summary import COUNTS

SUMMARY = Path(".careline/chaos/summary.json")
CHART = Path("docs/chaos.svg")
PAGE = Path("docs/reliability.md")

_WIDTH = 1000
_LINE = 26
_LEFT, _BAR, _RIGHT = 190, 430, 640
_COUNTS = COUNTS[:5]  # records seen and gone have no column of their own; they are in the result

_STYLE = """
    .ground { fill: #fbfaf7; stroke: #d9d5cc; }
    .head { fill: #1d1f23; font-size: 19px; font-weight: 600; }
    .name { fill: #1d1f23; font-size: 13.5px; text-anchor: end; }
    .note { fill: #55524b; font-size: 12.5px; }
    .value { fill: #1d1f23; font-size: 12.5px; }
    .good { fill: #3f8350; }
    .bad { fill: #b3412c; }
    .line { stroke: #d9d5cc; }
    @media (prefers-color-scheme: dark) {
      .ground { fill: #17191d; stroke: #3a3e46; }
      .head, .name, .value { fill: #f0f1f3; }
      .note { fill: #b9bec7; }
      .good { fill: #6fbf82; }
      .bad { fill: #ee8a73; }
      .line { stroke: #3a3e46; }
    }"""


def svg(figures: Mapping[str, Any]) -> str:
    """The chart of a run's figures."""
    ours = [(row["name"].replace("_", " "), row) for row in figures["faults"]]
    peers = [(f"plain {name}".replace("_", " "), row) for name, row in figures["faust"].items()]
    most = max((row.get("events") or 1 for _, row in (*ours, *peers)), default=1)
    wrong = sum(figures[name] for name in COUNTS)
    caught, planted = len(figures["planted_bugs_caught"]), len(figures["planted_bugs"])
    head = f"{figures['events']:,} touchpoints under {len(ours)} kinds of faults: " + (
        "nothing lost, nothing twice" if not wrong else f"{wrong:,} differences"
    )
    note = f"{figures['kills']:,} processes killed with -9; bars: touchpoints dealt with under the fault (logarithmic)"
    if planted:
        note += f"; {caught} of {planted} planted bugs noticed"
    parts = [f'  <text class="head" x="30" y="42">{escape(head)}</text>']
    parts.append(f'  <text class="note" x="30" y="64">{escape(note)}</text>')
    y = 84
    parts += _rows(ours, y, most)
    y += _LINE * len(ours)
    if peers:
        parts.append(f'  <line class="line" x1="30" x2="{_WIDTH - 30}" y1="{y + 8}" y2="{y + 8}"/>')
        y += 16
        parts += _rows(peers, y, most)
        y += _LINE * len(peers)
    height = y + 24
    body = "\n".join(parts)
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img"
     aria-labelledby="title" font-family="system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif">
  <title id="title">{escape(head)}. {escape(note)}.</title>
  <style>{_STYLE}
  </style>
  <rect class="ground" x="1" y="1" width="{_WIDTH - 2}" height="{height - 2}" rx="14"/>
{body}
</svg>
"""


def _rows(rows: Iterable[tuple[str, Mapping[str, Any]]], top: int, most: int) -> list[str]:
    parts = []
    for number, (name, row) in enumerate(rows):
        y = top + number * _LINE
        events = row.get("events") or 0
        wrong = sum(row.get(count) or 0 for count in COUNTS)
        good = not wrong and row.get("result", "exact") == "exact"
        width = max(2.0, _BAR * math.log10(events + 1) / math.log10(most + 1))
        kind = "good" if good else "bad"
        parts.append(f'  <text class="name" x="{_LEFT - 10}" y="{y + 17}">{escape(name)}</text>')
        parts.append(f'  <rect class="{kind}" x="{_LEFT}" y="{y + 5}" width="{width:.0f}" height="16" rx="3"/>')
        parts.append(
            f'  <text class="value" x="{_RIGHT}" y="{y + 17}">{escape(_said(row, events, wrong, good))}</text>'
        )
    return parts


def _said(row: Mapping[str, Any], events: int, wrong: int, good: bool) -> str:
    kills = f", {row['kills']} kills" if row.get("kills") else ""
    if good:
        return f"{events:,} touchpoints{kills}: exact"
    if not wrong:
        return f"{events:,} touchpoints{kills}: {str(row.get('result'))[:30]}"
    counted = ((row.get(name) or 0, word) for name, word in zip(COUNTS, _WORDS, strict=True))
    return f"{events:,}: " + ", ".join(f"{count:,} {word}" for count, word in counted if count)


_WORDS = ("lost", "twice", "out of order", "wrong states", "of zombies", "unsettled")


def draw(summary: Path = SUMMARY, chart: Path = CHART) -> None:
    """Draw the chart of a summary. Raises FileNotFoundError if there is none."""
    chart.write_text(svg(json.loads(summary.read_text(encoding="utf-8"))), encoding="utf-8")


_BEGIN, _END = "<!-- figures: python -m tests.chaos.chart -->", "<!-- end of the figures -->"


def tabulate(summary: Path = SUMMARY, page: Path = PAGE) -> None:
    """Write the figures into the page, between its two marks. Raises ValueError if the marks are missing."""
    figures = json.loads(summary.read_text(encoding="utf-8"))
    text = page.read_text(encoding="utf-8")
    head, found, rest = text.partition(_BEGIN)
    _, ended, tail = rest.partition(_END)
    if not (found and ended):
        raise ValueError(f"{page} has no place for the figures")
    page.write_text(f"{head}{_BEGIN}\n\n{_page(figures)}\n{_END}{tail}", encoding="utf-8")


def _page(figures: Mapping[str, Any]) -> str:
    machine = figures["machine"]
    lines = [
        (
            f"Seed {figures['seed']}, {machine['processors']} processors, Python {machine['python']}; "
            f"{figures['kills']:,} processes killed with -9 and {figures['events']:,} touchpoints in all."
        ),
        "",
        "| fault | times | touchpoints | outputs | lost | twice | out of order | wrong | of zombies | command |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    for row in figures["faults"]:
        counts = " | ".join(f"{row[name]:,}" for name in _COUNTS)
        lines.append(
            f"| **{row['name'].replace('_', ' ')}**: {row['what'].rstrip('.')} | {row['count']:,} "
            f"| {row['events']:,} | {row['outputs']:,} | {counts} | `{row['command']}` |"
        )
    lines += _listed((figures["provider"] or {}).get("rows", ()), _PROVIDER)
    lines += _listed(figures["faust"].values(), _FAUST)
    if figures["planted_bugs"]:
        lines += ["", "| planted bug | the oracle says |", "| --- | --- |"]
        lines += [f"| {bug.replace('_', ' ')} | {by or 'nothing'} |" for bug, by in figures["planted_bugs"].items()]
    return "\n".join(lines) + "\n"


_PROVIDER = {
    "provider": "provider", "kills": "kills", "requests": "letters", "calls": "calls", "sent": "sent",
    "failed": "failed", "uncertain": "uncertain", "duplicated": "shown twice", "unaccounted": "unaccounted",
}  # fmt: skip
_FAUST = {
    "guarantee": "plain Faust", "kills": "kills", "events": "events", "lost": "lost", "duplicated": "twice",
    "order_breaks": "out of order", "wrong_states": "wrong counts",
}  # fmt: skip


def _listed(rows: Iterable[Mapping[str, Any]], columns: Mapping[str, str]) -> list[str]:
    """The rows as a table with these columns; nothing if there are no rows."""
    body = ["| " + " | ".join(_cell(row[name]) for name in columns) + " |" for row in rows]
    if not body:
        return []
    return ["", "| " + " | ".join(columns.values()) + " |", "| --- |" + " ---: |" * (len(columns) - 1), *body]


def _cell(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value).replace("_", " ")


if __name__ == "__main__":
    draw(*(Path(word) for word in sys.argv[1:2]))
    tabulate(*(Path(word) for word in sys.argv[1:2]))
