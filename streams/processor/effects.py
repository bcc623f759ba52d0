"""Runs effects outside of transactions: in order within a lane, concurrently across lanes; results are handed back."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import structlog

from streams.broker.closing import is_cancelled
from streams.processor import metrics
from streams.processor.failpoints import Point, reached
from streams.processor.logic import Completion, Effect, Performer
from streams.tracing import Tracing

log = structlog.get_logger()


class Effects:
    """Runs a partition's effects. ``done`` receives each result, on the event loop."""

    def __init__(
        self,
        *,
        performer: Performer,
        role: str,
        concurrency: asyncio.Semaphore,
        done: Callable[[Completion], None],
        tracing: Tracing | None = None,
    ) -> None:
        self._performer = performer
        self._role = role
        self._concurrency = concurrency
        self._done = done
        self._tracing = tracing or Tracing()
        self._lanes: dict[str, deque[Effect]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._keys: dict[str, int] = {}
        self._unsettled = 0  # effects whose result is not committed yet

    def __len__(self) -> int:
        return sum(self._keys.values())

    def busy(self, key: str) -> bool:
        """Return whether an effect of the key is queued, running, or done with its result not yet committed."""
        return key in self._keys

    def room(self, most: int) -> int:
        """Return how many more effects a transaction that records all pending results may request, so that ``most`` are
        open."""
        return max(most - len(self) + self._unsettled, 0)

    def start(self, effect: Effect) -> None:
        """Queue the effect in its lane. Called once the transaction that requested it is committed."""
        reached(Point.AFTER_INTENT)
        self._keys[effect.key] = self._keys.get(effect.key, 0) + 1
        metrics.EFFECTS_IN_FLIGHT.labels(role=self._role).inc()
        lane = self._lanes.get(effect.lane)
        if lane is not None:
            lane.append(effect)
            return
        self._lanes[effect.lane] = deque([effect])
        task = asyncio.create_task(self._run(effect.lane), name=f"effects {effect.lane}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def withdraw(self, key: str) -> None:
        """Withdraw the key's effects that have not been performed yet."""
        if any(effect.key == key for lane in self._lanes.values() for effect in lane):
            self._performer.withdraw(key)

    def settled(self, effect: Effect) -> None:
        """Mark the effect's result as committed."""
        reached(Point.AFTER_OUTCOME)
        self._unsettled -= 1
        left = self._keys[effect.key] - 1
        if left:
            self._keys[effect.key] = left
        else:
            del self._keys[effect.key]
        metrics.EFFECTS_IN_FLIGHT.labels(role=self._role).dec()

    async def idle(self) -> None:
        """Wait until no effect is running; results may still be uncommitted."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def gather(self, seconds: float) -> None:
        """Wait up to ``seconds`` for results, or until every requested effect has one."""
        if not len(self):
            await asyncio.sleep(seconds)
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.idle()

    async def cancel(self) -> None:
        """Cancel the running effects: their outcome is unknown, and the next owner treats it so."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        metrics.EFFECTS_IN_FLIGHT.labels(role=self._role).dec(len(self))
        self._keys.clear()
        self._unsettled = 0
        self._lanes.clear()

    async def _run(self, name: str) -> None:
        lane = self._lanes[name]
        while lane:
            effect = lane[0]
            async with self._concurrency:
                reached(Point.BEFORE_CALL)
                completion = await self._completed(effect)
                reached(Point.AFTER_CALL)
            lane.popleft()
            self._unsettled += 1
            self._done(completion)
        del self._lanes[name]

    async def _completed(self, effect: Effect) -> Completion:
        if effect.traceparent is None:
            return Completion(effect, await self._performed(effect))
        described = {"careline.role": self._role, "careline.outreach.ids": (effect.key,)}
        traced = self._tracing.begin(f"effect {self._role}", described, parent=effect.traceparent)
        try:
            with traced.current():
                result = await self._performed(effect)
            if isinstance(result, BaseException):
                traced.failed(type(result).__name__)
            return Completion(effect, result, traced.traceparent)
        finally:
            traced.end()

    async def _performed(self, effect: Effect) -> Any:
        try:
            return await self._performer.perform(effect)
        except asyncio.CancelledError as cut:
            if is_cancelled():
                raise
            error: BaseException = cut  # a library's own
        except Exception as why:
            error = why
        # A performer promises never to raise. If one does, only its own effect fails: recording the error as a result
        # fails too and becomes a dead letter, and the lane continues.
        log.error("effect_failed", outreach=effect.key, exc_info=error)
        return error
