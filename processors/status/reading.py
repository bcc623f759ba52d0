"""Reads the ends of topics, never a whole one: the last event, what is left to handle, what came in the last day."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from aiokafka import ConsumerRecord, TopicPartition

from processors.status.seen import Recent
from streams.broker.closing import closed
from streams.broker.fetched import AIOKafkaConsumer
from streams.clock import from_millis, to_millis
from streams.config import Settings
from streams.durations import whole_millis
from streams.subscribing.dead_letters import REASON

DAY = timedelta(days=1)
TAIL = 50
"""Offsets before the end that are read to see the last record, and to count exactly what is left to handle."""
MOST = 5_000
"""Offsets of a partition that are read of the last day, the latest."""

_FETCH = 256 << 10
_REASON = re.compile(rb"[a-z_]{1,40}")


class Ends:
    """A connection to the brokers that reads committed records from given offsets to the present ends.

    Every method raises KafkaError, and TimeoutError where whoever calls it sets a limit.
    """

    def __init__(self, settings: Settings, *, within: timedelta) -> None:
        self._consumer: Any = AIOKafkaConsumer(
            **settings.kafka_client(),
            client_id="careline-status",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            max_partition_fetch_bytes=_FETCH,
            request_timeout_ms=whole_millis(within),
        )
        self._reading = asyncio.Lock()

    async def start(self) -> None:
        """Connect."""
        await self._consumer.start()

    async def stop(self) -> None:
        """Disconnect."""
        await closed(self._consumer)

    async def know(self, topics: Iterable[str]) -> None:
        """Ask where these topics are, which exist; otherwise it would ask for every topic of the brokers."""
        if names := list(topics):
            await self._consumer._client.set_topics(names)

    async def bounds(self, places: Iterable[TopicPartition]) -> dict[TopicPartition, tuple[int, int]]:
        """The first offset that is kept and the last stable one, by partition."""
        places = list(places)
        begins, ends = await asyncio.gather(
            self._consumer.beginning_offsets(places), self._consumer.end_offsets(places)
        )
        return {one: (begins[one], ends[one]) for one in places}

    async def tail(self, bounds: Mapping[TopicPartition, tuple[int, int]]) -> list[ConsumerRecord]:
        """The records among the last offsets of these partitions. Markers of transactions are among the offsets."""
        return await self._read({one: max(begin, end - TAIL) for one, (begin, end) in bounds.items()}, bounds)

    async def left(
        self, bounds: Mapping[TopicPartition, tuple[int, int]], positions: Mapping[TopicPartition, int]
    ) -> dict[TopicPartition, int]:
        """By partition, the records from a position on; from the first that is kept where there is none. Where there
        are more than 50 offsets, these are counted, though some belong to the ends of transactions."""
        begins = {one: max(begin, positions.get(one, begin)) for one, (begin, _) in bounds.items()}
        counts = {one: max(0, bounds[one][1] - begin) for one, begin in begins.items()}
        few = {one: begins[one] for one, count in counts.items() if 0 < count <= TAIL}
        counts |= dict.fromkeys(few, 0)
        for record in await self._read(few, bounds):
            counts[TopicPartition(record.topic, record.partition)] += 1
        return counts

    async def of_the_last_day(
        self,
        bounds: Mapping[TopicPartition, tuple[int, int]],
        now: datetime,
        *,
        counts: Callable[[ConsumerRecord], str | None],
    ) -> Recent:
        """Count the last day's records that ``counts`` gives a reason for. At most 5,000 offsets of a partition."""
        since = to_millis(now - DAY)
        found = await self._consumer.offsets_for_times(dict.fromkeys(bounds, since))
        from_then = {one: at.offset for one, at in found.items() if at is not None}
        begins = {one: max(at, bounds[one][1] - MOST) for one, at in from_then.items()}
        reasons: Counter[str] = Counter()
        # record by record: an earlier record may have a later time, so the first offset is not the whole answer
        for record in await self._read(begins, bounds):
            if record.timestamp >= since and (reason := counts(record)) is not None:
                reasons[reason] += 1
        complete = all(begins[one] == at for one, at in from_then.items())
        return Recent(count=reasons.total(), complete=complete, by_reason=dict(reasons.most_common()))

    async def _read(
        self, begins: Mapping[TopicPartition, int], bounds: Mapping[TopicPartition, tuple[int, int]]
    ) -> list[ConsumerRecord]:
        left = {one: begin for one, begin in begins.items() if begin < bounds[one][1]}
        if not left:
            return []
        kept: list[ConsumerRecord] = []
        async with self._reading:  # it has one assignment at a time
            self._consumer.assign(list(left))
            for one, begin in left.items():
                self._consumer.seek(one, begin)
            while left:
                for one, records in (await self._consumer.getmany(*left, timeout_ms=20)).items():
                    kept += [record for record in records if record.offset < bounds[one][1]]
                for one in list(left):
                    if await self._consumer.position(one) >= bounds[one][1]:
                        del left[one]
        return kept


def last_of(records: Iterable[ConsumerRecord]) -> datetime | None:
    """The time of the latest; None if there is none."""
    return max((from_millis(record.timestamp) for record in records), default=None)


def reason_of(record: ConsumerRecord) -> str:
    """A dead letter's reason: one of ours, or "other" where somebody else wrote it."""
    for name, value in record.headers:
        if name == REASON and _REASON.fullmatch(value):
            return str(value.decode())
    return "other"
