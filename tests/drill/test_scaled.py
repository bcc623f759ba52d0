"""The drive's rules are the project's own, faster: every duration by one factor, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.local.monitoring import ROUTES, RULES
from tests.deploy.promql import millis
from tests.drill.scaled import differences, scaled, scaled_expression, scaled_routes, write_scaled

RULE: dict[str, Any] = {
    "alert": "Slow",
    "expr": 'sum by (role) (increase(seen_total{window="[5m]"}[5m] offset 1h)) > 300 # [1h] of it',
    "for": "2m",
    "keep_firing_for": "10m",
    "labels": {"severity": "page"},
    "annotations": {"summary": "Nothing came in the last [5m]"},
}
FILE: dict[str, Any] = {"groups": [{"name": "some", "interval": "1m", "rules": [RULE]}]}


def changed(**fields: Any) -> dict[str, Any]:
    """The scaled file with its rule changed by hand."""
    [group] = scaled(FILE, 20)["groups"]
    return {"groups": [group | {"rules": [group["rules"][0] | fields]}]}


@pytest.mark.parametrize(("text", "expected"), [("5m", 300_000), ("1h30m", 5_400_000), ("1w", 604_800_000), ("3ms", 3)])
def test_durations_are_prometheuss(text: str, expected: int) -> None:
    """Down to milliseconds, and of several parts."""
    assert millis(text) == expected
    with pytest.raises(ValueError):
        millis(f"{text} ago")


def test_every_duration_is_divided_and_nothing_else() -> None:
    """Windows, offsets, subqueries, `for`, and the interval; not a text, a comment, a threshold or a word."""
    [group] = scaled(FILE, 20)["groups"]
    [rule] = group["rules"]
    assert rule["expr"] == (
        'sum by (role) (increase(seen_total{window="[5m]"}[15000ms] offset 180000ms)) > 300 # [1h] of it'
    )
    assert (group["interval"], rule["for"], rule["keep_firing_for"]) == ("3000ms", "6000ms", "30000ms")
    assert rule["labels"] == RULE["labels"]
    assert rule["annotations"] == RULE["annotations"]
    assert scaled_expression("max_over_time(up[1h:5m])", 20) == "max_over_time(up[180000ms:15000ms])"
    assert scaled_expression("up offset -10m", 20) == "up offset -30000ms"
    assert list(differences(FILE, scaled(FILE, 20), 20)) == []


def test_a_window_too_short_for_scrapes_is_refused() -> None:
    """It would say nothing, and the drive would prove nothing."""
    with pytest.raises(ValueError, match="a window of 5m would be 1500ms"):
        scaled_expression("rate(up[5m])", 200)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"expr": RULE["expr"].replace("300", "30").replace("5m] o", "15s] o").replace("1h)", "3m)")}, "in more than"),
        ({"expr": RULE["expr"].replace("[5m] o", "[1m] o").replace("offset 1h", "offset 3m")}, "windows of"),
        ({"expr": "vector(1)"}, "in more than its durations"),
        ({"expr": scaled_expression(RULE["expr"], 20).replace('"[5m]"', '"[15s]"')}, "in more than its durations"),
        ({"for": "1s"}, "2m became 1s"),
        ({"keep_firing_for": "10m"}, "10m became 10m"),
        ({"labels": {"severity": "ticket"}}, '"page" became "ticket"'),
        ({"annotations": {}}, "summary is only in ours"),
        ({"alert": "Other"}, '"Slow" became "Other"'),
        ({"extra": 1}, "extra is only in the scaled file"),
    ],
)
def test_a_rule_changed_in_anything_else_is_caught(fields: dict[str, Any], told: str) -> None:
    """A threshold, a window by another factor, a label, a word: each is named."""
    found = list(differences(FILE, changed(**fields), 20))
    assert len(found) == 1, found
    assert told in found[0]


def test_a_rule_that_is_gone_is_caught() -> None:
    """A drive without a rule proves nothing of it."""
    [group] = scaled(FILE, 20)["groups"]
    assert list(differences(FILE, {"groups": [group | {"rules": []}]}, 20)) != []


def test_what_a_drive_runs_is_written_and_old_rules_are_gone(tmp_path: Path) -> None:
    """Files of an earlier drive would fire beside the present ones."""
    source, target = tmp_path / "rules", tmp_path / "scaled"
    source.mkdir()
    target.mkdir()
    (target / "old.yml").write_text("groups: []")
    (source / "some.yml").write_text(yaml.safe_dump(FILE))
    [written] = write_scaled(source, target, 20)
    assert list(target.iterdir()) == [written]
    assert yaml.safe_load(written.read_text()) == scaled(FILE, 20)


def test_the_projects_own_rules_can_be_driven(tmp_path: Path) -> None:
    """Each of them, at the drive's factor."""
    written = write_scaled(RULES, tmp_path, 20)
    assert [file.name for file in written] == sorted(file.name for file in RULES.glob("*.yml"))
    assert written != []


def test_alertmanagers_waits_are_scaled_with_the_rules() -> None:
    """In every route; inhibitions stay as they are."""
    ours = yaml.safe_load(ROUTES.read_text())
    found = scaled_routes(ours, 20)
    assert found["inhibit_rules"] == ours["inhibit_rules"]
    waits = [(ours["route"], found["route"]), *zip(ours["route"]["routes"], found["route"]["routes"], strict=True)]
    for before, after in waits:
        for name in ("group_wait", "group_interval", "repeat_interval"):
            assert (name in before) == (name in after)
            if name in before:
                assert millis(after[name]) * 20 == millis(before[name])
