"""``python -m tests.drill.table``: writes the figures of a drive into docs/reliability.md."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.drill.summary import SUMMARY, cells

PAGE = Path("docs/reliability.md")
BEGIN, END = "<!-- figures: python -m tests.drill.table -->", "<!-- end of the drill's figures -->"


def tabulate(summary: Path = SUMMARY, page: Path = PAGE) -> None:
    """Write the figures into the page, between its two marks.

    Raises ValueError if the marks are missing, FileNotFoundError if there are no figures.
    """
    figures = json.loads(summary.read_text(encoding="utf-8"))
    text = page.read_text(encoding="utf-8")
    head, found, rest = text.partition(BEGIN)
    _, ended, tail = rest.partition(END)
    if not (found and ended):
        raise ValueError(f"{page} has no place for the figures")
    page.write_text(f"{head}{BEGIN}\n\n{lines(figures)}\n{END}{tail}", encoding="utf-8")


def lines(figures: Mapping[str, Any]) -> str:
    """The table of a drive, with what it was driven on."""
    machine, wrong = figures["machine"], figures["wrong"]
    said = [
        (
            f"{len(figures['faults'])} faults, {machine['processors']} processors, Python {machine['python']}. Every "
            f"duration of the rules (`for`, windows, intervals) was divided by {figures['factor']}, and nothing else "
            "was changed; "
            + ("every alert did what it should." if not wrong else f"{wrong} of the faults had a wrong result.")
        ),
        "",
        "| fault | alert | its `for` | seconds to fire | to resolve | suppressed | also fired | result | command |",
        "| --- | --- | ---: | ---: | ---: | --- | --- | --- | --- |",
    ]
    for row in figures["faults"]:
        result = "; ".join(row["failures"]) or "right"
        name = f"**{row['name'].replace('_', ' ')}**: {row['what']}"
        said.append(f"| {' | '.join([name, *cells(row), result])} | `{row['command']}` |")
    if busy := [row["name"].replace("_", " ") for row in figures["faults"] if row.get("left_out")]:
        names = ", ".join(busy)
        said += [
            "",
            f"The machine was busy with other work during {names}: alerts on lateness, which said so, are left out.",
        ]
    return "\n".join(said) + "\n"


if __name__ == "__main__":
    tabulate(*(Path(word) for word in sys.argv[1:2]))
