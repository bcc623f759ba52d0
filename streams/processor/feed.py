"""Prefetches a partition's records while it commits, and tracks how far the broker has been read."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from itertools import chain

from streams.broker.contract import Consumer, ConsumerRecord, TopicPartition


class Feed:
    """Fetches the partition's records from ``position`` on, at most two batches ahead."""

    def __init__(
        self,
        *,
        consumer: Consumer,
        tp: TopicPartition,
        batch: int,
        news: asyncio.Event,
        waits: Callable[[int, ConsumerRecord | None], None],
    ) -> None:
        """``waits`` receives how many records are not handled yet, and the first of them; None if it is not fetched
        yet."""
        self._consumer = consumer
        self._tp = tp
        self._batch = batch
        self._news = news
        self._waits = waits
        self._in_hand: list[ConsumerRecord] = []
        self._records: deque[ConsumerRecord] = deque()
        self._room = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._unread: int | None = None
        self.caught_up_at: int | None = None
        """When the broker last reported that everything was read, in wall-clock milliseconds; None while behind."""

    def __len__(self) -> int:
        return len(self._records)

    def start(self, position: int) -> None:
        """Start to fetch."""
        self._consumer.seek(self._tp, position)
        self._task = asyncio.create_task(self._run(), name=f"feed {self._tp}")

    async def stop(self) -> None:
        """Stop fetching."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})  # not the task itself, because the caller may be cancelled too
            if not self._task.cancelled():
                self._task.exception()  # already raised to the caller of take

    async def take(self, most: int) -> list[ConsumerRecord]:
        """Return at most ``most`` fetched records, [] if there are none. Raises the exception that ended the
        fetching."""
        if self._task is not None and self._task.done():
            await self._task
        self._in_hand = [self._records.popleft() for _ in range(min(most, len(self._records)))]
        self._room.set()
        return self._in_hand

    def handled(self, position: int) -> None:
        """Mark the taken records before ``position`` as handled; the rest is returned again first."""
        self._records.extendleft(record for record in reversed(self._in_hand) if record.offset >= position)
        self._in_hand = []
        self._tell()

    async def _run(self) -> None:
        try:
            while True:
                fetched = await self._consumer.getmany(self._tp, timeout_ms=200, max_records=self._batch)
                self._records.extend(fetched.get(self._tp, ()))
                if self._records:
                    self._news.set()
                self.caught_up_at = await self._end_seen()
                while len(self._records) >= 2 * self._batch:
                    self._room.clear()
                    await self._room.wait()
        finally:
            self._news.set()

    async def _end_seen(self) -> int | None:
        end = self._consumer.last_stable_offset(self._tp)
        position = await self._consumer.position(self._tp)
        self._unread = max((self._consumer.highwater(self._tp) or 0) - position, 0)
        self._tell()
        if end is None or position < end:
            return None
        polled: int | None = self._consumer.last_poll_timestamp(self._tp)
        return polled

    def _tell(self) -> None:
        if self._unread is not None:
            oldest = next(chain(self._in_hand, self._records), None)
            self._waits(self._unread + len(self._in_hand) + len(self._records), oldest)
