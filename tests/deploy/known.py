"""The series that Prometheus has of Careline: of the metric catalogue, of the scrape itself, and of its rules."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml
from prometheus_client import Counter, Histogram

from processors.metrics import catalogue

ROOT = Path(__file__).parents[2]

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


def catalogued() -> dict[str, set[str]]:
    """Each metric of the catalogue, and its series as expressions spell them: a counter with _total, and so on."""
    found = {}
    for metric in catalogue():
        [described] = metric.describe()
        if isinstance(metric, Histogram):
            found[described.name] = {f"{described.name}{series}" for series in ("", "_bucket", "_count", "_sum")}
        else:
            found[described.name] = {described.name + ("_total" if isinstance(metric, Counter) else "")}
    return found


@cache
def known() -> frozenset[str]:
    """Every series by name."""
    return frozenset(SCRAPED | recorded() | {name for series in catalogued().values() for name in series})


def rules() -> list[Any]:
    """Every rule in deploy/prometheus/rules, as Prometheus reads it."""
    files = sorted((ROOT / "deploy" / "prometheus" / "rules").glob("*.y*ml"))
    return [rule for file in files for group in yaml.safe_load(file.read_text())["groups"] for rule in group["rules"]]


def recorded() -> set[str]:
    """What recording rules record."""
    return {rule["record"] for rule in rules() if "record" in rule}
