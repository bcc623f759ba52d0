"""Decisions can be reproduced."""

from __future__ import annotations

from streams.events import DecisionKind
from tests import test_architecture
from tests.journey.given import at, delay, departure, profile
from tests.replay.given import Day, counts, day
from tests.replay.test_replay import patient


async def a_day() -> Day:
    """Ana's flight is half an hour late, then three hours, then gone."""
    today = day()
    today.publish(profile(), delay(at("12:00"), minutes=35), delay(at("13:00"), minutes=180), departure(at("20:30")))
    await today.handled()
    return today


async def test_the_same_decisions_again() -> None:
    """`careline replay` runs the same core over the topics and makes the same decisions."""
    report = await (await a_day()).replayed()
    same, changed, only_recorded, only_replayed = counts(report)
    assert same > 1
    assert (changed, only_recorded, only_replayed) == (0, 0, 0)


async def test_another_playbook() -> None:
    """With `--playbook NEW` it shows what would change."""
    report = await (await a_day()).replayed(playbook=patient())  # an hour's delay is no matter
    gone, new = report.difference.only_recorded[0].decision, report.difference.only_replayed[0].decision
    assert (gone.kind, gone.occasion, gone.decided_at) == (DecisionKind.SEND, "notice", at("12:00"))
    assert (new.kind, new.reason, new.decided_at) == (DecisionKind.SUPPRESS, "below_threshold", at("12:00"))


def test_no_way_out() -> None:
    """It cannot send anything."""
    test_architecture.test_a_replay_can_send_nothing()
    test_architecture.test_a_replay_only_looks()
