"""Metrics stand with what they count, and the catalogue has all of them."""

from __future__ import annotations

import ast
import re

import prometheus_client
from prometheus_client import CollectorRegistry

from processors.metrics import MODULES, catalogue
from streams.instruments import MOST_SERIES, Counter
from streams.labels import AtMost, Closed
from streams.metrics import REGISTRY
from tests.test_architecture import modules

KINDS = {"Counter", "Gauge", "Histogram", "Summary", "Info", "Enum"}


def test_metrics_are_defined_in_the_modules_of_the_catalogue_alone() -> None:
    """Whoever looks for a metric finds it in the `metrics.py` of the part that counts it."""
    defining = {
        name
        for name, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KINDS
        if any(keyword.arg == "registry" for keyword in node.keywords)
    }
    assert defining == {module.__name__ for module in MODULES}
    assert {name.rpartition(".")[2] for name in defining} == {"metrics"}


def test_every_metric_that_is_shown_is_in_the_catalogue() -> None:
    """What Prometheus reads of a role is what the catalogue says, and each metric once."""
    shown = {family.name for family in REGISTRY.collect() if family.name.startswith("careline_")}
    names = [described.name for metric in catalogue() for described in metric.describe()]
    assert len(names) == len(set(names)) > 30
    assert set(names) == shown


def test_metrics_are_named_as_prometheus_names_them() -> None:
    """One prefix, the part that counts, base units; and a sentence as help."""
    for metric in catalogue():
        [described] = metric.describe()
        assert re.fullmatch(r"careline(_[a-z]+)+", described.name), described.name
        assert not re.search(r"_(ms|millis|minutes|hours|kb|mb)$", described.name), described.name
        assert described.documentation[0].isupper() or described.documentation[0].isdigit(), described.name
        assert described.documentation.endswith("."), described.name


def test_no_label_holds_a_customer() -> None:
    """Nor an event, nor an address: whoever reads the metrics learns nothing of anybody, and there are not too many."""
    allowed = {
        "role", "record", "topic", "partition", "reason", "handling", "end", "policy", "kind", "result", "version",
        "channel", "outcome", "provider", "why", "status", "group", "bound", "purpose", "change", "dependency",
        "endpoint", "source", "python", "level",
    }  # fmt: skip
    assert {label for metric in catalogue() for label in metric._labelnames} <= allowed


def undeclared(registry: CollectorRegistry) -> list[str]:
    """Labels of the registry's metrics that declare neither a closed set nor a bound."""
    return [
        f"{metric}: {label}"
        for metric in set(registry._collector_to_names)
        for label in getattr(metric, "_labelnames", ())
        if not isinstance(getattr(metric, "bounds", {}).get(label), Closed | AtMost)
    ]


def test_every_label_declares_what_it_may_say() -> None:
    """One of a closed set, or a bounded number of values: no publisher and no playbook makes the series grow."""
    assert undeclared(REGISTRY) == []
    for metric in catalogue():
        for label, bound in metric.bounds.items():
            assert 1 <= bound.most <= MOST_SERIES, f"{metric}: {label}"


def test_a_metric_that_declares_no_bound_is_found() -> None:
    """The check sees one that is made past our own classes."""
    registry = CollectorRegistry()
    Counter("fine_total", "Fine.", {"role": AtMost(1)}, registry=registry)
    prometheus_client.Counter("wild_total", "Wild.", ["customer"], registry=registry)
    assert undeclared(registry) == ["counter:wild: customer"]
