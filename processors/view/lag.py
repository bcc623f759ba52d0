"""How far the view is behind each topic: in records, and by the age of the oldest record that it does not show."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial

from aiokafka import ConsumerRecord, TopicPartition

from processors.view import metrics
from streams.broker.fetched import AIOKafkaConsumer
from streams.clock import Clock, to_millis


class Lag:
    """Of one view, until :meth:`hide`. Its ages are true when they are scraped, also while nothing moves.

    A record's own time says how old it is, but no record is older than the latest moment at which nothing was left to
    read: our own topics carry the times of what led to a record, which may be long ago.
    """

    def __init__(self, topics: Iterable[str], *, clock: Clock, live: bool) -> None:
        """``clock``: the wall's. ``live`` False: records carry the times of another day, which say nothing here."""
        self._clock = clock
        self._live = live
        self._caught_up: dict[TopicPartition, int] = {}
        self._since: dict[TopicPartition, int] = {}
        self._latest: dict[TopicPartition, int] = {}
        self._in_hand: dict[TopicPartition, int] = {}
        self._measured: float | None = None
        self._oldest: dict[str, int | None] = dict.fromkeys(topics)
        self.records: dict[str, int] = dict.fromkeys(self._oldest, 0)
        """Records not shown yet, by topic."""

    def hide(self) -> None:
        """The view is nobody's here any more."""
        for topic in self._oldest:
            metrics.VIEW_LAG_SECONDS.remove(topic)
            metrics.VIEW_LAG_RECORDS.remove(topic)

    def begin(self, partitions: Iterable[TopicPartition], *, anew: Collection[TopicPartition]) -> None:
        """Reading begins; of ``anew`` from their beginning, and their lag counts from now on."""
        now = to_millis(self._clock.now())
        for known in (self._since, self._latest, self._in_hand):
            known.clear()
        self._measured = None
        self._caught_up = {tp: now for tp in partitions if tp in anew or not self._live}

    def takes(self, fetched: Mapping[TopicPartition, Sequence[ConsumerRecord]]) -> None:
        """These records are read, and about to be written."""
        self._in_hand = {tp: len(records) for tp, records in fetched.items()}
        for tp, records in fetched.items():
            self._since[tp] = self._came(tp, min(record.timestamp for record in records))
            self._latest[tp] = self._came(tp, records[-1].timestamp)

    def written(self) -> None:
        """What was taken is written."""
        for tp in self._in_hand:
            self._since.pop(tp, None)
        self._in_hand = {}

    async def measure(self, consumer: AIOKafkaConsumer, behind: Mapping[TopicPartition, int]) -> None:
        """How far it is now, by what the latest fetch said. ``behind``: offsets that are to be reached at least."""
        left: dict[TopicPartition, int] = {}
        for tp in consumer.assignment():
            end = max(consumer.last_stable_offset(tp) or 0, behind.get(tp, 0))
            left[tp] = max(0, end - await consumer.position(tp)) + self._in_hand.get(tp, 0)
        self._measured = time.monotonic()
        self.stands(left)

    async def look(self, consumer: AIOKafkaConsumer, *, after: float) -> None:
        """What comes while nothing is fetched counts, too: ask the brokers, ``after`` so many seconds without a fetch.

        Raises KafkaError, TimeoutError.
        """
        if self._measured is None or time.monotonic() - self._measured < after:
            return
        async with asyncio.timeout(after):
            ends = await consumer.end_offsets(list(consumer.assignment()))
            left = {
                tp: max(0, end - await consumer.position(tp)) + self._in_hand.get(tp, 0) for tp, end in ends.items()
            }
        self.stands(left)

    def stands(self, left: Mapping[TopicPartition, int]) -> None:
        """So many records of each partition are not written."""
        now = to_millis(self._clock.now())
        records = dict.fromkeys(self.records, 0)
        for tp, count in left.items():
            records[tp.topic] += count
            if not count:
                self._caught_up[tp] = now
                self._since.pop(tp, None)
                self._latest.pop(tp, None)
            elif tp not in self._since:
                self._since[tp] = self._latest.get(tp, self._caught_up.get(tp, now))
        self.records = records
        oldest: dict[str, int | None] = dict.fromkeys(records)
        for tp, since in self._since.items():
            known = oldest[tp.topic]
            oldest[tp.topic] = since if known is None else min(known, since)
        self._oldest = oldest
        for topic, count in records.items():
            metrics.VIEW_LAG_RECORDS.labels(topic=topic).set(count)
            metrics.VIEW_LAG_SECONDS.labels(topic=topic).set_function(partial(self.seconds, topic))

    def seconds(self, topic: str) -> float:
        """The age of the oldest record that is not shown; 0 if there is none. Safe to ask from any thread."""
        since = self._oldest[topic]
        return 0.0 if since is None else max(to_millis(self._clock.now()) - since, 0) / 1000

    def _came(self, tp: TopicPartition, stamp: int) -> int:
        """When a record of that time came, at the earliest."""
        known = self._caught_up.get(tp)
        if known is None:
            return stamp
        return max(stamp, known) if self._live else known
