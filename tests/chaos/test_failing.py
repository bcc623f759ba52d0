"""The faults that are planted in steps: the same for the same event, in every stage, and gone after the drive."""

from __future__ import annotations

import itertools
import random
import subprocess
import sys
from collections import Counter
from datetime import timedelta

import pytest

from processors.journey import asking
from processors.journey.core import advance
from processors.playbook import load_playbook
from streams.events import Decision, JourneyState
from streams.processor.savepoint import Savepoint
from streams.processor.steps import Steps
from tests.chaos import failing
from tests.chaos.bugs import BUGS
from tests.chaos.failing import CONTAINED, Planted, costs_its_record, planted
from tests.chaos.faults.steps import with_failures
from tests.chaos.stories import BEGIN, closing, stream
from tests.chaos.test_histories import CODEC, End, verdict_of
from tests.chaos.verdict import Verdict

PLAYBOOK = load_playbook()
LAST = BEGIN + timedelta(days=30)


def test_one_event_in_a_thousand_fails() -> None:
    """Of the stories one event in a thousand or so fails, and the others do not."""
    told = itertools.islice(stream(1, repeats=0), 20_000)
    found = Counter(planted(event.event_id) for _, event in told)
    assert 5 <= found.total() - found[None] <= 50


def test_events_are_found_for_every_stage() -> None:
    """The drive can tell an event that fails wherever it wants one to."""
    for where in Planted:
        identity = next(failing.ids_of(where, random.Random(1)))
        assert planted(identity) is where
        assert identity == next(failing.ids_of(where, random.Random(1)))


def test_every_stage_has_its_turn() -> None:
    """Within a few seconds of the drive each stage has failed for somebody."""
    told = itertools.islice(with_failures(stream(1), random.Random(1)), 150 * 10)
    found = Counter(planted(event.event_id) for _, event in told)
    assert all(found[where] for where in Planted)


def test_a_policy_or_the_guard_fails_for_the_customer_and_is_refused() -> None:
    """What is planted in a policy or in the guard costs a decision; the event counts, and the oracle says the same."""
    refused: Counter[str] = Counter()
    states: dict[str, JourneyState | None] = {}
    with failing.in_policies_and_guard():
        for at, event in itertools.islice(with_failures(stream(1), random.Random(1)), 5_000):
            if costs_its_record(event):
                continue
            step = advance(states.get(event.customer_id), event, now=at + timedelta(0), playbook=PLAYBOOK)
            states[event.customer_id] = step.state
            refused.update(
                one.occasion for one in step.outputs if isinstance(one, Decision) and one.reason == "policy_failed"
            )
    assert set(refused) == {"concerns: PlantedError", "guard: PlantedError"}
    assert set(CONTAINED) == {Planted.POLICY, Planted.GUARD}


async def _found(*, events: int = 1_500) -> Verdict:
    told = [*itertools.islice(with_failures(stream(1), random.Random(1)), events), closing(LAST, "closing")]
    cuts = [(number % 70 + 1, list(End)[number % 7 % 3]) for number in range(60)]
    with failing.everywhere():
        return await verdict_of(CODEC, told, cuts, timers=1_000, fails=costs_its_record)


async def test_what_fails_costs_itself_and_no_more() -> None:
    """Through the processor's own steps, with transactions that are given up: exact but for the events that fail."""
    verdict = await _found()
    assert verdict.clean, verdict
    assert verdict.outputs > 500


@pytest.mark.parametrize("bug", ["lost_after_failure", "kept_of_failure"])
async def test_broken_isolation_is_noticed(bug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """If a record is lost beside the one that failed, or half of a failed step is kept, the oracle says so."""
    for where, name in ((Steps, "_set_aside"), (Steps, "_receive"), (Savepoint, "restore")):
        monkeypatch.setattr(where, name, getattr(where, name))  # so that it is as it was afterwards
    BUGS[bug]()
    verdict = await _found()
    assert verdict.lost if bug == "lost_after_failure" else verdict.duplicated, verdict


def test_a_worker_keeps_what_is_planted() -> None:
    """In a worker the faults stay for all of its life."""
    code = """
import gc, processors.roles.journeys as role
from tests.chaos import failing
before = role.advance
failing.plant()
gc.collect()
assert role.advance is not before
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_nothing_stays_planted() -> None:
    """After the drive the core is as it was."""
    before = asking.in_order, asking.guard
    with failing.in_policies_and_guard():
        assert (asking.in_order, asking.guard) != before
    assert (asking.in_order, asking.guard) == before
