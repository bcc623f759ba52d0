"""`python -m tests.benchmarks.chart`: the summary into docs/: its copy, the charts, the tables of performance.md.

The tables are between markers, and a test checks that they and the charts match docs/performance.json.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.benchmarks import figures
from tests.benchmarks.charts import charts
from tests.benchmarks.figures import GOALS
from tests.benchmarks.printed import shown, throughput_rows
from tests.benchmarks.rounds import ROOT
from tests.benchmarks.summary import SUMMARY, load

DOCS = ROOT / "docs"
PAGE = DOCS / "performance.md"
COPY = DOCS / "performance.json"

_BLOCK = r"(<!-- generated: {name} -->\n).*?(<!-- end of {name} -->)"


def main() -> int:
    """Write the files; returns 1 if there is no summary yet."""
    file = Path(sys.argv[1]) if len(sys.argv) > 1 else SUMMARY
    if not file.exists():
        print(f"there is no {file}: measure first, with make bench", file=sys.stderr)
        return 1
    shutil.copyfile(file, COPY)
    summary = load(COPY)
    for name, picture in charts(summary).items():
        (DOCS / name).write_text(picture, encoding="utf-8")
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8"), summary), encoding="utf-8")
    return 0


def with_tables(page: str, summary: Mapping[str, Any]) -> str:
    """The page with the tables between its markers taken from the summary. Raises ValueError for a missing marker."""
    for name, made in TABLES.items():
        pattern = re.compile(_BLOCK.format(name=name), re.DOTALL)
        if not pattern.search(page):
            raise ValueError(f"the page has no place for {name}")
        table = made(summary)
        page = pattern.sub(lambda found, table=table: f"{found[1]}{table}\n{found[2]}", page)  # type: ignore[misc]
    return page


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _goals(summary: Mapping[str, Any]) -> str:
    words = {True: "reached", False: "**not reached**", None: "not measured"}
    rows = [
        (goal.title, shown(goal.figure(summary)), goal.words, words[goal.reached(summary)])
        for goal in GOALS
    ]  # fmt: skip
    return _table(("figure", "measured", "goal", ""), rows)


def _throughput(summary: Mapping[str, Any]) -> str:
    if "throughput" not in summary["parts"]:
        return "Not measured."
    part = summary["parts"]["throughput"]
    head = (
        "side",
        "ours over it",
        "events/s",
        "least",
        "most",
        "CPU µs per event",
        "cores busy",
        "threads starved",
        "peak MiB",
    )
    runs = max(len(found) for found in part["runs"].values())
    kinds = ", ".join(f"{count:,} {name}" for name, count in part["stream"].items())
    return (
        f"{_table(head, throughput_rows(summary))}\n\nMedians of {runs} runs; {part['events']:,} events of "
        f"{part['customers']:,} customers, seed {part['seed']}: {kinds}."
    )


def _microseconds(summary: Mapping[str, Any]) -> str:
    if not summary["microseconds"]:
        return "Not measured."
    rows = [(stage, f"{spent:.1f}") for stage, spent in summary["microseconds"].items()]
    counted = figures.middle(summary["parts"]["where_time_goes"]["runs"], "states_per_event")
    made = figures.middle(summary["parts"]["where_time_goes"]["runs"], "outputs_per_event")
    return (
        f"{_table(('stage', 'µs per event'), rows)}\n\nPer event {shown(counted)} states and {shown(made)} decisions, "
        "requests and retractions are written: a state that several events of a batch change is written once."
    )


def _latency(summary: Mapping[str, Any]) -> str:
    runs = [run for run in summary["parts"].get("latency", {}).get("runs", ()) if "p50" in run]
    if not runs:
        return "Not measured."
    rows = [
        (
            str(run["run"]), *(f"{run[name]:.0f}" for name in ("p50", "p99", "max")), f"{run['samples']:,}",
            f"{run['transaction_ms']:.0f}", f"{run['publisher_behind_ms']:.0f}",
        )
        for run in runs
    ]  # fmt: skip
    head = ("run", "p50 ms", "p99 ms", "largest ms", "requests", "mean transaction ms", "publisher late ms")
    return _table(head, rows)


def _scale(summary: Mapping[str, Any]) -> str:
    cases = summary["parts"].get("scale", {}).get("runs", {})
    rows = [
        (name.replace("_", " "), shown(figures.middle(runs, "eps")), shown(summary["scale"][name]))
        for name, runs in cases.items()
    ]
    return _table(("case", "events/s", "times the first"), rows) if rows else "Not measured."


def _million(summary: Mapping[str, Any]) -> str:
    sizes = summary["parts"].get("million", {}).get("runs", {})
    if not sizes:
        return "Not measured."
    names = ("rss_mib", "peak_mib", "ready_s", "recovery_s", "state_bytes")
    rows = [
        (f"{int(size):,}", *(shown(figures.middle(runs, name)) for name in names)) for size, runs in sizes.items()
    ]  # fmt: skip
    head = ("customers", "resident MiB", "peak MiB", "start to ready s", "of it recovery s", "bytes a state")
    grown = summary["growth_100k_to_1m"]
    said = ", ".join(f"{title} {grown[name]:g}" for name, title in _GROWN.items() if name in grown)
    return _table(head, rows) + (f"\n\nFrom the smallest to the largest, times: {said}." if said else "")


_GROWN = {"customers": "customers", "rss_mib": "memory", "recovery_s": "recovery", "ready_s": "start to ready"}


def _letters(summary: Mapping[str, Any]) -> str:
    runs = summary["parts"].get("letters", {}).get("runs", [])
    rows = [(str(run["run"]), shown(run["letters_per_s"])) for run in runs if "letters_per_s" in run]
    if not rows:
        return "Not measured."
    return f"![Letters a second](performance-letters.svg)\n\n{_table(('run', 'letters a second'), rows)}"


def _measured(summary: Mapping[str, Any]) -> str:
    machine = summary["machine"]
    times = ", ".join(f"{name} {part['at'][:16]}Z" for name, part in summary["parts"].items())
    return (
        f"{machine['cores']} cores of {machine['cpu']}, {machine['memory_gib']} GiB, {machine['system']}; Python "
        f"{machine['python']}, Java {machine['java']}, Kafka {machine['kafka']}, one broker on the same machine.\n"
        f"Measured: {times}."
    )


TABLES: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "goals": _goals,
    "machine": _measured,
    "throughput": _throughput,
    "microseconds": _microseconds,
    "latency": _latency,
    "scale": _scale,
    "million": _million,
    "letters": _letters,
}
"""What stands between the page's markers, by the marker's name."""


if __name__ == "__main__":
    sys.exit(main())
