"""Effects: in order for one customer, concurrent for many, and cancelled cleanly."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from streams.processor import Effect
from streams.processor.effects import Effects
from streams.processor.logic import Completion


class Provider:
    """A provider that completes each effect when allowed, and records what began and ended."""

    def __init__(self, concurrency: int = 16) -> None:
        self.began: list[str] = []
        self.ended: list[str] = []
        self.withdrawn: list[str] = []
        self.gates: dict[str, asyncio.Event] = {}
        self.done: list[Completion] = []
        self.effects = Effects(
            performer=self, role="test", concurrency=asyncio.Semaphore(concurrency), done=self.done.append
        )

    async def perform(self, effect: Effect) -> str:
        """Wait until allowed."""
        self.began.append(effect.task)
        await self.gates.setdefault(effect.task, asyncio.Event()).wait()
        self.ended.append(effect.task)
        return f"result of {effect.task}"

    def withdraw(self, key: str) -> None:
        """Record the key."""
        self.withdrawn.append(key)

    def start(self, task: str, *, lane: str) -> Effect:
        """Start an effect."""
        effect = Effect(key=task.split("#")[0], lane=lane, task=task)
        self.effects.start(effect)
        return effect

    async def let(self, *tasks: str) -> None:
        """Allow these to complete, and run the event loop."""
        for task in tasks:
            self.gates.setdefault(task, asyncio.Event()).set()
        await turns()


async def turns() -> None:
    """Run the event loop for a few rounds."""
    for _ in range(10):
        await asyncio.sleep(0)


@asynccontextmanager
async def provider(concurrency: int = 16) -> AsyncIterator[Provider]:
    """Return a provider whose effects are cancelled at the end."""
    made = Provider(concurrency)
    try:
        yield made
    finally:
        await made.effects.cancel()


async def test_in_order_within_a_lane() -> None:
    """One customer's effects run one after the other, in the order they were requested."""
    async with provider() as one:
        for task in "abc":
            one.start(task, lane="ana")
        await turns()
        assert one.began == ["a"]
        await one.let("c", "b")
        assert one.began == ["a"]
        await one.let("a")
        assert one.ended == ["a", "b", "c"]
        assert [done.effect.task for done in one.done] == ["a", "b", "c"]
        assert one.done[0].result == "result of a"


async def test_only_what_has_no_result_can_be_withdrawn() -> None:
    """An effect can be withdrawn while it is queued or running, not when it is done or was never requested."""
    async with provider() as one:
        one.start("a", lane="ana")
        one.start("b", lane="ana")
        await turns()
        for key in "abx":
            one.effects.withdraw(key)
        await one.let("a", "b")
        one.effects.withdraw("a")
        assert one.withdrawn == ["a", "b"]


async def test_side_by_side_across_lanes() -> None:
    """Effects of different customers run concurrently."""
    async with provider() as one:
        one.start("a", lane="ana")
        one.start("b", lane="bea")
        await turns()
        assert sorted(one.began) == ["a", "b"]
        await one.let("b")
        assert one.ended == ["b"]


async def test_no_more_at_once_than_allowed() -> None:
    """No more effects run at once than the limit."""
    async with provider(concurrency=2) as one:
        for task in "abcd":
            one.start(task, lane=task)
        await turns()
        assert len(one.began) == 2
        await one.let(one.began[0])
        assert len(one.began) == 3


async def test_busy_until_the_result_is_committed() -> None:
    """A key is busy from the request of its effect until the result is committed."""
    async with provider() as one:
        first, second = one.start("x#1", lane="ana"), one.start("x#2", lane="ana")
        assert one.effects.busy("x")
        assert len(one.effects) == 2
        await one.let("x#1", "x#2")
        assert one.effects.busy("x")
        one.effects.settled(first)
        assert one.effects.busy("x")
        one.effects.settled(second)
        assert not one.effects.busy("x")
        assert len(one.effects) == 0


async def test_a_lane_that_was_done_begins_again() -> None:
    """A lane that became empty runs later effects too."""
    async with provider() as one:
        one.start("a", lane="ana")
        await one.let("a")
        one.start("b", lane="ana")
        await one.let("b")
        assert one.ended == ["a", "b"]


async def test_idle_waits_for_all_of_it() -> None:
    """``idle`` waits for queued effects too."""
    async with provider() as one:
        for task in "ab":
            one.start(task, lane="ana")
        waiting = asyncio.ensure_future(one.effects.idle())
        await one.let("a")
        assert not waiting.done()
        await one.let("b")
        await asyncio.wait_for(waiting, 1)
        assert len(one.done) == 2


async def test_a_result_makes_room() -> None:
    """A transaction that records a result may request another effect, and never more are open than the limit."""
    async with provider() as one:
        first, _ = one.start("a", lane="ana"), one.start("b", lane="bea")
        assert one.effects.room(2) == 0
        await one.let("a")
        assert one.effects.room(2) == 1
        one.effects.settled(first)
        assert one.effects.room(2) == 1
        one.start("c", lane="ana")
        assert one.effects.room(2) == 0
        assert one.effects.room(1) == 0
        await one.effects.cancel()
        assert one.effects.room(2) == 2


async def test_results_gather_no_longer_than_they_come() -> None:
    """``gather`` ends when all effects have a result; without effects it waits the whole time."""
    async with provider() as one:
        for task in "ab":
            one.start(task, lane=task)
        gathering = asyncio.ensure_future(one.effects.gather(60))
        await one.let("a")
        assert not gathering.done()
        await one.let("b")
        await asyncio.wait_for(gathering, 1)
        await asyncio.wait_for(one.effects.gather(60), 1)
        one.start("c", lane="c")
        began = asyncio.get_running_loop().time()
        await one.effects.gather(0.05)
        await one.effects.cancel()
        await one.effects.gather(0.05)
        assert asyncio.get_running_loop().time() - began >= 0.1


async def test_cut_off() -> None:
    """``cancel`` stops running effects, and queued ones never start."""
    async with provider() as one:
        for task in "ab":
            one.start(task, lane="ana")
        await turns()
        await one.effects.cancel()
        await one.let("a", "b")
        assert (one.began, one.ended, one.done) == (["a"], [], [])
        assert len(one.effects) == 0
        assert not one.effects.busy("a")


@pytest.mark.parametrize("times", [1, 2])
async def test_cutting_off_nothing(times: int) -> None:
    """``cancel`` without effects, or called twice, does nothing."""
    async with provider() as one:
        for _ in range(times):
            await one.effects.cancel()
        assert len(one.effects) == 0
