"""Computes figures from raw runs: medians, percentiles and ratios, with the goals. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Any

Run = Mapping[str, Any]


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """p50, p99 and the maximum, rounded to a tenth. Raises statistics.StatisticsError for no values."""
    if len(values) == 1:
        values = [*values, *values]
    cuts = quantiles(values, n=100, method="inclusive")
    return {"p50": round(cuts[49], 1), "p99": round(cuts[98], 1), "max": round(max(values), 1)}


def middle(runs: Iterable[Run], figure: str) -> float | None:
    """The median of a figure over the runs that have it; None if none has."""
    values = [run[figure] for run in runs if figure in run]
    return median(values) if values else None


def ratio(ours: Iterable[Run], theirs: Iterable[Run], figure: str = "eps") -> float | None:
    """The median of the ratios of our figure to theirs in each run, so that disturbances of the machine affect both."""
    of_theirs = {run["run"]: run[figure] for run in theirs if figure in run}
    pairs = [run[figure] / of_theirs[run["run"]] for run in ours if figure in run and run["run"] in of_theirs]
    return round(median(pairs), 3) if pairs else None


def failures(runs: Iterable[Run]) -> list[str]:
    """The first lines of the failures."""
    return [str(run["failed"]).splitlines()[0] for run in runs if "failed" in run]


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """The goal for a figure of the summary, which is found at ``path``."""

    path: tuple[str, ...]
    title: str
    wanted: float
    at_least: bool
    unit: str = ""

    def figure(self, summary: Mapping[str, Any]) -> float | None:
        """The figure; None if it was not measured or the measurement failed."""
        found: Any = summary
        for name in self.path:
            found = found.get(name) if isinstance(found, Mapping) else None
        return found if isinstance(found, int | float) else None

    def reached(self, summary: Mapping[str, Any]) -> bool | None:
        """Whether the figure reaches the goal; None if there is none."""
        found = self.figure(summary)
        if found is None:
            return None
        return found >= self.wanted if self.at_least else found <= self.wanted

    @property
    def words(self) -> str:
        """Such as ``at least 1.5`` or ``at most 250 ms``."""
        return f"at {'least' if self.at_least else 'most'} {self.wanted:g}{f' {self.unit}' if self.unit else ''}"


GOALS = (
    Goal(path=("vs_kafka_streams",), title="throughput, times Kafka Streams with cache", wanted=1.0, at_least=True),
    Goal(path=("vs_quix",), title="throughput, times Quix Streams, exactly-once", wanted=1.5, at_least=True),
    Goal(path=("vs_faust",), title="throughput, times Faust with a table", wanted=8.0, at_least=True),
    Goal(
        path=("latency_ms", "p99"),
        title="event to outreach request readable, p99 at 1,000 events/s",
        wanted=250,
        at_least=False,
        unit="ms",
    ),
    Goal(
        path=("rss_1m_mib",),
        title="resident memory of a worker with a million customers",
        wanted=1536,
        at_least=False,
        unit="MiB",
    ),
    Goal(
        path=("recovery_1m_s",),
        title="recovery of a million customers after kill -9",
        wanted=60,
        at_least=False,
        unit="s",
    ),
    Goal(
        path=("letters_per_s",), title="letters a second through a real SMTP server", wanted=500, at_least=True,
        unit="letters/s",
    ),
)  # fmt: skip
"""The goals of the speed half, ratios first."""
