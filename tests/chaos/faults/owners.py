"""Faults of ownership: workers that join, leave, sleep through a rebalance, or use the same name."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable

from streams.processor.failpoints import Point
from tests.chaos.crew import Toll, Worker, supervise
from tests.chaos.faults.arena import Arena, Outcome
from tests.chaos.ground import Ground, ground
from tests.chaos.stories import stream

ASLEEP_AT = (Point.BEFORE_FIRST_SEND, Point.BEFORE_COMMIT, Point.AFTER_FIRST_SEND)
_TAKEOVER = 90.0
_TUG_OF_WAR = 10.0


async def zombie(arena: Arena) -> Outcome:
    """A worker is stopped (SIGSTOP) in a transaction until another has its partitions, and then resumes."""
    rng = arena.rng("zombie")
    points = ASLEEP_AT[: max(1, min(arena.kills // 10, len(ASLEEP_AT)))]
    taken_after: list[float] = []
    async with ground(arena.env) as here:
        here.feed(stream(arena.seed), rate=arena.rate)
        visible = 0
        for number, point in enumerate(points):
            sleeper, other = here.worker(f"sleeper-{number}"), here.worker(f"other-{number}")
            sleeper.bug = other.bug = arena.bug
            await other.start()
            sleeper.arm(at=point, time=rng.randrange(3, 20), do="stop")
            await sleeper.start()
            await sleeper.stopped_itself()
            stopped = _now()
            arena.tell(f"asleep {point}")
            await owns_all(here, other)
            taken_after.append(round((_now() - stopped) / 1000, 1))
            await here.watcher.to_the_end()
            before = here.watcher.by([str(sleeper.pid)], before=stopped)
            sleeper.signal(signal.SIGCONT)
            arena.tell(f"awake again {point}")
            await asyncio.sleep(5)
            await here.watcher.to_the_end()
            visible += here.watcher.by([str(sleeper.pid)], before=stopped) - before
            if number < len(points) - 1:
                await asyncio.gather(sleeper.kill(), other.kill())
        verdict = await here.verdict()
        verdict.zombie_records += visible
    return Outcome(count=len(points), verdict=verdict, notes={"taken_over_after_s": taken_after})


async def scaling(arena: Arena) -> Outcome:
    """One worker, then three, then only the last of them."""
    async with ground(arena.env) as here:
        here.feed(stream(arena.seed), rate=arena.rate)
        first, second, third = workers = [here.worker(name) for name in ("a", "b", "c")]
        await first.start()
        await first.ready()
        await asyncio.sleep(2)
        arena.tell("three workers")
        for worker in (second, third):
            await worker.start()
        await asyncio.gather(*(worker.ready() for worker in workers))
        await shared(here, workers)
        arena.tell("one worker")
        left = _now()
        await first.stop()
        await second.stop()
        await owns_all(here, third)
        taken = round((_now() - left) / 1000, 1)
        verdict = await here.verdict()
    return Outcome(count=2, verdict=verdict, notes={"taken_over_after_s": taken})


async def same_ids(arena: Arena) -> Outcome:
    """A second process uses the same name: same member, same transactional ids, at the same time."""
    toll = Toll()
    async with ground(arena.env) as here:
        here.feed(stream(arena.seed), rate=arena.rate)
        first, second = here.worker("a"), here.worker("a")
        await first.start()
        await first.ready()
        await asyncio.sleep(2)
        await second.start()
        tending = [asyncio.create_task(supervise(worker, toll)) for worker in (first, second)]
        arena.tell("two of the same name")
        await shared(here, [first, second])
        await asyncio.sleep(_TUG_OF_WAR)
        lives = {seen.life for seen in here.watcher.of(here.settings.topics.journeys)}
        for task in tending:
            task.cancel()
        await first.kill()
        await owns_all(here, second)
        verdict = await here.verdict()
    return Outcome(
        count=1,
        verdict=verdict,
        notes={"takes": len(lives), "last_words": toll.last_words},
        failures=tuple(f"a worker ended with {code}" for code in toll.other_ends),
    )


async def owns_all(here: Ground, worker: Worker) -> None:
    """Wait until the worker writes to every partition, newly taken or kept. Raises TimeoutError."""
    await _write(here, lambda lives: all(str(worker.pid) in on for on in lives))


async def shared(here: Ground, workers: list[Worker]) -> None:
    """Wait until each of the workers writes to some partition."""
    wanted = {str(worker.pid) for worker in workers}
    await _write(here, lambda lives: wanted <= set().union(*lives))


async def _write(here: Ground, met: Callable[[list[set[str]]], bool]) -> None:
    topic = here.settings.topics.journeys.name
    partitions = range(here.settings.partitions)
    begin = {number: len(here.watcher.records[topic, number]) for number in partitions}
    async with asyncio.timeout(_TAKEOVER):
        while True:
            latest = [here.watcher.records[topic, number][begin[number] :] for number in partitions]
            if met([{seen.life.partition(".")[0] for seen in found} for found in latest]):
                return
            await asyncio.sleep(0.1)


def _now() -> int:
    return int(time.time() * 1000)
