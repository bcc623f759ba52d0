"""Steps that fail, at every stage, while workers are killed."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections import Counter, deque
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from streams.events import DelayNoticed, DelayReason, Touchpoint
from tests.chaos import failing
from tests.chaos.crew import Strike, Toll, endure
from tests.chaos.failing import Planted, costs_its_record, planted
from tests.chaos.faults.arena import Arena, Outcome
from tests.chaos.ground import Ground, ground
from tests.chaos.stories import Told, stream

_LONGEST = 5.0
_EVERY = 150
"""One event in a thousand of the stories fails. After so many of them one more is told, for each stage in turn."""

STAGES = {
    Planted.DECODE: "decode",
    Planted.ADMIT: "admit",
    Planted.FOLD: "step",
    Planted.OUTPUT: "encode",
    Planted.STATE: "encode",
    Planted.TOO_LARGE: "size",
}
"""What the dead letter must say."""


async def failing_step(arena: Arena) -> Outcome:
    """One event in a thousand fails, at any stage from decoding to an output that is too large; with kills."""
    rng = arena.rng("failing_step")
    toll = Toll()
    plan = deque(Strike(after=rng.uniform(1.5, _LONGEST)) for _ in range(arena.kills))
    with failing.in_policies_and_guard():
        async with ground(arena.env) as here:
            here.fails = costs_its_record
            here.feed(with_failures(stream(arena.seed), rng), rate=arena.rate)
            workers = [here.worker(name) for name in ("a", "b")]
            for worker in workers:
                worker.bug, worker.fails = arena.bug, True
            await endure(workers, plan, toll=toll, struck=lambda: arena.tell(f"{toll.kills} of {arena.kills} kills"))
            await asyncio.gather(*(worker.ready() for worker in workers))
            await asyncio.sleep(3)
            verdict = await here.verdict(within=180)
            set_aside, wrong = await _set_aside(here)
            refused = await _refused(here)
    failures = [f"a worker ended with {code}" for code in toll.other_ends] + wrong
    failures += [f"nothing failed in {where}" for where in STAGES if not set_aside[where]]
    failures += [] if refused else ["no policy failed"]
    return Outcome(
        count=set_aside.total() + refused.total(), kills=toll.kills, verdict=verdict,
        notes={"unprocessable": dict(set_aside), "policy_failed": dict(refused)},
        failures=() if arena.bug else tuple(failures),
    )  # fmt: skip


def with_failures(told: Iterator[Told], rng: random.Random) -> Iterator[Told]:
    """The stories, with events inserted that fail at each stage in turn."""
    stages = itertools.cycle(Planted)
    ids = {where: failing.ids_of(where, rng) for where in Planted}
    for number, (at, event) in enumerate(told, start=1):
        yield at, event
        if number % _EVERY == 0:
            where = next(stages)
            yield at, _event(next(ids[where]), event.customer_id, at)


def _event(identity: str, customer: str, at: datetime) -> Touchpoint:
    """An event that always leads to a decision, so that there is something to fail and to roll back."""
    return DelayNoticed(
        event_id=identity, customer_id=customer, occurred_at=at, source="urn:test:chaos", subject_kind="flight",
        subject_id=identity[:8], description="flight", promised_at=at, cancelled=True, reason=DelayReason.WEATHER,
    )  # fmt: skip


async def _set_aside(here: Ground) -> tuple[Counter[str], list[str]]:
    """The number of dead letters by stage; and those with a different reason."""
    found: Counter[str] = Counter()
    wrong = []
    for seen in here.watcher.of(here.settings.topics.dead_letters):
        said = {name.removeprefix("careline_dead_letter_"): value.decode() for name, value in seen.headers}
        event: Any = await here.codec.decode(seen.value)
        where = planted(event.event_id)
        stage = STAGES.get(where) if where is not None else None
        if said["reason"] != "unprocessable" or stage is None or not said["detail"].startswith(f"{stage}: "):
            wrong.append(f"{event.event_id} ({where}): {said['reason']} {said['detail'][:200]}")
        else:
            found[str(where)] += 1
    return found, wrong[:5]


async def _refused(here: Ground) -> Counter[str]:
    """The refusals because of failed policies, by what failed."""
    found: Counter[str] = Counter()
    for seen in here.watcher.of(here.settings.topics.decisions):
        decision: Any = await here.codec.decode(seen.value)
        if decision.reason == "policy_failed":
            found[f"{decision.policy}: {decision.occasion}"] += 1
    return found
