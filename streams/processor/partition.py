"""Processes one partition: acquires it, works on it batch by batch, and acquires it again whenever anything fails."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from contextlib import suppress
from datetime import timedelta
from typing import Generic, TypeVar

import structlog

from streams.broker.contract import ConsumerRecord
from streams.clock import to_millis
from streams.config import TimeSource
from streams.processor.counted import Counted
from streams.processor.effects import Effects
from streams.processor.feed import Feed
from streams.processor.gauges import Gauges
from streams.processor.isolation import Search
from streams.processor.keeping import Keeping
from streams.processor.logic import Completion
from streams.processor.progress import Progress
from streams.processor.shared import Shared
from streams.processor.tenure import Tenure
from streams.processor.transaction import Committed

log = structlog.get_logger()

S = TypeVar("S")

_TICK = timedelta(milliseconds=200)


class Partition(Generic[S]):
    """One partition while it is assigned to this worker: successive :class:`Tenure` objects, and the effects, which
    outlive them."""

    def __init__(self, number: int, *, shared: Shared[S]) -> None:
        self.progress = Progress()
        self._shared = shared
        self._at = shared.at(number)
        self._gauges = Gauges.of(number, shared=shared, progress=self.progress)
        self._counted = Counted(
            role=shared.role, logic=shared.logic, live=shared.settings.time_source is TimeSource.WALL
        )
        self._search = Search(shared.limits.batch)
        self.keeping = Keeping(
            self._at, shared=shared, progress=self.progress, search=self._search, gauges=self._gauges
        )
        self._completions: deque[Completion] = deque()
        self._news = asyncio.Event()
        self._effects = None
        if shared.performer is not None:
            self._effects = Effects(
                performer=shared.performer,
                role=shared.role,
                concurrency=shared.concurrency,
                done=self._done,
                tracing=shared.tracing,
            )
        self._last_commit = 0.0

    async def run(self) -> None:
        """Acquire the partition and work on it, again after each failure, until :meth:`finish` is called or it is
        cancelled."""
        with self.keeping.watched():
            try:
                await self.keeping.run(self._own)
            finally:
                self.progress.ready = False
                if self._effects is not None:
                    await self._effects.cancel()
            await self.keeping.stopping.wait()

    def finish(self) -> None:
        """Accept no more records, commit the results of the running effects, and end."""
        self.keeping.stopping.set()
        self._news.set()

    def let_go(self) -> None:
        """It is assigned to this worker no longer: what it showed is gone."""
        self._gauges.close()
        if self._shared.classes is not None:
            self._shared.classes.show(self._at.partition, None)

    async def _own(self) -> None:
        began = time.monotonic()
        tenure = await Tenure.acquire(self._at, shared=self._shared, effects=self._effects, progress=self.progress)
        feed = Feed(
            consumer=self._shared.consumer,
            tp=self._at,
            batch=self._shared.limits.batch,
            news=self._news,
            waits=self._gauges.waits,
        )
        try:
            seconds = time.monotonic() - began
            self._counted.recovered(seconds=seconds)
            self._gauges.holds(tenure.store, tenure.deadlines)
            place = {"topic": self._at.topic, "partition": self._at.partition, "offset": tenure.position}
            log.info("partition_taken", **place, keys=len(tenure.store), seconds=round(seconds, 2))
            self.progress.position = tenure.position
            feed.start(tenure.position)
            self.progress.ready = True
            await self._work(tenure, feed)
        finally:
            self.progress.ready = False
            self._gauges.holds(None)
            await feed.stop()
            await tenure.release()

    async def _work(self, tenure: Tenure[S], feed: Feed) -> None:
        while True:
            await self._wait_for_work(tenure, feed)
            under_way = self._effects is not None and len(self._effects) > 0
            if self.keeping.stopping.is_set() and not self._completions and not under_way:
                return
            room = self._room()
            records = await feed.take(self._taken(room))
            completions = list(self._completions)
            tick = self._tick(feed)
            if records or completions or tenure.resuming or (room and tenure.due(tick)):
                await self._transact(tenure, records, completions, tick, room)
                feed.handled(tenure.position)
            elif under_way:
                self.progress.not_stuck()
            elif feed.caught_up_at is not None and not len(feed):
                self.progress.well()

    async def _wait_for_work(self, tenure: Tenure[S], feed: Feed) -> None:
        limits = self._shared.limits
        room = self._taken(self._room())
        if not ((len(feed) and room) or self._completions or tenure.resuming):
            self._news.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(_TICK.total_seconds()):  # wait_for may lose a cancellation (Python 3.11)
                    await self._news.wait()
        if min(len(feed), self._taken(self._room())) < limits.batch and (len(feed) or self._completions):
            # after a pause the first records are handled at once; under load they are batched
            rest = self._last_commit + limits.commit_every.total_seconds() - time.monotonic()
            if rest > 0:
                await (asyncio.sleep(rest) if self._effects is None else self._effects.gather(rest))

    def _taken(self, room: int) -> int:
        """Return how many records may be taken now. If they may request effects, at most one for each."""
        return self._shared.limits.batch if self._shared.real and not self.keeping.stopping.is_set() else room

    def _room(self) -> int:
        """Return how many effects may be requested now."""
        if self.keeping.stopping.is_set():
            return 0
        limits = self._shared.limits
        return limits.batch if self._effects is None else self._effects.room(limits.effects)

    def _tick(self, feed: Feed) -> int | None:
        """Return the wall clock in ms: only live, and only up to when the broker last reported that everything was
        read."""
        if self._shared.settings.time_source is not TimeSource.WALL or feed.caught_up_at is None or len(feed):
            return None
        return min(to_millis(self._shared.clock.now()), feed.caught_up_at)

    async def _transact(
        self,
        tenure: Tenure[S],
        records: list[ConsumerRecord],
        completions: list[Completion],
        tick: int | None,
        room: int,
    ) -> None:
        began = time.monotonic()
        tx = await tenure.make(records, completions, tick=tick, room=room, search=self._search)
        changes = await tenure.commit(tx)
        for _ in changes.settled:
            self._completions.popleft()
        tenure.take_over(changes)
        self._last_commit = time.monotonic()
        self.progress.moved(changes.position)
        self._search.accepted()
        if self._effects is not None:
            self._perform(changes, self._effects)
        wall = to_millis(self._shared.clock.now())
        self._counted.count(changes, seconds=self._last_commit - began, wall=wall)
        self._gauges.fired()

    def _perform(self, changes: Committed[S], effects: Effects) -> None:
        for completion in changes.settled:
            effects.settled(completion.effect)
        for key in changes.withdrawn:
            effects.withdraw(key)
        for effect in changes.effects:
            effects.start(effect)

    def _done(self, completion: Completion) -> None:
        self._completions.append(completion)
        self._news.set()
