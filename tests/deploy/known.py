"""The series that Prometheus has of Careline: of the metric catalogue, of the scrape itself, and of its rules."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from prometheus_client import Counter, Gauge, Histogram

from processors.metrics import catalogue
from tests.deploy.alerting import Values, recorded
from tests.test_docs import ROOT

SCRAPED = frozenset(
    {
        "up",
        "ALERTS",
        "process_start_time_seconds",
        "process_resident_memory_bytes",
        "process_cpu_seconds_total",
    }
)
"""Of every target, or of Prometheus itself."""


def exposed() -> dict[str, dict[str, Mapping[str, Values]]]:
    """Each metric of the catalogue, and its series as a scrape names them, with what their labels may say."""
    found: dict[str, dict[str, Mapping[str, Values]]] = {}
    for metric in catalogue():
        [described] = metric.describe()
        bounds = getattr(metric, "bounds", {})
        labels = {label: getattr(bounds.get(label), "values", None) for label in metric._labelnames}
        if isinstance(metric, Histogram):
            parts = {f"{described.name}_{part}": labels for part in ("count", "sum")}
            found[described.name] = {f"{described.name}_bucket": labels | {"le": None}, **parts}
        elif isinstance(metric, Counter):
            found[described.name] = {f"{described.name}_total": labels}
        else:
            assert isinstance(metric, Gauge)
            found[described.name] = {described.name: labels}
    return found


def catalogued() -> dict[str, set[str]]:
    """Each metric of the catalogue, and what expressions and pages call it: a histogram also by its own name."""
    return {name: {*series, *([name] if len(series) > 1 else [])} for name, series in exposed().items()}


@cache
def known() -> frozenset[str]:
    """Every series by name."""
    return frozenset({*SCRAPED, *recorded(ROOT), *(name for series in catalogued().values() for name in series)})
