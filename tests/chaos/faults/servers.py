"""The servers fail: the broker is killed, the registry goes away, Redis is killed and comes back empty."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from contextlib import AsyncExitStack, suppress

from processors.view.redis_store import RedisViewStore
from processors.view.store import Documents
from streams.errors import Unavailable
from tests.chaos.crew import Toll, supervise
from tests.chaos.faults.arena import Arena, Outcome
from tests.chaos.ground import Ground, ground
from tests.chaos.stories import stream
from tests.live.roles import Role

_CUSTOMERS = 200
_REBUILT_WITHIN = 90.0


async def broker_kill(arena: Arena) -> Outcome:
    """kill -9 of the broker while two workers commit; it is restarted. A supervisor restarts workers that stop."""
    rng, toll = arena.rng("broker_kill"), Toll()
    times = max(1, arena.kills // 10)
    async with ground(arena.env) as here:
        here.feed(stream(arena.seed), rate=arena.rate)
        workers = [here.worker(name) for name in ("a", "b")]
        for worker in workers:
            await worker.start()
        await asyncio.gather(*(worker.ready() for worker in workers))
        tending = [asyncio.create_task(supervise(worker, toll)) for worker in workers]
        for number in range(times):
            await asyncio.sleep(rng.uniform(2, 4))
            kill(arena, "kafka")
            arena.tell(f"broker killed {number + 1} of {times}")
            await asyncio.sleep(rng.uniform(0, 3))
            await asyncio.to_thread(arena.stack.up)
            arena.tell("broker back")
            await asyncio.sleep(5)
        await here.close_the_day()
        await here.done()
        for task in tending:
            task.cancel()
        verdict = await here.verdict(close=False)
    return Outcome(count=times, kills=times, verdict=verdict, notes={"workers_that_stopped": toll.other_ends})


async def registry_down(arena: Arena) -> Outcome:
    """The registry is killed: running workers continue, a starting one waits until it is back."""
    failures = []
    async with ground(arena.env) as here:
        here.feed(stream(arena.seed), rate=arena.rate)
        running, starting = here.worker("a"), here.worker("b")
        await running.start()
        await running.ready()
        await asyncio.sleep(2)
        kill(arena, "registry")
        arena.tell("registry killed")
        await asyncio.sleep(1)
        before = len(here.watcher.of(here.settings.topics.journeys))
        await starting.start()
        await starting.until(lambda status, _: status != 0, "/readyz", within=60)
        await asyncio.sleep(5)
        if len(here.watcher.of(here.settings.topics.journeys)) == before:
            failures.append("the running worker came to a halt")
        answer = await starting.ask("/readyz")
        if answer[0] != 503 or starting.code is not None:
            failures.append(f"the starting worker does not wait: {answer}, ended with {starting.code}")
        await asyncio.to_thread(arena.stack.up)
        arena.tell("registry back")
        await starting.ready()
        verdict = await here.verdict()
    return Outcome(count=1, kills=1, verdict=verdict, failures=tuple(failures))


async def redis_emptied(arena: Arena) -> Outcome:
    """Redis is killed and comes back without data: the view is rebuilt identically; journeys are not affected."""
    failures = []
    async with ground(arena.env) as here, AsyncExitStack() as stack:
        here.feed(stream(arena.seed), rate=arena.rate)
        worker = here.worker("a")
        await worker.start()
        await stack.enter_async_context(Role("view", here.env))
        await worker.ready()
        await asyncio.sleep(6)
        await here.close_the_day()
        await here.done()
        customers = sorted({seen.key for seen in here.watcher.of(here.settings.topics.journeys)})[:_CUSTOMERS]
        before = await shown(here, customers)
        kill(arena, "redis")
        shutil.rmtree(arena.stack.place.data / "redis", ignore_errors=True)
        arena.tell("redis killed and emptied")
        here.feed(stream(arena.seed + 1, who="newcomer"), rate=arena.rate // 2)
        await asyncio.sleep(2)
        await asyncio.to_thread(arena.stack.up)
        arena.tell("redis back, empty")
        await here.fed()
        await here.done()
        after = await shown(here, customers)
        if after[0] == before[0]:
            failures.append("the view was not rebuilt")
        different = [name for name in customers if before[1][name] != after[1][name]]
        verdict = await here.verdict(close=False)
    failures += [f"the view of {name} is another than before" for name in different[:3]]
    return Outcome(count=1, kills=1, verdict=verdict, notes={"customers_compared": len(customers)},
                   failures=tuple(failures))  # fmt: skip


async def shown(here: Ground, customers: list[str]) -> tuple[str | None, dict[str, Documents]]:
    """The view's generation and its documents of these customers, once it has caught up with the topics."""
    topics = here.settings.topics
    ends = {
        (topics.prefix + topic, number): found[-1].offset + 1
        for (topic, number), found in here.watcher.records.items()
        if found and topic not in (topics.dead_letters.name, topics.exposures.name)  # which the view does not show
    }
    store = RedisViewStore(here.settings)
    try:
        async with asyncio.timeout(_REBUILT_WITHIN):
            while True:
                with suppress(Unavailable):
                    standing = await store.load()
                    if standing.generation and all(standing.positions.get(at, 0) >= end for at, end in ends.items()):
                        break
                await asyncio.sleep(0.2)
        return standing.generation, {name: await store.customer(name, limit=500) for name in customers}
    finally:
        await store.close()


def kill(arena: Arena, part: str) -> None:
    """kill -9 a server of the stack. Raises RuntimeError if it is not a process on this machine."""
    pid = next((status.pid for status in arena.stack.status().parts if status.name == part), None)
    if pid is None:
        raise RuntimeError(f"{part} is not a process of this stack, so it cannot be killed from here")
    os.kill(pid, signal.SIGKILL)
