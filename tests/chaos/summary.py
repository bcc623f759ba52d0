"""The results of a run, for `.careline/chaos/summary.json` and the table on the terminal."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field, is_dataclass
from pathlib import Path
from typing import Any

import psutil
from rich.table import Table

from tests.chaos.faults import FAULTS, Outcome

COUNTS = ("lost", "duplicated", "order_breaks", "wrong_states", "zombie_records", "unsettled")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The results of one fault."""

    name: str
    what: str
    count: int
    kills: int
    events: int
    outputs: int
    timers: int
    lost: int
    duplicated: int
    order_breaks: int
    wrong_states: int
    zombie_records: int
    unsettled: int
    result: str
    """"exact", or what was found instead."""
    seconds: float
    command: str
    notes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def good(self) -> bool:
        """Whether the result is correct."""
        return self.result == "exact"


@dataclass(slots=True, kw_only=True)
class Summary:
    """A whole run."""

    seed: int
    asked_kills: int
    rows: list[Row] = field(default_factory=list)
    bugs: dict[str, str] = field(default_factory=dict)
    """By planted bug, what noticed it; "" if nothing did."""
    provider: Mapping[str, Any] | None = None
    faust: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def figures(self) -> dict[str, Any]:
        """The whole summary, with the totals first."""
        provider = self.provider or {}

        def total(name: str) -> int:
            return _number(provider.get(name)) + sum(_number(getattr(row, name)) for row in self.rows)

        return {
            "kills": total("kills"),
            "events": total("events"),
            **{name: total(name) for name in COUNTS},
            "uncertain": _number(provider.get("uncertain")),
            "planted_bugs_caught": [name for name, noticed in self.bugs.items() if noticed],
            "planted_bugs_missed": [name for name, noticed in self.bugs.items() if not noticed],
            "planted_bugs": self.bugs,
            "seed": self.seed,
            "machine": machine(),
            "faults": [asdict(row) for row in self.in_order()],
            "provider": self.provider,
            "faust": self.faust,
        }

    @property
    def good(self) -> bool:
        """Whether nothing is lost, doubled, out of order or wrong, there is no zombie, and all bugs were noticed."""
        provider = self.provider or {}
        return (
            all(row.good for row in self.rows)
            and all(self.bugs.values())
            and not any(_number(provider.get(name)) for name in COUNTS)
            and not any(row["faults"] for row in provider.get("rows", ()))
        )

    def in_order(self) -> list[Row]:
        """The rows in the order of the faults."""
        return sorted(self.rows, key=lambda row: list(FAULTS).index(row.name))

    def keep(self, path: Path, *, but: Collection[str]) -> None:
        """Keep the results of an earlier run with the same seed, except for what is tried now."""
        if not path.exists():
            return
        earlier = json.loads(path.read_text(encoding="utf-8"))
        if earlier["seed"] == self.seed:
            self.rows += [Row(**row) for row in earlier["faults"] if row["name"] not in but]
            self.bugs |= {} if "bugs" in but else earlier["planted_bugs"]
            self.provider = None if "provider" in but else earlier["provider"]
            self.faust |= {} if "faust" in but else earlier["faust"]

    def write(self, path: Path) -> None:
        """Write it atomically."""
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(path.name + ".new")
        fresh.write_text(json.dumps(self.figures(), indent=2, default=str) + "\n")
        fresh.replace(path)


def row_of(name: str, what: str, outcome: Outcome, *, seconds: float, command: str) -> Row:
    """The row of a fault that was tried."""
    verdict = outcome.verdict
    wrong = [f"{getattr(verdict, one)} {one.replace('_', ' ')}" for one in COUNTS if getattr(verdict, one)]
    result = "; ".join(filter(None, [verdict.late, *wrong, *outcome.failures])) or "exact"
    notes = dict(outcome.notes) | ({"examples": verdict.examples} if verdict.examples else {})
    return Row(
        name=name, what=what, count=outcome.count, kills=outcome.kills, events=verdict.events,
        outputs=verdict.outputs, timers=verdict.timers, **{one: getattr(verdict, one) for one in COUNTS},
        result=result, seconds=round(seconds, 1), command=command, notes=notes,
    )  # fmt: skip


def plain(figures: Any) -> dict[str, Any]:
    """A dataclass of figures as JSON values."""
    if not is_dataclass(figures) or isinstance(figures, type):
        raise TypeError(f"{type(figures).__name__} is no dataclass")
    return asdict(figures)


def table(summary: Summary) -> Table:
    """The faults, one per line, and the totals below."""
    shown = Table(title=f"Faults tried, seed {summary.seed}", show_footer=False)
    for name in ("fault", "times", "kills", "events", "outputs", "lost", "twice", "order", "wrong", "zombie", "s"):
        shown.add_column(name, justify="left" if name == "fault" else "right")
    shown.add_column("result", max_width=60)
    for row in summary.in_order():
        counts = (row.lost, row.duplicated, row.order_breaks, row.wrong_states, row.zombie_records)
        shown.add_row(
            row.name, f"{row.count:,}", str(row.kills), f"{row.events:,}", f"{row.outputs:,}",
            *(f"{count:,}" for count in counts), f"{row.seconds:.0f}", row.result,
            style=None if row.good else "bold red",
        )  # fmt: skip
    return shown


def side_tables(summary: Summary) -> Iterator[Table]:
    """The provider's side and plain Faust, if they were driven."""
    sides: dict[str, list[Mapping[str, Any]]] = {
        "The provider's side": list((summary.provider or {}).get("rows", ())),
        "The same kills, plain Faust": list(summary.faust.values()),
    }
    for title, rows in sides.items():
        if rows:
            names = [name for name, value in rows[0].items() if isinstance(value, str | int | float)]
            shown = Table(*(name.replace("_", " ") for name in names), title=title)
            for row in rows:
                shown.add_row(*(str(row[name]) for name in names))
            yield shown


def machine() -> dict[str, Any]:
    """The machine that the run used."""
    return {
        "processors": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def _number(value: Any) -> int:
    return int(value or 0)
