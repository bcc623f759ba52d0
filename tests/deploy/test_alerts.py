"""Each alert fires when it should and only then; its text, its runbook and its metrics are right."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.deploy import alerting
from tests.deploy.known import exposed
from tests.deploy.promql import literals, selectors
from tests.test_docs import ROOT, rows, text

NOT_OURS = ("up", "process_start_time_seconds", "process_resident_memory_bytes")
"""What Prometheus and its client library expose themselves."""

CASE_FILES = sorted((ROOT / alerting.CASES).glob("*.yml"))


def metrics() -> dict[str, Mapping[str, alerting.Values]]:
    """The labels of every metric, with the values they may have, under each of the names that a scrape gives it."""
    ours = {name: labels for series in exposed().values() for name, labels in series.items()}
    return {**{name: {} for name in NOT_OURS}, **ours}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The rules, runbooks and cases, to plant a mistake in."""
    for part in (alerting.RULES, alerting.RUNBOOKS, alerting.CASES):
        shutil.copytree(ROOT / part, tmp_path / part)
    return tmp_path


def plant(file: Path, written: str, instead: str) -> None:
    """Put something else for what is written there once or more, over however many lines."""
    pattern = r"\s+".join(map(re.escape, written.split(" ")))
    planted, count = re.subn(pattern, lambda _: instead, file.read_text(encoding="utf-8"))
    assert count, written
    file.write_text(planted, encoding="utf-8")


def called(*command: str) -> subprocess.CompletedProcess[str]:
    """A program that has ended, with what it printed."""
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=250)


def test_every_rule_parses(monitoring_program: Callable[[str], str]) -> None:
    """promtool reads each file, and Prometheus's configuration that names them."""
    promtool = monitoring_program("promtool")
    files = sorted(str(file) for file in (ROOT / alerting.RULES).glob("*.yml"))
    checked = called(promtool, "check", "rules", *files)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    configured = called(promtool, "check", "config", str(ROOT / "deploy/prometheus/prometheus.yml"))
    assert configured.returncode == 0, configured.stdout + configured.stderr
    assert f"{len(files)} rule files found" in configured.stdout


@pytest.mark.parametrize("file", CASE_FILES, ids=lambda file: str(file.stem))
def test_every_alert_fires_when_it_should_and_only_then(file: Path, monitoring_program: Callable[[str], str]) -> None:
    """promtool plays each case: it fires, stays quiet, ends after the repair, and when its target vanishes."""
    tried = called(monitoring_program("promtool"), "test", "rules", str(file))
    assert tried.returncode == 0, tried.stdout + tried.stderr


def test_promtool_sees_another_threshold(copy: Path, monitoring_program: Callable[[str], str]) -> None:
    """A case that cannot fail would be none."""
    plant(copy / alerting.RULES / "playbook.yml", "(careline_playbook_refused) > 0", "(careline_playbook_refused) > 2")
    tried = called(monitoring_program("promtool"), "test", "rules", str(copy / alerting.CASES / "playbook.yml"))
    assert tried.returncode == 1
    assert "PlaybookRefused" in tried.stdout + tried.stderr


def test_every_alert_is_tried_in_every_way() -> None:
    """It fires, resolves, stays quiet, also on an idle system, and does as it should when its target vanishes."""
    assert alerting.untried(ROOT) == []


def test_an_alert_that_nobody_tries_is_found(copy: Path) -> None:
    """A case is missing, or the whole alert, or one of its severities."""
    plant(copy / alerting.CASES / "processing.yml", "RecoverySlow stays quiet", "RecoverySlow does nothing")
    assert alerting.untried(copy) == ["RecoverySlow: promtool does not try that it stays quiet"]
    plant(copy / alerting.RULES / "view.yml", "alert: TasksOverdue", "alert: TasksLate")
    assert len([fault for fault in alerting.untried(copy) if fault.startswith("TasksLate: ")]) == 6
    plant(copy / alerting.CASES / "roles-days.yml", "severity: page, subject: roles}", "severity: ticket, subject: x}")
    assert [fault for fault in alerting.untried(copy) if fault.startswith("CertificateExpires: ")] == [
        "CertificateExpires: promtool does not see it fire with {'severity': 'page', 'subject': 'roles'}"
    ]


def test_every_alert_says_how_bad_it_is_and_what_it_is_about() -> None:
    """A severity, a subject, a summary, a description and a dashboard."""
    assert alerting.unwritten(ROOT) == []
    assert len({alert.name for alert in alerting.alerts(ROOT)}) == 33


def test_an_alert_without_them_is_found(copy: Path) -> None:
    """Each of them is missed."""
    plant(copy / alerting.RULES / "playbook.yml", "{severity: ticket, subject: playbook}", "{severity: urgent}")
    plant(copy / alerting.RULES / "playbook.yml", "dashboard: careline-journeys", "dashboard: careline-playbook")
    assert len(alerting.unwritten(copy)) == 6


def test_the_numbers_of_the_text_are_those_of_the_rule() -> None:
    """Whoever is woken reads the threshold and the time that really hold."""
    assert alerting.disagreements(ROOT) == []


