"""What becomes of raw runs: percentiles, ratios, goals, a summary that keeps its other parts."""

from __future__ import annotations

import io
from typing import Any
from xml.etree import ElementTree

import pytest
from rich.console import Console

from tests.benchmarks import figures
from tests.benchmarks.chart import COPY, DOCS, PAGE, with_tables
from tests.benchmarks.charts import charts
from tests.benchmarks.figures import GOALS, percentiles, ratio
from tests.benchmarks.printed import print_summary, throughput_rows
from tests.benchmarks.summary import load, merged
from tests.benchmarks.svg import Bar, Section, chart
from tests.benchmarks.watch import first_event


def test_percentiles() -> None:
    """Of a hundred and one even steps they are the steps themselves."""
    assert percentiles([float(step) for step in range(101)]) == {"p50": 50.0, "p99": 99.0, "max": 100.0}
    assert percentiles([7.0]) == {"p50": 7.0, "p99": 7.0, "max": 7.0}


def test_a_ratio_is_of_runs_that_belong_together() -> None:
    """Each of ours over theirs of the same run; one that failed on either side is no ratio."""
    ours: list[dict[str, Any]] = [{"run": 1, "eps": 200.0}, {"run": 2, "eps": 100.0}, {"run": 3, "failed": "ended"}]
    theirs = [{"run": 1, "eps": 100.0}, {"run": 2, "eps": 50.0}, {"run": 3, "eps": 1.0}]
    assert ratio(ours, theirs) == 2.0
    assert ratio(ours, [{"run": 1, "failed": "ended"}]) is None


def _measured(**runs: Any) -> dict[str, Any]:
    return {"seed": 4, "machine": {"cores": 2}, "at": "2026-11-22T07:00:00+00:00", "events": 10, "customers": 2, **runs}


def _speed(*rates: float) -> list[dict[str, Any]]:
    took = {"cpu_us": 50.0, "busy": 0.9, "starved": 0.1, "peak_mib": 100.0}
    return [{"run": run, "eps": rate, **took} for run, rate in enumerate(rates, start=1)]


def test_a_part_measured_again_replaces_only_itself() -> None:
    """The figures of the others stay, and the medians are of the new runs."""
    sides = {"journeys": _speed(90, 100, 140), "quix": _speed(50, 50, 50), "faust": [{"run": 1, "failed": "ended"}]}
    summary = merged({}, "throughput", _measured(runs=sides))
    assert (summary["journeys_eps"], summary["vs_quix"], summary["vs_faust"]) == (100, 2.0, None)
    assert summary["failed"] == {"throughput": {"faust": ["ended"]}}
    latency = [{"run": 1, "p50": 20.0, "p99": 90.0}, {"run": 2, "p50": 30.0, "p99": 300.0}]
    summary = merged(summary, "latency", _measured(runs=latency))
    assert summary["latency_ms"] == {"p50": 25.0, "p99": 195.0}
    assert summary["vs_quix"] == 2.0
    again = merged(summary, "throughput", _measured(runs={"journeys": _speed(10)}))
    assert (again["journeys_eps"], again["vs_quix"], again["latency_ms"]["p99"]) == (10, None, 195.0)
    assert again["failed"] == {}


def test_a_side_that_failed_is_shown_so() -> None:
    """Never left out in silence: it has its row."""
    sides = {"journeys": _speed(100), "faust": [{"run": 1, "failed": "ended with code 1"}]}
    summary = merged({}, "throughput", _measured(runs=sides))
    rows = throughput_rows(summary)
    assert [row[2] for row in rows] == ["100", "failed"]
    console = Console(file=io.StringIO(), width=80)
    print_summary(summary, console)
    printed = console.file.getvalue()  # type: ignore[attr-defined]
    assert "FAILED in throughput: {'faust': ['ended with code 1']}" in printed


@pytest.mark.parametrize(("goal", "good", "bad"), [(GOALS[0], 1.0, 0.99), (GOALS[3], 250.0, 250.1)])
def test_a_goal_is_reached_or_not(goal: figures.Goal, good: float, bad: float) -> None:
    """At the least or at the most, the bound itself included; what was not measured is neither."""

    def summary(figure: float | None) -> Any:
        found: Any = figure
        for name in reversed(goal.path):
            found = {name: found}
        return found

    assert [goal.reached(summary(figure)) for figure in (good, bad, None)] == [True, False, None]


def test_growth_of_a_million() -> None:
    """Memory and recovery of the largest over the smallest, beside how many more customers there are."""
    runs = {
        "100000": [{"run": 1, "rss_mib": 150.0, "recovery_s": 2.0, "ready_s": 4.0}],
        "1000000": [{"run": 1, "rss_mib": 900.0, "recovery_s": 18.0, "ready_s": 20.0}],
    }
    summary = merged({}, "million", _measured(runs=runs))
    assert summary["growth_100k_to_1m"] == {"customers": 10, "rss_mib": 6, "recovery_s": 9, "ready_s": 5}
    assert (summary["rss_1m_mib"], summary["recovery_1m_s"]) == (900, 20)


def test_the_first_event_is_found_in_the_log() -> None:
    """What a peer prints, and what the role logs when its first partition is recovered."""
    assert first_event("warming up\nfirst event at 1795331857.5\n") == 1795331857.5
    line = '{"time": "2026-11-22T07:00:00.500000Z", "event": "partition_taken", "keys": 0, "partition": 2}'
    other = line.replace("taken", "lost")
    assert first_event(f"a warning\n{other}\n{line}\n{line.replace('00.5', '09.5')}") == 1795330800.5
    assert first_event("nothing yet") is None


def test_a_chart_is_well_formed_whatever_it_says() -> None:
    """Names with signs of their own do no harm, and a goal beyond all bars has room."""
    bars = [Bar(name="a < b & c", value=3, said="<3", low=2, high=4)]
    picture = chart(
        title="1 & 2", description="<>", notes=["&"], sections=[Section(heading="", bars=bars, goal=9, goal_said=">")]
    )
    texts = [element.text for element in ElementTree.fromstring(picture).iter("{http://www.w3.org/2000/svg}text")]
    assert texts == ["1 & 2", "&", "a < b & c", "<3", ">"]


def test_the_page_says_what_the_summary_says() -> None:
    """Tables and charts in docs/ are made from docs/performance.json: run `python -m tests.benchmarks.chart`."""
    summary, page = load(COPY), PAGE.read_text(encoding="utf-8")
    assert with_tables(page, summary) == page
    drawn = {file.name: file.read_text(encoding="utf-8") for file in DOCS.glob("performance-*.svg")}
    assert drawn == charts(summary)
