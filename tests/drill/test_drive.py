"""The drive itself: what it expects fits the rules, it ends with the repair, and its figures say what it saw."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from deploy.local.monitoring import RULES
from tests.drill.drive import SCRAPES, Pace, Rule, drive, expected_of, row_of, rules_in, waits_of
from tests.drill.faults import FAULTS, Fault, Fires
from tests.drill.scene import Scene
from tests.drill.summary import kept, written
from tests.drill.table import BEGIN, END, lines, tabulate
from tests.drill.verdict import Alert, Judgement, Sighting
from tests.drill.watching import SLOW, Observer

ABSENT = Alert.of({"alertname": "RoleAbsent", "role": "journeys", "severity": "page"})
BEHIND = Alert.of({"alertname": "ViewBehind", "role": "view"})
RULES_HERE = [
    Rule(alert="RoleAbsent", labels={"severity": "page"}, waits=0.0),
    Rule(alert="RoleAbsent", labels={"severity": "ticket"}, waits=600.0),
    Rule(alert="ViewBehind", labels={}, waits=120.0),
]


def test_every_fault_names_alerts_that_exist() -> None:
    """With labels that a rule of that name can have, and a repair in time for each."""
    rules = rules_in(RULES)
    for fault in FAULTS.values():
        expected = expected_of(fault, rules, factor=20)
        assert all(wanted.within >= SCRAPES for wanted in expected.fires)
        assert fault.what


def test_a_fault_that_names_an_alert_that_does_not_exist_is_refused() -> None:
    """Renamed in the rules, it would be waited for in vain, or permitted for nothing."""
    fault = FAULTS["journeys_killed"]
    with pytest.raises(LookupError, match="no rule is called RoleGone"):
        expected_of(replace(fault, fires=(Fires("RoleGone"),), may=frozenset()), RULES_HERE, factor=20)
    with pytest.raises(LookupError, match="with labels"):
        waits_of(Fires("RoleAbsent", {"severity": "note"}), RULES_HERE)
    with pytest.raises(LookupError, match="no rule is called Nothing"):
        expected_of(replace(fault, may=frozenset({"Nothing"})), RULES_HERE, factor=20)


def test_of_two_rules_of_one_name_the_one_with_the_labels_counts() -> None:
    """Its `for` is divided by the factor; scrapes and the fault's own time are added."""
    assert waits_of(Fires("RoleAbsent", {"severity": "ticket"}), RULES_HERE) == 600
    fault = replace(FAULTS["journeys_killed"], fires=(Fires("ViewBehind", takes=7),), may=frozenset())
    [wanted] = expected_of(fault, RULES_HERE, factor=20).fires
    assert wanted.within == 120 / 20 + 7 + SCRAPES


class Planted:
    """An observer of alerts that follow a fault and its repair as told: by whether it is there and repaired."""

    def __init__(self, told: Any) -> None:
        self._told = told
        self.there = False
        self.repaired = False
        self.sightings: list[Sighting] = []

    @property
    def firing(self) -> frozenset[Alert]:
        """As last seen."""
        return self.sightings[-1].firing

    async def look(self) -> None:
        """Ten times a second, until cancelled."""
        while True:
            firing = frozenset(self._told(self.there, self.repaired))
            self.sightings.append(Sighting(time.monotonic(), firing))
            await asyncio.sleep(0.1)


QUICK = Pace(quiet_within=2.0, quiet_for=1.0, told_within=0.3)


async def driven(told: Any) -> tuple[Judgement, Planted]:
    """The verdict on a fault after which the alerts are as ``told``."""
    observer = Planted(told)

    async def cause(here: Scene) -> None:
        observer.there = True

    async def repair(here: Scene) -> None:
        observer.repaired = True

    fault = Fault(what="a fault", cause=cause, repair=repair, fires=(Fires("RoleAbsent"),), settles=2.5)
    expected = expected_of(fault, [Rule(alert="RoleAbsent", labels={}, waits=0.0)], factor=20)
    expected = replace(expected, fires=tuple(replace(one, within=1.5) for one in expected.fires))
    nobody, looking = cast("Scene", None), cast("Observer", observer)
    watching = asyncio.create_task(observer.look())
    try:
        judged = await drive(fault, nobody, looking, expected, tell=lambda what: None, pace=QUICK)
    finally:
        watching.cancel()
    return judged, observer


