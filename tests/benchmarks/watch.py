"""How fast a consumer group gets on, seen from outside and by the same rule for everybody.

The rule: the clock runs from the first commit that a reader sees to the commit of the last event, and the events
between the two are counted. So starting, joining and recovering are left out for all alike, and nothing counts
before it is committed. Offsets committed in a transaction are seen when the transaction is.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import BrokerResponseError

from streams.config import Settings
from tests.benchmarks.programs import Program

_LOOK_EVERY = 0.1  # s; a look takes about a millisecond of the two cores
_PATIENCE = 120.0  # s without a single commit


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """``events`` were committed in ``seconds``, after ``before`` that the first commit seen had done already.

    ``cpu_us`` is the processor time of the watched programs per event, in microseconds, over the same stretch;
    ``peak_mib`` the most resident memory of one of them.
    """

    events: int
    before: int
    seconds: float
    eps: float
    cpu_us: float
    peak_mib: float


class Watch:
    """Looks at what a group has committed of a topic."""

    def __init__(self, *, admin: Any, consumer: Any, topic: str, partitions: int) -> None:
        self._admin = admin
        self._consumer = consumer
        self._coordinators: dict[str, int] = {}
        self._tps = [TopicPartition(topic, number) for number in range(partitions)]

    async def ends(self, topic: str | None = None) -> int:
        """How many offsets the topic has over all its partitions, the watched one if absent."""
        tps = self._tps if topic is None else [TopicPartition(topic, tp.partition) for tp in self._tps]
        return sum((await self._consumer.end_offsets(tps)).values())

    async def committed(self, group: str) -> int:
        """How many offsets the group has committed."""
        try:
            if group not in self._coordinators:
                self._coordinators[group] = await self._admin.find_coordinator(group)
            found: Mapping[Any, Any] = await self._admin.list_consumer_group_offsets(
                group, partitions=self._tps, group_coordinator_id=self._coordinators[group]
            )
        except BrokerResponseError as error:
            if not error.retriable:
                raise
            return 0  # a broker that has just been started makes room for groups when the first one turns up
        return sum(max(offset.offset, 0) for offset in found.values())

    async def timed(self, programs: Sequence[Program], *, group: str, events: int) -> Timing:
        """Watch until the group has committed so many.

        Raises ProgramFailed if a program ends, or commits nothing for two minutes, or all at once.
        """
        first = seen = await self.committed(group)
        began, cpu = time.monotonic(), 0.0
        moved = began
        while seen < events:
            await asyncio.sleep(_LOOK_EVERY)
            for program in programs:
                program.check()
            latest, now = await self.committed(group), time.monotonic()
            if latest > seen:
                if not first:
                    first, began, cpu = latest, now, sum(program.cpu_seconds() for program in programs)
                seen, moved = latest, now
            elif now - moved > _PATIENCE:
                raise programs[0].failure(f"committed {seen} of {events} and nothing for {_PATIENCE:.0f} s")
        seconds = moved - began
        if seen == first or seconds <= 0:
            raise programs[0].failure(f"committed all {events} events at once: too few to be timed")
        spent = sum(program.cpu_seconds() for program in programs) - cpu
        return Timing(
            events=seen - first,
            before=first,
            seconds=round(seconds, 3),
            eps=round((seen - first) / seconds, 1),
            cpu_us=round(1e6 * spent / (seen - first), 2),
            peak_mib=max(program.memory().peak for program in programs),
        )


@asynccontextmanager
async def watch(settings: Settings, *, topic: str, partitions: int) -> Any:
    """A watch for as long as the block runs."""
    admin = AIOKafkaAdminClient(**settings.kafka_client(), client_id="careline-bench")
    consumer = AIOKafkaConsumer(**settings.kafka_client(), isolation_level="read_committed", enable_auto_commit=False)
    try:
        await admin.start()
        await consumer.start()
        yield Watch(admin=admin, consumer=consumer, topic=topic, partitions=partitions)
    finally:
        await consumer.stop()
        await admin.close()
