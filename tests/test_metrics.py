"""Metrics stand with what they count, and the catalogue has all of them."""

from __future__ import annotations

import ast
import re

from processors.metrics import MODULES, catalogue
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
        "channel", "outcome", "provider", "why", "status", "group", "bound", "dependency", "endpoint",
    }  # fmt: skip
    assert {label for metric in catalogue() for label in metric._labelnames} <= allowed