async def test_a_drive_of_alerts_that_do_what_they_should_passes() -> None:
    """From quiet to quiet."""
    judged, _ = await driven(lambda there, repaired: [ABSENT] if there and not repaired else [])
    assert judged.failures == ()
    assert set(judged.fired) == set(judged.resolved) == {"RoleAbsent"}


@pytest.mark.parametrize(
    ("told", "failure"),
    [
        (lambda there, repaired: [], "did not fire before the repair"),
        (lambda there, repaired: [ABSENT] if there else [], "did not resolve"),
        (lambda there, repaired: [ABSENT, BEHIND] if there and not repaired else [], "ViewBehind fired, which has"),
        (lambda there, repaired: [BEHIND], "ViewBehind fired before the fault"),
    ],
    ids=["never fires", "never resolves", "something else fires", "no quiet before it"],
)
async def test_a_drive_of_alerts_that_do_something_else_fails(told: Any, failure: str) -> None:
    """And the fault is repaired all the same, unless it was never caused."""
    judged, observer = await driven(told)
    assert any(failure in one for one in judged.failures), judged.failures
    assert observer.repaired == observer.there


def figures(tmp_path: Path, *failures: str) -> dict[str, Any]:
    """The summary of one fault."""
    judged = Judgement(
        fired={"RoleAbsent": 4.24}, resolved={} if failures else {"RoleAbsent": 12.0}, suppressed=("RoleNotReady",),
        also=("EventsCommitTooSlow",), failures=failures,
    )  # fmt: skip
    row = row_of("journeys_killed", FAULTS["journeys_killed"], judged, rules_in(RULES), seconds=60.0, command="make")
    return written([row], tmp_path / "summary.json", factor=20, machine={"processors": 2, "python": "3.11"})


def test_the_table_has_what_the_drive_saw(tmp_path: Path) -> None:
    """Alert, its `for`, seconds to fire and to resolve, what was suppressed; and the factor above it."""
    shown = lines(figures(tmp_path))
    assert "divided by 20" in shown
    assert "every alert did what it should" in shown
    assert "| RoleAbsent | 1 min | 4.2 | 12.0 | RoleNotReady | EventsCommitTooSlow | right |" in shown


def test_the_table_does_not_hide_a_failure(tmp_path: Path) -> None:
    """An alert that never resolved says `never`."""
    shown = lines(figures(tmp_path, "RoleAbsent did not resolve within 9 s of the repair"))
    assert "1 of the faults had a wrong result" in shown
    assert "| never |" in shown
    assert "RoleAbsent did not resolve within 9 s of the repair" in shown


def test_the_table_says_what_was_left_out_on_a_busy_machine(tmp_path: Path) -> None:
    """And nothing of it where nothing was."""
    shown = figures(tmp_path)
    assert "busy" not in lines(shown)
    shown["faults"][0]["left_out"] = ["EventsCommitTooSlow"]
    assert "busy with other work during journeys killed" in lines(shown)


def test_the_table_is_written_between_its_marks(tmp_path: Path) -> None:
    """The rest of the page stays; a page without the marks is refused."""
    figures(tmp_path)
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    tabulate(tmp_path / "summary.json", page)
    text = page.read_text()
    assert text.startswith(f"before\n{BEGIN}\n\n1 faults")
    assert text.endswith(f"\n{END}\nafter\n")
    assert "old" not in text
    page.write_text("nothing")
    with pytest.raises(ValueError, match="no place"):
        tabulate(tmp_path / "summary.json", page)


def test_faults_tried_one_by_one_make_one_table(tmp_path: Path) -> None:
    """At the same factor; what is tried again is replaced."""
    figures(tmp_path)
    path = tmp_path / "summary.json"
    assert [row["name"] for row in kept(path, but=["complaints"], factor=20)] == ["journeys_killed"]
    assert kept(path, but=["journeys_killed"], factor=20) == []
    assert kept(path, but=["complaints"], factor=10) == []
    assert kept(tmp_path / "none.json", but=[], factor=20) == []
    assert json.loads(path.read_text())["right"] == 1


def test_burn_rates_over_three_days_are_beyond_a_drive() -> None:
    """The label by which they are left out is the one that they have."""
    left_out = {rule.alert for rule in rules_in(RULES) if SLOW in rule.labels.items()}
    assert left_out == {"EventsCommitTooSlow", "LettersLeaveTooLate"}
