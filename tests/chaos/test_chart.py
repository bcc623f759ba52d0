"""The chart and the table say what the figures say, in every case that a run can end in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.chaos.chart import draw, svg, tabulate
from tests.chaos.faults import Outcome
from tests.chaos.summary import Summary, row_of
from tests.chaos.verdict import Verdict

PAGE = "before\n<!-- figures: python -m tests.chaos.chart -->\nold\n<!-- end of the figures -->\nafter\n"


def summary(**counts: Any) -> Summary:
    """A run of two faults, the second with these differences."""
    run = Summary(seed=1, asked_kills=3)
    for name, verdict in (("zombie", Verdict(events=1_000)), ("broker_kill", Verdict(events=20, **counts))):
        outcome = Outcome(count=3, kills=2, verdict=verdict)
        run.rows.append(row_of(name, "What is done.", outcome, seconds=1.0, command=f"make chaos ONLY={name}"))
    run.bugs["early_merge"] = "3 lost"
    run.faust["at_least_once"] = {
        "guarantee": "at_least_once", "kills": 3, "events": 500, "lost": 0, "duplicated": 70, "order_breaks": 5,
        "wrong_states": 9,
    }  # fmt: skip
    return run


def words(figures: dict[str, Any]) -> str:
    """All that the chart says."""
    return " ".join(ElementTree.fromstring(svg(figures)).itertext())


def test_a_run_without_differences_says_so() -> None:
    """Nothing lost, nothing twice."""
    run = summary()
    assert run.good
    said = words(run.figures())
    assert "1,020 touchpoints under 2 kinds of faults: nothing lost, nothing twice" in said
    assert "1 of 1 planted bugs noticed" in said
    assert "500: 70 twice, 5 out of order, 9 wrong states" in said


@pytest.mark.parametrize("count", ["lost", "duplicated", "order_breaks", "wrong_states", "zombie_records", "unsettled"])
def test_no_difference_goes_unsaid(count: str) -> None:
    """Each kind of difference makes the run bad, and is in the row's result."""
    run = summary(**{count: 4})
    assert not run.good
    assert run.rows[1].result == f"4 {count.replace('_', ' ')}"
    assert "nothing lost" not in words(run.figures())


def test_a_bug_that_was_not_noticed_makes_the_run_bad() -> None:
    """An oracle that sees nothing proves nothing."""
    run = summary()
    run.bugs["lost_timer"] = ""
    assert not run.good
    assert run.figures()["planted_bugs_caught"] == ["early_merge"]
    assert run.figures()["planted_bugs_missed"] == ["lost_timer"]


def test_a_run_of_some_faults_keeps_what_is_known_of_the_others(tmp_path: Path) -> None:
    """Of the same seed; what was tried again is told anew."""
    file = tmp_path / "summary.json"
    summary(lost=2).write(file)
    again, other = Summary(seed=1, asked_kills=3), Summary(seed=2, asked_kills=3)
    again.keep(file, but=["broker_kill", "faust"])
    other.keep(file, but=[])
    again.keep(tmp_path / "none.json", but=[])
    assert [row.name for row in again.rows] == ["zombie"]
    assert again.bugs == {"early_merge": "3 lost"}
    assert again.faust == {}
    assert other.rows == []


def test_the_page_takes_the_figures_between_its_marks(tmp_path: Path) -> None:
    """And nothing else of it changes; doing it again changes nothing."""
    file, page, chart = tmp_path / "summary.json", tmp_path / "page.md", tmp_path / "chart.svg"
    summary().write(file)
    page.write_text(PAGE)
    tabulate(file, page)
    once = page.read_text()
    tabulate(file, page)
    draw(file, chart)
    assert page.read_text() == once
    assert once.startswith("before\n")
    assert once.endswith("\nafter\n")
    assert "old" not in once
    assert "| **zombie**: What is done | 3 | 1,000 |" in once
    assert "| early merge | 3 lost |" in once
    assert "| at least once | 3 | 500 | 0 | 70 | 5 | 9 |" in once
    assert json.loads(file.read_text())["kills"] == 4
    assert ElementTree.parse(chart).getroot().tag.endswith("svg")


def test_a_page_without_a_place_for_them_is_left_alone(tmp_path: Path) -> None:
    """Better an error than figures in the wrong place."""
    file, page = tmp_path / "summary.json", tmp_path / "page.md"
    summary().write(file)
    page.write_text("nothing of the kind\n")
    with pytest.raises(ValueError, match="no place"):
        tabulate(file, page)
    assert page.read_text() == "nothing of the kind\n"
