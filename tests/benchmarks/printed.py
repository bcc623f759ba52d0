"""Prints the summary for a person: ratios first, with the goals and the failures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.benchmarks import figures
from tests.benchmarks.figures import GOALS
from tests.benchmarks.sides import SIDES


def print_summary(summary: Mapping[str, Any], console: Console) -> None:
    """Print all figures of the summary."""
    goals = Table("figure", "measured", "goal", "", title="Goals")
    for goal in GOALS:
        reached = {True: "[green]reached[/]", False: "[red]not reached[/]", None: "not measured"}[goal.reached(summary)]
        goals.add_row(goal.title, shown(goal.figure(summary)), goal.words, reached)
    console.print(goals)
    if "throughput" in summary["parts"]:
        part = summary["parts"]["throughput"]
        title = f"{part['events']:,} events of {part['customers']:,} customers"
        rates = Table("side", "ours", "events/s", "CPU µs", "cores", "starved", "MiB", title=title)
        for name, (_, over, rate, _, _, *took) in zip(part["runs"], throughput_rows(summary), strict=True):
            rates.add_row(name, over, rate, *took)
        console.print(rates)
    if summary["microseconds"]:
        spent = Table("stage", "µs per event", title="Where the time goes")
        for stage, micros in summary["microseconds"].items():
            spent.add_row(stage, f"{micros:.1f}")
        console.print(spent)
    for name, ratio in list(summary["scale"].items())[1:]:
        console.print(f"{name.replace('_', ' ')}: {shown(ratio)} times one worker with 4 partitions", highlight=False)
    if summary["growth_100k_to_1m"]:
        told = ", ".join(f"{name} x {by:g}" for name, by in summary["growth_100k_to_1m"].items())
        console.print(f"growth: {told}", highlight=False)
    machine = ", ".join(f"{name} {value}" for name, value in summary["machine"].items())
    console.print(f"{summary['at']}: {machine}", highlight=False, soft_wrap=True)
    for part, failed in summary["failed"].items():
        console.print(f"FAILED in {part}: {failed}", style="red", highlight=False, markup=False)


def throughput_rows(summary: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """One row per side: title, our ratio to it, median, least and most events/s, and the resources used."""
    sides = summary["parts"]["throughput"]["runs"]
    found: list[tuple[str, ...]] = []
    for name, runs in sides.items():
        rates = [run["eps"] for run in runs if "eps" in run]
        if not rates:
            found.append((SIDES[name].title, "", "failed", *[""] * 6))
            continue
        over = figures.ratio(sides.get("journeys", []), runs)
        whole = (shown(figures.middle(runs, name)) for name in ("cpu_us", "busy", "starved", "peak_mib"))
        found.append(
            (
                SIDES[name].title,
                "" if over is None or name == "journeys" else f"{over:.2f}",
                f"{figures.middle(runs, 'eps'):,.0f}",
                f"{min(rates):,.0f}",
                f"{max(rates):,.0f}",
                *whole,
            )
        )
    return found


def shown(figure: float | None) -> str:
    """The figure without meaningless digits."""
    if figure is None:
        return "–"
    return f"{figure:,.0f}" if figure >= 100 else f"{figure:.1f}" if figure >= 20 else f"{figure:.2f}"
