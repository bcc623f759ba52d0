"""The figures of a drive: kept in a file, one row for each fault."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from tests.drill.faults import FAULTS

SUMMARY = Path(".careline/drill/summary.json")


def kept(path: Path = SUMMARY, *, but: Collection[str], factor: int) -> list[dict[str, Any]]:
    """The rows of an earlier drive with the same factor, except for what is tried now."""
    if not path.exists():
        return []
    earlier = json.loads(path.read_text(encoding="utf-8"))
    return [row for row in earlier["faults"] if row["name"] not in but] if earlier["factor"] == factor else []


def written(
    rows: list[dict[str, Any]], path: Path = SUMMARY, *, factor: int, machine: Mapping[str, Any]
) -> dict[str, Any]:
    """Write the summary, atomically, its rows in the order of the faults; returns it."""
    order = list(FAULTS)
    rows.sort(key=lambda row: order.index(row["name"]))
    figures = {
        "factor": factor,
        "right": sum(1 for row in rows if not row["failures"]),
        "wrong": sum(1 for row in rows if row["failures"]),
        "machine": dict(machine),
        "faults": rows,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    fresh.replace(path)
    return figures


def cells(row: Mapping[str, Any]) -> list[str]:
    """A row's alerts, their ``for``, seconds to fire and to resolve, what was suppressed, and what else fired."""
    alerts = row["alerts"]
    return [
        ", ".join(alerts) or "none",
        ", ".join(_words(one["for"]) for one in alerts.values()) or "-",
        ", ".join(_number(one["fired"]) for one in alerts.values()) or "-",
        ", ".join(_number(one["resolved"]) for one in alerts.values()) or "-",
        ", ".join(row["suppressed"]) or "-",
        ", ".join(row["also"]) or "-",
    ]


def _number(value: float | None) -> str:
    return "never" if value is None else f"{value:.1f}"


def _words(seconds: float) -> str:
    """``for`` as people write it: 90 s, 5 min, 1 h."""
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
