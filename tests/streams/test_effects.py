"""What is done outside: in order for one customer, side by side for many, and cut off cleanly."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from streams.processor import Effect
from streams.processor.effects import Effects
from streams.processor.logic import Completion


class Provider:
    """Takes what it is given when it is let; notes what began and what ended."""

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
        """Waits to be let."""
        self.began.append(effect.task)
        await self.gates.setdefault(effect.task, asyncio.Event()).wait()
        self.ended.append(effect.task)
        return f"result of {effect.task}"

    def withdraw(self, key: str) -> None:
        """Note it."""
        self.withdrawn.append(key)

    def start(self, task: str, *, lane: str) -> Effect:
        """Ask for something to be done."""
        effect = Effect(key=task.split("#")[0], lane=lane, task=task)
        self.effects.start(effect)
        return effect

    async def let(self, *tasks: str) -> None:
        """Let these end, and give everybody a turn."""
        for task in tasks:
            self.gates.setdefault(task, asyncio.Event()).set()
        await turns()


async def turns() -> None:
    """A few rounds of the event loop."""
    for _ in range(10):
        await asyncio.sleep(0)


@asynccontextmanager
async def provider(concurrency: int = 16) -> AsyncIterator[Provider]:
    """A provider that leaves nothing behind."""
    made = Provider(concurrency)
    try:
        yield made
    finally:
        await made.effects.cancel()


async def test_in_order_within_a_lane() -> None:
    """One customer's letters leave one after the other, in the order they were asked for."""
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
    """Under way or waiting for its turn; what is done, or was never asked for, is not."""
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
    """One customer does not wait for another."""
    async with provider() as one:
        one.start("a", lane="ana")
        one.start("b", lane="bea")
        await turns()
        assert sorted(one.began) == ["a", "b"]
        await one.let("b")
        assert one.ended == ["b"]


async def test_no_more_at_once_than_allowed() -> None:
    """The provider is not asked for more at a time than was agreed."""
    async with provider(concurrency=2) as one:
        for task in "abcd":
            one.start(task, lane=task)
        await turns()
        assert len(one.began) == 2
        await one.let(one.began[0])
        assert len(one.began) == 3


async def test_busy_until_the_result_is_committed() -> None:
    """From the moment it is asked for until its result is on record, an outreach counts as under way."""
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
    """After a pause the next letter of the same customer leaves as well."""
    async with provider() as one:
        one.start("a", lane="ana")
        await one.let("a")
        one.start("b", lane="ana")
        await one.let("b")
        assert one.ended == ["a", "b"]


async def test_idle_waits_for_all_of_it() -> None:
    """Whoever waits until nothing is under way waits for what is queued, too."""
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
    """The transaction that records a result may ask for another; never are more open than agreed."""
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
    """Once all have their result nothing more is waited for; with nothing asked for, the time is waited out."""
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
    """When the partition goes to somebody else, what is under way is cut off and nothing more begins."""
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
    """Cutting off where nothing is under way, or twice, does no harm."""
    async with provider() as one:
        for _ in range(times):
            await one.effects.cancel()
        assert len(one.effects) == 0
