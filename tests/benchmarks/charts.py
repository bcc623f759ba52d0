"""The charts of a summary, by file name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.benchmarks import figures
from tests.benchmarks.figures import GOALS, Goal
from tests.benchmarks.printed import shown
from tests.benchmarks.sides import JOURNEYS, SIDES
from tests.benchmarks.svg import Bar, Section, chart


def charts(summary: Mapping[str, Any]) -> dict[str, str]:
    """Every chart that the summary has figures for, as SVG."""
    made = {
        "performance-throughput.svg": _throughput(summary),
        "performance-time.svg": _time(summary),
        "performance-latency.svg": _latency(summary),
        "performance-scale.svg": _scale(summary),
        "performance-million.svg": _million(summary),
        "performance-letters.svg": _letters(summary),
    }
    return {name: picture for name, picture in made.items() if picture is not None}


def _runs(summary: Mapping[str, Any], part: str) -> Any:
    return summary["parts"].get(part, {}).get("runs")


def _throughput(summary: Mapping[str, Any]) -> str | None:
    sides = _runs(summary, "throughput")
    if not sides:
        return None
    part = summary["parts"]["throughput"]
    bars = []
    for name, runs in sides.items():
        rates = [run["eps"] for run in runs if "eps" in run]
        if not rates:
            bars.append(Bar(name=SIDES[name].title, value=0, said="failed"))
            continue
        middle = figures.middle(runs, "eps") or 0
        over = figures.ratio(sides.get(JOURNEYS, []), runs)
        said = f"{middle:,.0f}" + ("" if name == JOURNEYS or over is None else f" · ours {over:.2f} ×")
        bars.append(
            Bar(
                name=SIDES[name].title,
                value=middle,
                said=said,
                ours=name == JOURNEYS,
                low=min(rates),
                high=max(rates),
            )
        )
    return chart(
        title="Events a second",
        description="; ".join(f"{bar.name}: {bar.said}" for bar in bars),
        notes=[
            f"{part['events']:,} events, {part['customers']:,} customers; {_of(_count(sides))}",
            "Ours deduplicates, folds, decides, writes state and decisions; a peer keeps a small aggregate.",
        ],
        sections=[Section(heading="", bars=bars)],
    )


def _time(summary: Mapping[str, Any]) -> str | None:
    micros = summary["microseconds"]
    if not micros:
        return None
    bars = [Bar(name=stage, value=max(spent, 0), said=f"{spent:.1f} µs", ours=True) for stage, spent in micros.items()]
    return chart(
        title="Where the time goes",
        description="; ".join(f"{bar.name}: {bar.said}" for bar in bars),
        notes=["Processor time of the journeys role per event, in microseconds; medians."],
        sections=[Section(heading="", bars=bars)],
    )


def _latency(summary: Mapping[str, Any]) -> str | None:
    runs = [run for run in _runs(summary, "latency") or [] if "p50" in run]
    if not runs:
        return None
    bars = []
    for figure in ("p50", "p99"):
        values = [run[figure] for run in runs]
        middle = figures.middle(runs, figure) or 0
        bars.append(
            Bar(name=figure, value=middle, said=f"{middle:.0f} ms", ours=True, low=min(values), high=max(values))
        )
    goal = _goal("latency_ms", "p99")
    return chart(
        title="From an event to its outreach request",
        description="; ".join(f"{bar.name}: {bar.said}" for bar in bars),
        notes=[
            "From publication to a read-committed reader, 1,000 events a second.",
            f"{runs[0]['samples']:,} requests a run; {_of(len(runs))}.",
        ],
        sections=[Section(heading="", bars=bars, goal=goal.wanted, goal_said=f"goal for p99: {goal.words}")],
    )


def _scale(summary: Mapping[str, Any]) -> str | None:
    cases = _runs(summary, "scale")
    if not cases:
        return None
    bars = []
    for name, runs in cases.items():
        rates = [run["eps"] for run in runs if "eps" in run]
        middle, by = figures.middle(runs, "eps") or 0, summary["scale"].get(name)
        said = f"{middle:,.0f} · {shown(by)} × the first" if rates else "failed"
        bars.append(
            Bar(
                name=name.replace("_", " "), value=middle, said=said, ours=True,
                low=min(rates, default=None), high=max(rates, default=None),
            )
        )  # fmt: skip
    return chart(
        title="Workers and partitions",
        description="; ".join(f"{bar.name}: {bar.said}" for bar in bars),
        notes=[f"Events a second of the journeys role; broker and workers share {summary['machine']['cores']} cores."],
        sections=[Section(heading="", bars=bars)],
    )


def _million(summary: Mapping[str, Any]) -> str | None:
    sizes = _runs(summary, "million")
    if not sizes:
        return None
    wanted = (
        ("rss_mib", "Resident memory, MiB", _goal("rss_1m_mib")),
        ("ready_s", "Seconds from a new process to ready, after kill -9", _goal("recovery_1m_s")),
    )
    sections = []
    for figure, heading, goal in wanted:
        bars = []
        for size, runs in sizes.items():
            values = [run[figure] for run in runs if figure in run]
            middle = figures.middle(runs, figure) or 0
            bars.append(
                Bar(
                    name=f"{int(size):,} customers", value=middle, said=shown(middle) if values else "failed",
                    ours=True, low=min(values, default=None), high=max(values, default=None),
                )
            )  # fmt: skip
        sections.append(
            Section(heading=heading, bars=bars, goal=goal.wanted, goal_said=f"goal for a million: {goal.words}")
        )
    return chart(
        title="A million customers in one worker",
        description="; ".join(f"{one.heading}, {bar.name}: {bar.said}" for one in sections for bar in one.bars),
        notes=["One worker owns all partitions; median and range of the runs."],
        sections=sections,
    )


def _letters(summary: Mapping[str, Any]) -> str | None:
    runs = [run for run in _runs(summary, "letters") or [] if "letters_per_s" in run]
    if not runs:
        return None
    rates = [run["letters_per_s"] for run in runs]
    middle, goal = figures.middle(runs, "letters_per_s") or 0, _goal("letters_per_s")
    said = f"{middle:,.0f} letters/s"
    return chart(
        title="Letters a second",
        description=f"{said}; goal: {goal.words}",
        notes=["Through a real mail server, with the ledger, each letter once and in order for its customer."],
        sections=[
            Section(
                heading="",
                bars=[Bar(name="outreach role", value=middle, said=said, ours=True, low=min(rates), high=max(rates))],
                goal=goal.wanted,
                goal_said=f"goal: {goal.words}",
            )
        ],
    )


def _of(runs: int) -> str:
    return "one run" if runs == 1 else f"median and range of {runs} runs"


def _goal(*path: str) -> Goal:
    return next(goal for goal in GOALS if goal.path == path)


def _count(sides: Mapping[str, Any]) -> int:
    return max(len(runs) for runs in sides.values())