@pytest.mark.parametrize(
    ("file", "written", "instead", "fault"),
    [
        ("processing.yml", "more than 60 s,", "more than 90 s,", "DeadlinesLate: '90 s' is not in its rule"),
        ("processing.yml", "overdue_seconds) > 60", "overdue_seconds) > 90", "DeadlinesLate: '60 s' is not in"),
        ("processing.yml", "overdue_seconds) > 60", "overdue_seconds) > 90", "DeadlinesLate: its text does not say 90"),
        ("playbook.yml", "for: 5m", "for: 10m", "PlaybooksDiffer: its text does not say for 600 s"),
        ("outreach.yml", "> 0.003", "> 0.001", "ComplaintsHigh: '0.3 %' is not in its rule"),
        ("objectives.yml", "{{ $value | humanizePercentage }} of events were committed later than 1 s",
         "{{ $value | humanizePercentage }} of events were committed later than 2 s",
         "EventsCommitTooSlow: '2 s' is not in its rule"),
        ("objectives.yml", 'le=~"10(', 'le=~"15(', "LettersLeaveTooLate: '10 s' is not in its rule"),
        ("objectives.yml", "14.4 * 0.01", "10 * 0.01", "EventsCommitTooSlow: '14.4 times' is not in its rule"),
        ("view.yml", "for 15 minutes).", "for a day).", "TasksOverdue: 'a day' has to be in digits"),
    ],
)  # fmt: skip
def test_a_number_changed_in_one_place_only_is_found(
    copy: Path, file: str, written: str, instead: str, fault: str
) -> None:
    """In the text, in the expression or in `for`."""
    plant(copy / alerting.RULES / file, written, instead)
    assert any(found.startswith(fault) for found in alerting.disagreements(copy)), alerting.disagreements(copy)


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    """With its five sections, none of them empty."""
    assert alerting.lost_runbooks(ROOT) == []


def test_a_missing_or_unfinished_runbook_is_found(copy: Path) -> None:
    """Nobody who is woken finds an empty page."""
    (copy / alerting.RUNBOOKS / "KafkaAway.md").unlink()
    (copy / alerting.RUNBOOKS / "Old.md").write_text("# Old\n", encoding="utf-8")
    plant(copy / alerting.RUNBOOKS / "ClockOff.md", "## Who is hurt", "## Who")
    plant(copy / alerting.RULES / "view.yml", "ViewBehind.md", "MeasureBehind.md")
    page = copy / alerting.RUNBOOKS / "MemoryHigh.md"
    page.write_text(page.read_text(encoding="utf-8").partition("Nobody. If")[0], encoding="utf-8")
    sections = ", ".join(alerting.SECTIONS)
    assert sorted(alerting.lost_runbooks(copy)) == [
        f"ClockOff.md: its sections are not {sections}",
        "KafkaAway: there is no docs/runbooks/KafkaAway.md",
        "MemoryHigh.md: 'When to wake whom' is empty",
        f"Old.md: its sections are not {sections}",
        "Old.md: there is no such alert",
        "ViewBehind: its runbook_url is not that of its runbook",
    ]


def test_every_metric_of_a_rule_or_runbook_is_exposed() -> None:
    """With the labels it is asked for; a rule over a metric that is no more would be silent for ever."""
    assert alerting.unknown_metrics(ROOT, metrics()) == []


def test_a_renamed_metric_is_found(copy: Path) -> None:
    """In a rule and in a runbook; a label, and a value that it never has, too."""
    plant(copy / alerting.RULES / "processing.yml", '{end="aborted"}', '{end="failed"}')
    plant(copy / alerting.RULES / "contracts.yml", "careline_dead_letters_total", "careline_dead_letter_total")
    plant(copy / alerting.RULES / "view.yml", '{status=~"5.."}', '{code=~"5.."}')
    plant(copy / alerting.RUNBOOKS / "ViewBehind.md", "careline_view_lag_records", "careline_view_lag")
    assert set(alerting.unknown_metrics(copy, metrics())) == {
        "careline:dead_letters:increase1h: nothing exposes careline_dead_letter_total",
        "GatewayFailing: careline_gateway_calls_total has no label code",
        "ViewBehind.md: nothing exposes careline_view_lag",
        "TransactionsAborting: end of careline_processor_transactions_total is never failed",
    }


def test_the_page_lists_every_alert() -> None:
    """With its severities and a link to its runbook."""
    listed = re.findall(r"^\| \[(\w+)\]\(runbooks/(\w+)\.md\) \| (\S.*?) \| ", text("docs/operating.md"), re.MULTILINE)
    severities: dict[str, set[str]] = {}
    for alert in alerting.alerts(ROOT):
        severities.setdefault(alert.name, set()).add(alert.labels["severity"])
    assert len(listed) == len(severities)
    assert {(name, name, ", ".join(sorted(found))) for name, found in severities.items()} == set(listed)


def test_the_settings_of_the_runbooks_are_there() -> None:
    """Nobody looks for a variable that does nothing."""
    listed = set(rows("docs/settings.md", "CARELINE_"))
    pages = [page.read_text(encoding="utf-8") for page in (ROOT / alerting.RUNBOOKS).glob("*.md")]
    named = {name for page in pages for name in re.findall(r"CARELINE_[A-Z_]+", page)}
    assert "CARELINE_OPS_PORT" in named
    assert named - listed == set()


def test_expressions_are_read_as_they_are_written() -> None:
    """Metrics with their labels, thresholds with their products, bounds; no function, keyword, label or duration."""
    expr = (
        'max by (role) (rate(a_total{x="y{",z!~"1h"}[5m] offset 1d)) / b:c:d > 2 * 3 '
        'and on (q) (e_bucket{le=~"7(\\\\.0)?"}) == 0'
    )
    assert dict(selectors(expr)) == {"a_total": {"x": "y{", "z": "1h"}, "b:c:d": {}, "e_bucket": {"le": "7(\\\\.0)?"}}
    assert list(literals(expr, compared=True)) == [6, 0]
    assert sorted(literals(expr)) == [0, 0, 2, 3, 6, 7]
