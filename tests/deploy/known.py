"""The series that Prometheus has of Careline: of the metric catalogue, of the scrape itself, and of its rules."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml
from prometheus_client import Counter, Histogram

from processors.metrics import catalogue
from tests.deploy.expressions import metrics_of

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

AWAITED: frozenset[str] = frozenset(
    {
        "careline_gateway_seconds_bucket",
        "careline_measure_lag_records",
        "careline_outreach_due_to_sent_seconds_bucket",
        "careline_outreach_due_to_sent_seconds_count",
        "careline_outreach_event_to_letter_seconds_bucket",
        "careline_outreach_failures_total",
        "careline_outreach_oldest_overdue_seconds",
        "careline_outreach_provider_errors_total",
        "careline_outreach_waiting",
        "careline_playbook_refused",
        "careline_view_lag_seconds",
        "careline_view_redis_bytes",
        "careline_view_tasks_open",
        "careline_view_tasks_overdue",
    }
)
"""Metrics and rules that dashboards show already and that are not there yet."""


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


def awaited() -> frozenset[str]:
    """What of ``AWAITED`` is still not there, and what rules record of that."""
    missing = AWAITED - known()
    return missing | {rule["record"] for rule in rules() if "record" in rule and metrics_of(rule["expr"]) & missing}


def rules() -> list[Any]:
    """Every rule in deploy/prometheus/rules, as Prometheus reads it."""
    files = sorted((ROOT / "deploy" / "prometheus" / "rules").glob("*.y*ml"))
    return [rule for file in files for group in yaml.safe_load(file.read_text())["groups"] for rule in group["rules"]]


def recorded() -> set[str]:
    """What recording rules record."""
    return {rule["record"] for rule in rules() if "record" in rule}
