"""The summary of a benchmark: figures first, then raw runs; a part that is measured again replaces only itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.benchmarks import figures, where_time_goes
from tests.benchmarks.installing import BENCH
from tests.benchmarks.sides import JOURNEYS

SUMMARY = BENCH / "summary.json"
QUICK = BENCH / "quick.json"
"""The file for quick runs, so that they never replace real figures."""

RATIOS = {
    "vs_kafka_streams": "kafka_streams",
    "vs_kafka_streams_no_cache": "kafka_streams_no_cache",
    "vs_quix": "quix",
    "vs_faust": "faust",
    "vs_bare_loop": "bare_loop",
}
"""The summary's ratios, and the side that each compares with."""

MILLION = "1000000"


def load(file: Path) -> dict[str, Any]:
    """The summary in the file; empty if there is none."""
    if not file.exists():
        return {}
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def save(file: Path, summary: Mapping[str, Any]) -> None:
    """Write it atomically."""
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(".fresh")
    fresh.write_text(json.dumps(summary, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    fresh.replace(file)


def merged(before: Mapping[str, Any], part: str, measured: Mapping[str, Any]) -> dict[str, Any]:
    """The summary with this part replaced, and all figures computed again.

    ``measured`` has the part's raw ``runs``, and how, when and on which machine they were made.
    """
    parts = {**before.get("parts", {}), part: dict(measured)}
    return {**_figures(parts), "seed": measured["seed"], "machine": measured["machine"], "at": measured["at"],
            "parts": parts}  # fmt: skip


def _figures(parts: Mapping[str, Any]) -> dict[str, Any]:
    runs = {name: part["runs"] for name, part in parts.items()}
    sides: Mapping[str, Any] = runs.get("throughput", {})
    ours = sides.get(JOURNEYS, [])
    latency = runs.get("latency", [])
    million = runs.get("million", {}).get(MILLION, [])
    quantiles = {name: figures.middle(latency, name) for name in ("p50", "p99")}
    return {
        "journeys_eps": figures.middle(ours, "eps"),
        **{name: figures.ratio(ours, sides.get(side, [])) for name, side in RATIOS.items()},
        "latency_ms": quantiles,
        "recovery_1m_s": figures.middle(million, "ready_s"),
        "rss_1m_mib": figures.middle(million, "rss_mib"),
        "letters_per_s": figures.middle(runs.get("letters", []), "letters_per_s"),
        "growth_100k_to_1m": growth(runs.get("million", {})),
        "scale": {
            case: figures.ratio(found, runs["scale"]["1_worker_4_partitions"])
            for case, found in runs.get("scale", {}).items()
        },
        "microseconds": where_time_goes.table(runs.get("where_time_goes", []), ours),
        "failed": {name: found for name, part in runs.items() if (found := _failed(part))},
    }


def growth(million: Mapping[str, Any]) -> dict[str, float]:
    """How much memory and recovery time grow from the smallest to the largest number of customers, and the number."""
    sizes = sorted(million, key=int)
    found: dict[str, float] = {}
    if len(sizes) > 1:
        small, large = million[sizes[0]], million[sizes[-1]]
        found["customers"] = round(int(sizes[-1]) / int(sizes[0]), 2)
        for figure in ("rss_mib", "recovery_s", "ready_s"):
            below, above = figures.middle(small, figure), figures.middle(large, figure)
            if below and above:
                found[figure] = round(above / below, 2)
    return found


def _failed(runs: Any) -> dict[str, list[str]] | list[str]:
    if isinstance(runs, Mapping):
        return {name: said for name, found in runs.items() if (said := figures.failures(found))}
    return figures.failures(runs)
