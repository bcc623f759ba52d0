"""The dashboards: committed as the code makes them, readable, and of metrics and alerts that there are."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.grafana.__main__ import FOLDER
from deploy.grafana.boards import DASHBOARDS
from deploy.grafana.made import made
from deploy.grafana.model import COLUMNS, Dashboard, Kind, Panel, Query, Unit, placed
from tests.deploy import promql
from tests.deploy.alerting import rules
from tests.deploy.expressions import SECONDS_ONLY, filled, parsed
from tests.deploy.known import catalogued, known
from tests.test_docs import ROOT

BOARDS = pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda dashboard: dashboard.uid)


def panels() -> Iterator[tuple[Dashboard, Panel]]:
    """Every panel with its dashboard."""
    return ((dashboard, panel) for dashboard in DASHBOARDS for panel in dashboard.panels)


def queries() -> Iterator[tuple[Panel, Query]]:
    """Every expression with its panel."""
    return ((panel, query) for _, panel in panels() for query in panel.queries)


@BOARDS
def test_the_committed_dashboards_are_those_of_the_code(dashboard: Dashboard) -> None:
    """What Grafana provisions is what the code says; if not: ``python -m deploy.grafana`` writes them anew."""
    assert (FOLDER / f"{dashboard.uid}.json").read_text(encoding="utf-8") == made(dashboard)


def test_no_other_dashboard_is_provisioned() -> None:
    """What the code no longer makes is no longer shown."""
    assert {file.stem for file in FOLDER.iterdir()} == {dashboard.uid for dashboard in DASHBOARDS}


@BOARDS
def test_panels_fill_the_grid_without_covering_one_another(dashboard: Dashboard) -> None:
    """Every line is as wide as the screen, and no panel hides another."""
    cells = [
        (x, y)
        for place in placed(dashboard)
        for x in range(place.x, place.x + place.width)
        for y in range(place.y, place.y + place.height)
    ]
    assert len(cells) == len(set(cells))
    assert len(cells) == COLUMNS * (1 + max(y for _, y in cells)), "a hole"


@BOARDS
def test_grafana_reads_the_same_grid(dashboard: Dashboard) -> None:
    """The first panel too, which the SDK would place by itself."""
    shown = [panel["gridPos"] for panel in json.loads(made(dashboard))["panels"]]
    assert [(at["x"], at["y"], at["w"], at["h"]) for at in shown] == [
        (place.x, place.y, place.width, place.height) for place in placed(dashboard)
    ]


def test_every_panel_says_what_a_change_means() -> None:
    """In at least two sentences: what it shows, and what it means if it changes."""
    for dashboard, panel in panels():
        sentences = re.findall(r"[.:;](?= |$)", panel.description)
        assert len(sentences) >= 2, f"{dashboard.uid}: {panel.title}"
        assert panel.description.endswith("."), panel.title


def test_a_dashboard_is_few_large_panels() -> None:
    """At a glance means at a glance: not more than twenty panels, none with more lines than can be told apart."""
    for dashboard in DASHBOARDS:
        assert len(list(dashboard.panels)) <= 20, dashboard.uid
        titles = [panel.title for panel in dashboard.panels]
        assert len(titles) == len(set(titles)), dashboard.uid
    assert [panel.title for _, panel in panels() if len(panel.queries) > 5] == []


def test_seconds_bytes_and_shares_are_shown_as_such() -> None:
    """An expression of seconds, bytes or shares alone has that unit."""
    wrong = [
        (panel.title, query.expr)
        for panel, query in queries()
        if panel.kind not in (Kind.TABLE, Kind.STATE)
        if SECONDS_ONLY.search(query.expr) and panel.unit is not Unit.SECONDS
    ]
    assert wrong == []


def test_thresholds_rise() -> None:
    """Grafana takes the last step that is not above the value: steps out of order would colour wrongly."""
    for _, panel in panels():
        for steps in (panel.thresholds, *(column.thresholds for column in panel.columns)):
            ats = [float("-inf") if step.at is None else step.at for step in steps]
            assert ats == sorted(set(ats)), panel.title


def test_columns_are_of_queries_or_labels_that_there_are() -> None:
    """A column without a source would be empty for ever."""
    for _, panel in panels():
        for column in panel.columns:
            if len(column.source) == 1:
                assert "ABCDEFGH".index(column.source) < len(panel.queries), panel.title
            else:
                by = re.findall(r"by \(([^)]*)\)", panel.queries[0].expr)
                assert any(column.source in labels.split(", ") for labels in by), f"{panel.title}: {column.source}"


def test_legends_name_labels_that_the_expression_keeps() -> None:
    """A legend with an empty name tells nobody which line is which."""
    for panel, query in queries():
        for label in re.findall(r"\{\{(\w+)\}\}", query.legend):
            kept = {one.strip() for labels in re.findall(r"by \(([^)]*)\)", query.expr) for one in labels.split(",")}
            assert label in kept, f"{panel.title}: {label}"


def test_variables_that_expressions_use_can_be_chosen() -> None:
    """A dashboard whose expressions name a variable has it, and none that nothing uses."""
    own = {"__rate_interval", "__range", "__interval"}
    for dashboard in DASHBOARDS:
        used = {
            name for panel in dashboard.panels for query in panel.queries for name in re.findall(r"\$(\w+)", query.expr)
        }
        assert used - own == set(dashboard.variables), dashboard.uid


def test_every_expression_can_be_parsed(monitoring_program: Callable[[str], str], tmp_path: Path) -> None:
    """Of every panel, by Prometheus's own parser; one that cannot be is reported."""
    exprs = [filled(query.expr) for _, query in queries()]
    assert len(exprs) > 100
    assert parsed(exprs, monitoring_program("promtool"), tmp_path) == ""
    assert "parse error" in parsed(["sum(up"], monitoring_program("promtool"), tmp_path)


