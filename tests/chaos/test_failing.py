"""The faults that are planted in steps: the same for the same event, in every stage, and gone after the drive."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from datetime import timedelta

from processors.journey import asking
from processors.journey.core import advance
from processors.playbook import load_playbook
from streams.events import Decision, JourneyState
from tests.chaos import failing
from tests.chaos.failing import CONTAINED, Planted, costs_its_record, planted
from tests.chaos.faults.steps import with_failures
from tests.chaos.stories import stream

PLAYBOOK = load_playbook()


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


def test_nothing_stays_planted() -> None:
    """After the drive the core is as it was."""
    before = asking.in_order, asking.guard
    with failing.in_policies_and_guard():
        assert (asking.in_order, asking.guard) != before
    assert (asking.in_order, asking.guard) == before
