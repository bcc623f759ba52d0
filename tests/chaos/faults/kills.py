"""kill -9: at every failpoint of a transaction, and at random times."""

from __future__ import annotations

import asyncio
from collections import deque

from streams.processor.failpoints import Point
from tests.chaos.crew import Strike, Toll, endure
from tests.chaos.faults.arena import Arena, Outcome
from tests.chaos.ground import ground
from tests.chaos.stories import stream

POINTS = (
    Point.BEFORE_FIRST_SEND,
    Point.AFTER_FIRST_SEND,
    Point.BEFORE_OFFSETS,
    Point.AFTER_OFFSETS,
    Point.BEFORE_COMMIT,
    Point.AFTER_COMMIT,
    Point.BEFORE_MERGE,
    Point.AFTER_MERGE,
    Point.IN_RECOVERY,
)
"""The failpoints of a role without external effects."""

_TRANSACTIONS = 25  # a strike hits one of this many first transactions of a life
_LONGEST = 5.0


async def at_points(arena: Arena) -> Outcome:
    """Two workers; each life ends at a random failpoint, the n-th time it is reached."""
    rng = arena.rng("kill_at_points")
    points: list[Point] = []
    while len(points) < arena.kills:
        points += rng.sample(POINTS, len(POINTS))
    plan = deque(
        Strike(point, 1 if point is Point.IN_RECOVERY else rng.randrange(1, _TRANSACTIONS))
        for point in points[: arena.kills]
    )
    return await _under(arena, plan)


async def at_random(arena: Arena) -> Outcome:
    """Two workers; each life ends after some seconds, during start, recovery or work."""
    rng = arena.rng("kill_at_random")
    return await _under(arena, deque(Strike(after=rng.uniform(0.3, _LONGEST)) for _ in range(arena.kills)))


async def _under(arena: Arena, plan: deque[Strike]) -> Outcome:
    toll, planned = Toll(), len(plan)
    async with ground(arena.env) as here:
        here.feed(stream(arena.seed), rate=arena.rate)
        workers = [here.worker(name) for name in ("a", "b")]
        for worker in workers:
            worker.bug = arena.bug
        # recovery has something to read only after a commit
        await workers[0].start()
        await workers[0].ready()
        await asyncio.sleep(1)
        await workers[0].kill()
        await endure(workers, plan, toll=toll, struck=lambda: arena.tell(f"{toll.kills} of {planned} kills"))
        await asyncio.sleep(1)
        verdict = await here.verdict()
    failures = [f"{missed} was not reached" for missed in toll.missed]
    failures += [f"a worker ended with {code}" for code in toll.other_ends]
    return Outcome(
        count=toll.kills, kills=toll.kills, verdict=verdict, notes={"points": toll.points}, failures=tuple(failures)
    )
