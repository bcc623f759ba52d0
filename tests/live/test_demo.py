"""The promise of the storm day: nobody is forgotten, nobody is written to twice, whatever is killed on the way."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local import Stack, stack_environment
from processors.journey.wait_rules import wait_rules
from processors.playbook import load_playbook
from processors.playbook.packaged import packaged_playbook
from processors.settings import Settings
from processors.simulator import load_flights
from streams import Subscriber
from streams.events import Decision, DecisionKind, OrderPlaced, OutreachRequested
from tests.monitoring import found

pytestmark = [pytest.mark.live, pytest.mark.timeout(600)]

STORM = date(2013, 2, 8)


def _demo(home: Path, *options: str) -> dict[str, Any]:
    """Run the demo as a person would, as fast as it goes; its summary."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CARELINE_")}
    run = subprocess.run(
        [sys.executable, "-m", "processors.cli", "demo", "--home", str(home), "--speed", "0", *options],
        env=environment,
        capture_output=True,
        text=True,
        timeout=540,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-4000:]
    summary: dict[str, Any] = json.loads((home / "summary.json").read_text())
    return summary


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The day played once, its topics still there; watched, where there is something to watch it with."""
    home = tmp_path_factory.mktemp("demo")
    watched = ["--monitoring"] if found("prometheus") and found("alertmanager") else []
    try:
        yield home, _demo(home, "--keep", *watched)
    finally:
        Stack(home / "stack").down(purge=True)


async def _read(settings: Settings) -> tuple[dict[str, set[str]], list[Decision], list[OutreachRequested]]:
    """Who booked which flight, every decision, and every request, from the topics."""
    booked: dict[str, set[str]] = {}
    decisions: list[Decision] = []
    requests: list[OutreachRequested] = []
    async with Subscriber(settings, "touchpoints", "decisions", "outreach", until_end=True) as topics:
        async for message in topics:
            match message.record:
                case OrderPlaced(kind="flight", subject_id=str(flight), customer_id=customer):
                    booked.setdefault(flight, set()).add(customer)
                case Decision() as decision:
                    decisions.append(decision)
                case OutreachRequested() as request:
                    requests.append(request)
                case _:
                    pass
    return booked, decisions, requests


def test_nobody_who_waits_is_forgotten(kept: tuple[Path, dict[str, Any]]) -> None:
    """Everybody booked on a flight that was cancelled or left too late has a letter, or a stated reason against one."""
    home, _ = kept
    environment = dict(stack_environment(home / "stack", environ={}))
    environment.pop("CARELINE_MAIL_DIR")
    booked, decisions, requests = asyncio.run(_read(Settings.from_environment(environment)))
    threshold = wait_rules(load_playbook(), "flight").threshold
    assert threshold >= timedelta(minutes=10)
    # from the flights alone: neither the announcements nor the decisions have a say in who is owed a letter
    late = {f.flight_id for f in load_flights(STORM) if f.cancelled or (f.delay is not None and f.delay >= threshold)}
    owed = {(customer, flight) for flight in late for customer in booked.get(flight, ())}
    assert len(owed) > 1_000

    requested = {request.outreach_id for request in requests}
    answered: dict[tuple[str, str], set[str]] = {}
    for decision in decisions:
        about = (decision.customer_id, decision.inputs.get("subject", "").removeprefix("flight "))
        if decision.kind is DecisionKind.SEND:
            assert decision.outreach_id in requested
        answered.setdefault(about, set()).add(f"{decision.kind.lower()}: {decision.reason}")
    undecided = owed - set(answered)
    assert not undecided, sorted(undecided)[:5]
    # too short a wait is no reason for somebody who waited longer than that
    silent = {about for about in owed if answered[about] <= {"suppress: below_threshold"}}
    assert not silent, sorted(silent)[:5]


def test_the_demo_watches_itself(kept: tuple[Path, dict[str, Any]], monitoring_program: Callable[[str], str]) -> None:
    """With --monitoring, Prometheus scrapes exactly the roles of the demo, knows our rules and the Alertmanager."""
    for program in ("prometheus", "alertmanager"):
        monitoring_program(program)
    home, _ = kept
    status = Stack(home / "stack", environ={}).status()
    assert status.running
    [prometheus] = [part.address for part in status.parts if part.name == "prometheus"]

    def asked(path: str) -> Any:
        return httpx.get(f"{prometheus}/api/v1/{path}", trust_env=False).json()["data"]

    targets = {target["labels"]["role"]: target["health"] for target in asked("targets")["activeTargets"]}
    assert targets == dict.fromkeys(("journeys", "outreach", "view", "measure"), "up")
    assert len(asked("alertmanagers")["activeAlertmanagers"]) == 1
    assert {rule["name"] for group in asked("rules?type=alert")["groups"] for rule in group["rules"]} >= {"RoleAbsent"}
    [committed] = asked('query?query=sum(careline_processor_records_total{role="journeys"})')["result"]
    assert float(committed["value"][1]) > 30_000


def test_the_summary_is_whole(kept: tuple[Path, dict[str, Any]]) -> None:
    """At least 30,000 touchpoints, no duplicates, no dead letters, and every letter requested accounted for."""
    _, summary = kept
    assert summary["events_in"] >= 30_000
    assert summary["customers"] > 3_000
    assert summary["delays"]["cancelled"] > 1_000
    assert summary["duplicates"] == 0
    assert summary["dead_letters"] == 0
    assert summary["silent"] == 0
    assert summary["reachable"] > 1_500
    assert summary["told_within_a_minute"] >= 0.98
    assert summary["told_before_they_asked"] >= 0.98
    assert summary["retracted"] > 0
    assert set(summary["decisions"]) >= {"send", "hold", "suppress", "retract"}
    assert set(summary["event_to_outreach_ms"]) == {"p50", "p99"}
    ended = summary["outreach_sent"] + summary["outreach_failed"] + summary["outreach_uncertain"]
    assert ended == summary["outreach_requested"] > 1_000
    sent = summary["outreach_sent_by_channel"]
    assert sent.keys() == {"EMAIL", "AGENT_TASK"}
    assert sum(sent.values()) == summary["outreach_sent"]
    assert summary["letters_in_mailbox"] == sent["EMAIL"]
    assert summary["agent_tasks"] == sent["AGENT_TASK"]


SIX = ("delay_care", "response_watch", "mention_reply", "recovery", "out_of_stock_save", "caring_hands")


def test_every_policy_had_its_day(kept: tuple[Path, dict[str, Any]]) -> None:
    """Each of the six sent something, what employees gave is counted, and every figure adds up."""
    _, summary = kept
    by_policy = dict(summary["by_policy"])
    assert set(by_policy) == {*SIX, "agent_gestures", "promise_watch"}
    assert by_policy.pop("promise_watch")["wanted"] == 0  # a promise of days does not pass within one
    for name, figures in by_policy.items():
        assert figures["sent"] > 0, name
        refused = sum(figures["suppressed"].values())
        assert figures["wanted"] == figures["sent"] + refused + figures["dropped"] + figures["waiting"], name
        assert figures["escalated"] <= figures["tasks"] <= figures["sent"], name
        assert figures["retracted"] <= figures["sent"], name
    assert sum(figures["sent"] for figures in by_policy.values()) == summary["outreach_requested"]
    assert sum(figures["retracted"] for figures in by_policy.values()) == summary["retracted"]
    for name in ("mention_reply", "recovery", "caring_hands"):  # what these want done, people do
        assert by_policy[name]["tasks"] == by_policy[name]["sent"]
    for name in ("delay_care", "out_of_stock_save"):
        assert not by_policy[name]["held"].get("quiet_hours")  # an e-mail wakes nobody
        assert Decimal(by_policy[name]["gesture_cost"]) > 0
    assert by_policy["out_of_stock_save"]["suppressed"]["holdout"] > 0
    assert Decimal(by_policy["agent_gestures"]["gesture_cost"]) > 0


def test_experiments_got_their_shares(kept: tuple[Path, dict[str, Any]]) -> None:
    """Caring hands, the holdout and the kinds of coupon were met, in a ratio that chance explains."""
    _, summary = kept
    experiments = summary["experiments"]
    assert set(experiments) == {"caring_hands", "coupon-kind", "holdout/out_of_stock_save"}
    assert not any(found["mismatch"] for found in experiments.values())
    arms = {name: {arm: one["exposed"] for arm, one in found["arms"].items()} for name, found in experiments.items()}
    assert arms["caring_hands"]["caring"] == summary["by_policy"]["caring_hands"]["wanted"]
    # a customer meets an experiment once, however many of their wishes could not be fulfilled
    save = summary["by_policy"]["out_of_stock_save"]
    assert 0 < arms["holdout/out_of_stock_save"]["held_out"] <= save["suppressed"]["holdout"]
    assert arms["holdout/out_of_stock_save"]["served"] == sum(arms["coupon-kind"].values()) == save["customers"]


def test_a_customer_has_a_page(kept: tuple[Path, dict[str, Any]]) -> None:
    """`careline customer` shows who they are and why each letter was or was not sent."""
    home, _ = kept
    environment = {**os.environ, **stack_environment(home / "stack", environ={})}
    environment.pop("CARELINE_MAIL_DIR")
    run = subprocess.run(
        [sys.executable, "-m", "processors.cli", "customer", "cust-00069", "--json"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert "delay_care" in run.stdout
    assert json.loads(run.stdout)


def _replay(home: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """`careline replay` of the whole day, on the stack that was kept, with code 1 where anything differs."""
    environment = {**os.environ, **stack_environment(home / "stack", environ={})}
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "processors.cli",
            "replay",
            "--from",
            "2013-02-01",
            "--to",
            "2013-03-01",
            "--check",
            *options,
        ],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_day_would_be_decided_again_as_it_was(kept: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    """The playbook in force reproduces every decision and every letter on record, twice in the same bytes."""
    home, summary = kept
    first, second = (_replay(home, "--json", "--out", str(tmp_path / name)) for name in ("first", "second"))
    assert first.returncode == 0, first.stdout[:4000] + first.stderr
    assert first.stdout == second.stdout == (tmp_path / "first").read_text() == (tmp_path / "second").read_text()
    report = json.loads(first.stdout)
    recorded = sum(sum(reasons.values()) for reasons in summary["decisions"].values())
    assert report["difference"] == {
        "same": recorded,
        "reworded": 0,
        "changed": 0,
        "only_recorded": 0,
        "only_replayed": 0,
        "customers": 0,
        "customers_who_hear_otherwise": 0,
    }
    assert report["read"]["moved_in_time"] == 0, "the day's clock needs no word of the decisions"
    assert report["read"]["timers"] > 100
    assert report["decisions_met_twice"] == {"recorded": 0, "replayed": 0}
    assert report["letters_no_longer_kept"] == report["set_aside"]["customers"] == 0
    assert list(report["recorded_under"]) == [report["playbook"]]
    hours = [*report["sends_per_hour"].values(), *report["tasks_per_hour"].values()]
    assert sum(hour["replayed"] for hour in hours) == summary["outreach_requested"]


def test_another_playbook_lets_others_hear(kept: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    """With twice the threshold fewer are written to, and the difference is told by name."""
    home, _ = kept
    text = packaged_playbook()
    new = tmp_path / "new.yaml"
    new.write_text(text.replace("threshold: 30m", "threshold: 60m", 1), encoding="utf-8")
    assert new.read_text() != text
    run = _replay(home, "--json", "--playbook", str(new))
    assert run.returncode == 1, run.stderr
    report = json.loads(run.stdout)
    found = report["difference"]
    assert found["only_recorded"] > 100
    assert found["only_replayed"] > 100
    assert found["same"] > found["changed"]
    sides = report["by_policy"]["delay_care"]
    assert sides["replayed"]["send"]["wanted"] < sides["recorded"]["send"]["wanted"]
    assert sides["replayed"]["suppress"]["below_threshold"] > sides["recorded"]["suppress"]["below_threshold"]
    assert found["customers_who_hear_otherwise"] == sum(one["hears_otherwise"] for one in report["customers"]) > 100


def test_ten_kills_change_nothing(kept: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    """With kill -9 of the journeys and outreach roles, ten times on the way, the outreach is the same multiset."""
    _, calm = kept
    killed = _demo(tmp_path, "--kill", "10")
    assert killed["kills"] == 10
    for figure in (
        "outreach_digest",
        "decisions",
        "delays",
        "customers",
        "events_in",
        "outreach_requested",
        "retracted",
        "by_policy",
        "experiments",
    ):
        assert killed[figure] == calm[figure], figure
    assert killed["duplicates"] == killed["dead_letters"] == killed["silent"] == 0
    ended = killed["outreach_sent"] + killed["outreach_failed"] + killed["outreach_uncertain"]
    assert ended == killed["outreach_requested"]
    # what a kill left uncertain may have reached the mailbox or not, but never twice
    sent = killed["outreach_sent_by_channel"]
    assert sent["EMAIL"] <= killed["letters_in_mailbox"] <= sent["EMAIL"] + killed["outreach_uncertain"]
    assert killed["agent_tasks"] == sent["AGENT_TASK"]
