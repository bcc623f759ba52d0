"""What the demo shows of each policy."""

from __future__ import annotations

import io
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from processors.demo.policies import Tally
from processors.demo.policy_table import bars, experiment_table, policy_table, task_panel
from processors.terminal import Screen
from streams.events import AgentTask
from tests.journey.given import POLICIES

TALLIES = {
    policy.name: Tally(
        wanted=1_234,
        sent=1_200,
        escalated=7,
        tasks=20,
        held=Counter(quiet_hours=40),
        suppressed=Counter(no_consent=30, some_reason_of_tomorrow=2),
        dropped=2,
        retracted=3,
        gesture_cost=Decimal("168696.00"),
        customers=900,
    )
    for policy in POLICIES
}


def printed(thing: object, width: int) -> str:
    out = io.StringIO()
    Screen(file=out, width=width).print(thing)
    return out.getvalue()


@pytest.mark.parametrize("width", [80, 108])
def test_a_policy_is_told_with_why_we_serve_so(width: int) -> None:
    """Every figure whole, every policy with its sentence, every reason in words, whatever the width."""
    over_time = {policy.name: [0, 3, 9] for policy in POLICIES}
    page = printed(
        policy_table({name: one.as_data() for name, one in TALLIES.items()}, over_time, "USD", width=width), width
    )
    words = " ".join(page.split())
    for policy in POLICIES:
        assert f"{policy.name}: {policy.why['en']}" in words
    for wanted in (
        "1,234",
        "1,200",
        "168,696.00",
        "40 at night",
        "30 without their consent",
        "some reason of tomorrow",
    ):
        assert words.count(wanted) == len(POLICIES), wanted
    assert ("·▃█" in page) == (width > 90)


def test_bars_are_in_proportion() -> None:
    """The most is the highest, a little is seen, nothing is a dot."""
    assert bars([0, 1, 50, 100]) == "·▁▄█"
    assert bars([]) == bars(()) == ""
    assert bars([0, 0]) == "··"


def test_an_experiment_is_told_with_its_shares() -> None:
    """By arm how many met it, beside how many were to be expected; a ratio that chance does not explain is said so."""
    arms = {"held_out": {"exposed": 21, "expected": 29.2}, "served": {"exposed": 271, "expected": 262.8}}
    found = {
        "holdout/out_of_stock_save": {"arms": arms, "p_value": 0.11, "mismatch": False},
        "broken": {"arms": arms, "p_value": 0.0001, "mismatch": True},
        "small": {"arms": {"caring": {"exposed": 1, "expected": 0.5}}, "p_value": None, "mismatch": False},
    }
    lines = [" ".join(line.split()) for line in printed(experiment_table(found), 80).splitlines()]
    assert "holdout/out_of_stock_save held out 21 29.2 0.11 as expected" in lines
    assert "served 271 262.8" in lines
    assert "broken held out 21 29.2 0.0001 too far off" in lines
    assert "small caring 1 0.5 too few to say" in lines


def test_a_task_is_shown_as_its_team_reads_it() -> None:
    """To whom, by when, what about; square brackets are text."""
    task = AgentTask(
        task_id="t", customer_id="ana", opened_at=datetime(2013, 2, 8, 12, tzinfo=UTC), team="social-care",
        due_at=datetime(2013, 2, 8, 14, tzinfo=UTC), title="A complaint on microblog",
        text="Ana wrote: [bold]four hours[/bold]", locale="en", policy="mention_reply", journey_id="j",
        occasion="rescue", why="w", useful_until=datetime(2013, 2, 9, tzinfo=UTC), decision_id="d",
    )  # fmt: skip
    page = printed(task_panel(task), 100)
    for wanted in ("social-care", "Fri 08 Feb 14:00 UTC", "A complaint on microblog", "[bold]four hours[/bold]"):
        assert wanted in page
