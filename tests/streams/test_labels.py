"""However many values publishers send, a process shows a bounded number of series."""

from __future__ import annotations

import prometheus_client
import pytest
from prometheus_client import CollectorRegistry, generate_latest

from streams.instruments import MOST_SERIES, Counter, Gauge, Histogram
from streams.labels import OTHER, AtMost, Closed


def series(metric: Counter | Gauge | Histogram) -> set[tuple[str, ...]]:
    """The label sets that the metric shows."""
    return {tuple(sample.labels.values()) for family in metric.collect() for sample in family.samples}


def test_after_the_first_fifty_publishers_the_others_are_shown_as_one() -> None:
    """A source of its own for every event fills no memory, and none of the events is left uncounted."""
    violations = Counter("violations_total", "Violations.", {"source": AtMost(50)})
    for number in range(10_000):
        violations.labels(source=f"shop-{number}").inc()
    violations.labels(source="shop-49").inc()
    shown = {sample.labels["source"]: sample.value for family in violations.collect() for sample in family.samples}
    assert len(shown) == 51
    assert shown["shop-49"] == 2
    assert shown[OTHER] == 9_950


def test_a_value_outside_of_a_closed_set_is_shown_as_other() -> None:
    """Whatever it is, it does not become a label of ours."""
    calls = Counter("calls_total", "Calls.", {"kind": Closed("outcome", "unsubscribe")})
    for kind in ("outcome", "ana@example.com", "unsubscribe", OTHER):
        calls.labels(kind=kind).inc()
    assert series(calls) == {("outcome",), ("unsubscribe",), (OTHER,)}


def test_what_is_removed_makes_room() -> None:
    """A team that has no tasks any more leaves its place to one that has."""
    tasks = Gauge("tasks", "Tasks.", {"team": AtMost(2)})
    for team in ("rescue", "billing", "legal"):
        tasks.labels(team=team).set(1)
    tasks.remove("rescue")
    tasks.labels(team="legal").set(1)
    assert series(tasks) == {("billing",), ("legal",), (OTHER,)}
    tasks.clear()
    tasks.labels(team="night").set(1)
    assert series(tasks) == {("night",)}


def test_a_gauge_asks_what_is_shown_as_other_before_it_adds_up() -> None:
    """The place it is told is kept for it."""
    tasks = Gauge("tasks", "Tasks.", {"team": AtMost(2)})
    assert [tasks.shown("team", team) for team in ("a", "b", "c", "a", OTHER)] == ["a", "b", OTHER, "a", OTHER]


def test_a_metric_with_several_labels_is_bounded_as_a_whole() -> None:
    """Bounds that are each small do not multiply beyond what a process may show."""
    many = Counter("many_total", "Many.", {"a": AtMost(100), "b": AtMost(100)})
    for number in range(20_000):
        many.labels(a=number % 100, b=number // 200).inc()
    assert len(series(many)) == MOST_SERIES + 1
    assert sum(sample.value for family in many.collect() for sample in family.samples) == 20_000


@pytest.mark.parametrize("kind", [Counter, Gauge, Histogram])
def test_a_metric_is_shown_as_prometheus_client_shows_it(kind: type[Counter | Gauge | Histogram]) -> None:
    """But for the time at which each series was made, which nobody asks for."""

    def shown(metric: type[prometheus_client.metrics.MetricWrapperBase], labels: object) -> list[str]:
        registry = CollectorRegistry()
        one = metric("one", "One.", labels, registry=registry).labels(role="view")  # type: ignore[arg-type]
        one.observe(3) if isinstance(one, prometheus_client.Histogram) else one.inc(3)  # type: ignore[attr-defined]
        return [line for line in generate_latest(registry).decode().splitlines() if "_created" not in line]

    assert shown(kind, {"role": AtMost(1)}) == shown(getattr(prometheus_client, kind.__name__), ["role"])


def test_a_label_without_a_bound_is_refused_where_the_metric_is_made() -> None:
    """It is no matter of remembering it."""
    with pytest.raises(TypeError, match="wild_total: every label declares its bound"):
        Counter("wild_total", "Wild.", ["customer"])


@pytest.mark.parametrize("labels", [{"rolle": "view"}, {}, {"role": "view", "more": "1"}])
def test_a_label_that_the_metric_does_not_have_is_refused(labels: dict[str, str]) -> None:
    """As prometheus_client does it."""
    with pytest.raises(ValueError, match="label"):
        Counter("one_total", "One.", {"role": AtMost(1)}).labels(**labels)
