"""A few of the faults, short, on the real stack; ``make chaos`` tries all of them, many times over."""

from __future__ import annotations

import pytest

from deploy.local import Stack
from tests.chaos.faults import Arena, inputs, kills, owners, steps
from tests.chaos.planted import noticed

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]


@pytest.fixture
def arena(stack: Stack, stack_env: dict[str, str]) -> Arena:
    """The session's stack, and a little of everything."""
    return Arena(stack=stack, env=stack_env, seed=20130208, kills=3, rate=300)


async def test_kills_at_named_points_change_nothing(arena: Arena) -> None:
    """Two workers die in the middle of transactions; each state, decision and letter is there once, in order."""
    outcome = await kills.at_points(arena)
    assert outcome.good, outcome
    assert outcome.kills == arena.kills
    assert outcome.verdict.outputs > 500


async def test_a_worker_that_slept_through_its_takeover_is_not_seen(arena: Arena) -> None:
    """It wakes up with a transaction in hand, after another took its partitions; nothing of it becomes visible."""
    outcome = await owners.zombie(arena)
    assert outcome.good, outcome
    assert outcome.verdict.outputs > 500


async def test_transactions_that_the_broker_refuses_change_nothing(arena: Arena) -> None:
    """What goes to one topic is refused for seconds at a time: transactions fail, and are done again as a whole."""
    outcome = await inputs.refused_sends(arena)
    assert outcome.good, outcome


async def test_steps_that_fail_cost_their_own_record(arena: Arena) -> None:
    """At every stage of a step events fail, and workers die: those alone are set aside, everything else is exact."""
    outcome = await steps.failing_step(arena)
    assert outcome.good, outcome
    assert outcome.verdict.outputs > 500


async def test_the_drive_notices_a_planted_bug(arena: Arena) -> None:
    """The same, with the record after a failed one passed over: the oracle says that something is lost."""
    assert "lost" in await noticed("lost_after_failure", arena)
