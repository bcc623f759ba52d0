"""Runs a partition: acquires it again after growing pauses when it fails, and monitors it meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

import structlog

from streams.broker.closing import is_cancelled
from streams.broker.contract import TopicPartition
from streams.errors import PartitionStopped
from streams.patience import pause_after
from streams.processor import metrics
from streams.processor.gauges import Gauges
from streams.processor.isolation import Search, is_infrastructure
from streams.processor.progress import Progress
from streams.processor.recovery import committed
from streams.processor.shared import Shared

log = structlog.get_logger()

_LOOK = timedelta(seconds=5)
_MOST_OF_A_REASON = 300


class Keeping:
    """Runs one partition while it is assigned to this worker."""

    def __init__(
        self,
        tp: TopicPartition,
        *,
        shared: Shared[Any],
        progress: Progress,
        search: Search,
        gauges: Gauges,
    ) -> None:
        self._tp = tp
        self._shared = shared
        self._limits = shared.limits
        self._progress = progress
        self._search = search
        self._consumer = shared.consumer
        self._gauges = gauges
        self.stopping = asyncio.Event()
        """Set when the partition is to be released; ends a pause at once."""

        self.stopped: PartitionStopped | None = None
        """Why processing has stopped until an operator looks."""

    async def run(self, own: Callable[[], Awaitable[None]]) -> None:
        """Run ``own``, which acquires the partition and works on it, and run it again whenever it fails."""
        while not self.stopping.is_set():
            try:
                await own()
            except PartitionStopped as why:
                self.stopped = why
                self._gauges.stopped()
                log.error("partition_stopped", topic=self._tp.topic, partition=self._tp.partition, error=why)
                return
            except asyncio.CancelledError as cut:
                if is_cancelled():
                    raise
                await self._after(cut)  # one of our clients was cancelled, not this task
            except Exception as why:
                await self._after(why)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Monitor the partition meanwhile: whether the brokers answer, and how many records wait, also while it is
        stopped."""
        watching = asyncio.create_task(self._watch(), name=f"watch {self._tp}")
        try:
            yield
        finally:
            watching.cancel()

    def waiting_for(self) -> str | None:
        """Return what the partition waits for; None if it is being worked on."""
        waiting = None if self.stopped is not None else self._progress.waiting_for()
        return waiting and f"partition {self._tp.partition} to be {waiting}"

    def broken(self) -> str | None:
        """Return what needs an operator; None if nothing does."""
        if self.stopped is not None:
            return f"partition {self._tp.partition} stopped: {self.stopped}"
        stuck = self._progress.stuck(self._limits.stuck_after)
        return stuck and f"partition {self._tp.partition} {stuck}"

    async def _after(self, why: BaseException) -> None:
        """Pause after a failure. The pause grows for as long as the partition makes no progress."""
        metrics.TRANSACTIONS.labels(role=self._shared.role, end="aborted").inc()
        reason = repr(why)[:_MOST_OF_A_REASON]
        self._progress.failed(reason)
        self._search.failed(why)
        if is_infrastructure(why):
            log.warning("partition_lost", topic=self._tp.topic, partition=self._tp.partition, error=why)
        else:
            log.error("partition_failed", topic=self._tp.topic, partition=self._tp.partition, exc_info=why)
        pause = pause_after(
            self._progress.failures, first=self._limits.retake_after, longest=self._limits.retake_at_most
        )
        with suppress(TimeoutError):
            async with asyncio.timeout(pause.total_seconds()):
                await self.stopping.wait()

    async def _watch(self) -> None:
        """Check whether the brokers answer while there is no progress, and report the lag while the partition is not
        read."""
        while True:
            await asyncio.sleep(_LOOK.total_seconds())
            if self._progress.ready and self._progress.quiet < self._limits.stuck_after / 2:
                continue
            try:
                async with asyncio.timeout(_LOOK.total_seconds()):
                    end = (await self._consumer.end_offsets([self._tp]))[self._tp]
                    first = (await self._consumer.beginning_offsets([self._tp]))[self._tp]
                    if (position := self._progress.position) is None:
                        position, _ = await committed(self._tp, shared=self._shared)
            except Exception as why:
                log.debug("brokers_do_not_answer", topic=self._tp.topic, partition=self._tp.partition, error=why)
                self._progress.not_stuck()
                continue
            if not self._progress.ready:
                self._gauges.left(max(end - max(position, first), 0))