def test_every_metric_that_is_shown_exists() -> None:
    """A panel of a metric that was renamed or never counted would be empty, and look like peace."""
    unknown = {
        name: panel.title for panel, query in queries() for name in promql.named(query.expr) if name not in known()
    }
    assert set(unknown) == set()
    assert promql.named('sum(rate(careline_a_total{b="careline_c"}[5m])) / slo:x:y') == {"careline_a_total", "slo:x:y"}


def test_every_metric_is_used() -> None:
    """By a panel or by a rule, or a document names it beside the catalogue: else nobody would look at it."""
    shown = " ".join(query.expr for _, query in queries())
    ruled = " ".join(rule["expr"] for rule in rules(ROOT))
    lines = [line for file in (ROOT / "docs").rglob("*.md") for line in file.read_text(encoding="utf-8").splitlines()]
    pages = " ".join(line for line in lines if not line.startswith("| `careline_"))
    named = set(re.findall(r"careline_\w+", " ".join((shown, ruled, pages))))
    assert {metric for metric, series in catalogued().items() if not series & named} == set()


def test_a_metric_that_nobody_uses_is_noticed() -> None:
    """The check above sees what it should: the names of a metric are those of its series."""
    assert catalogued()["careline_dead_letters"] == {"careline_dead_letters_total"}
    assert "careline_outreach_provider_seconds_bucket" in catalogued()["careline_outreach_provider_seconds"]


def alerts() -> dict[str, set[str]]:
    """The dashboards that the rules of each alert name, by the alert's name."""
    found: dict[str, set[str]] = {}
    for rule in rules(ROOT):
        if "alert" in rule:
            found.setdefault(rule["alert"], set()).add(rule["annotations"]["dashboard"])
    return found


def test_panels_link_to_alerts_that_there_are() -> None:
    """A link to the runbook of an alert that was renamed leads nowhere."""
    linked = {name for _, panel in panels() for name in panel.alerts}
    assert len(linked) > 20
    assert linked - set(alerts()) == set()


def test_every_alert_has_a_panel_on_its_dashboard() -> None:
    """Whoever follows an alert to its dashboard finds a panel about it, and the runbook from there."""
    shown = {dashboard.uid: {name for panel in dashboard.panels for name in panel.alerts} for dashboard in DASHBOARDS}
    lost = {(name, uid) for name, uids in alerts().items() for uid in uids if name not in shown.get(uid, set())}
    assert lost == set()
