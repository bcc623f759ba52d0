"""Measures the progress of a consumer group from outside, by the same rule for everybody.

The rule: the time runs from the program's first event to the commit of the last one. A peer logs when it gets its first
event; for the journeys role the time starts a little earlier, when the first of its partitions is recovered and nothing
was fetched yet. So starting, joining and recovering are left out for all, and nothing counts before it is committed.
Offsets committed in a transaction are visible when the transaction is.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import BrokerResponseError

from streams.config import Settings
from tests.benchmarks.programs import Program
from tests.log_lines import entries

_LOOK_FOR_FIRST_EVERY = 0.02  # s; in a small log
_LOOK_EVERY = 0.1  # s; a look takes about a millisecond of the two cores
_PATIENCE = 120.0  # s without a single commit


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """``events`` were committed in ``seconds``; ``eps`` is events a second.

    ``cpu_us`` is the processor time of the watched programs per event, in microseconds, over the same stretch, and
    ``busy`` how many cores they kept busy; ``starved`` is how many of their threads, on average, had work but no core:
    high if others use the machine. ``peak_mib`` is the largest resident memory of one of them.
    """

    events: int
    seconds: float
    eps: float
    cpu_us: float
    busy: float
    starved: float
    peak_mib: float


class Watch:
    """Observes the offsets that a group has committed for a topic."""

    def __init__(self, *, admin: Any, consumer: Any, topic: str, partitions: int) -> None:
        self._admin = admin
        self._consumer = consumer
        self._coordinators: dict[str, int] = {}
        self._tps = [TopicPartition(topic, number) for number in range(partitions)]

    async def ends(self, topic: str | None = None) -> int:
        """The number of offsets in all partitions of the topic; of the watched topic if None."""
        tps = self._tps if topic is None else [TopicPartition(topic, tp.partition) for tp in self._tps]
        return sum((await self._consumer.end_offsets(tps)).values())

    async def committed(self, group: str) -> int:
        """The number of offsets that the group has committed."""
        try:
            if group not in self._coordinators:
                self._coordinators[group] = await self._admin.find_coordinator(group)
            found: Mapping[Any, Any] = await self._admin.list_consumer_group_offsets(
                group, partitions=self._tps, group_coordinator_id=self._coordinators[group]
            )
        except BrokerResponseError as error:
            if not error.retriable:
                raise
            return 0  # a new broker creates its topic for groups when the first one appears
        return sum(max(offset.offset, 0) for offset in found.values())

    async def timed(
        self, programs: Sequence[Program], *, group: str, events: int, began: float | None = None
    ) -> Timing:
        """Watch until the group has committed ``events`` events.

        ``began`` is the start in seconds since 1970; if None, the time of the first event in the first program's log.
        Raises ProgramFailed if a program ends, or commits nothing for two minutes.
        """
        first = await self._first_event(programs[0]) if began is None else began
        cpu, starved = _spent(programs)
        seen, moved = 0, time.time()
        while seen < events:
            await asyncio.sleep(_LOOK_EVERY)
            for program in programs:
                program.check()
            latest, now = await self.committed(group), time.time()
            if latest > seen:
                seen, moved = latest, now
            elif now - moved > _PATIENCE:
                raise programs[0].failure(f"committed {seen} of {events} and nothing for {_PATIENCE:.0f} s")
        seconds = moved - first
        cpu, starved = (after - before for after, before in zip(_spent(programs), (cpu, starved), strict=True))
        return Timing(
            events=seen,
            seconds=round(seconds, 3),
            eps=round(seen / seconds, 1),
            cpu_us=round(1e6 * cpu / seen, 2),
            busy=round(cpu / seconds, 3),
            starved=round(starved / seconds, 3),
            peak_mib=max(program.memory().peak for program in programs),
        )

    async def _first_event(self, program: Program) -> float:
        until = time.time() + _PATIENCE
        while time.time() < until:
            program.check()
            if (began := first_event(program.log)) is not None:
                return began
            await asyncio.sleep(_LOOK_FOR_FIRST_EVERY)
        raise program.failure(f"was given no event for {_PATIENCE:.0f} s")


def _spent(programs: Sequence[Program]) -> tuple[float, float]:
    return sum(program.cpu_seconds() for program in programs), sum(program.starved_seconds() for program in programs)


def first_event(log: str) -> float | None:
    """The time of a program's first event, in seconds since 1970, from its log; None if it is not logged yet."""
    if (said := re.search(r"^first event at (\d+(?:\.\d+)?)$", log, re.MULTILINE)) is not None:
        return float(said[1])
    taken = next(entries(log, "partition_taken"), None)
    return None if taken is None else datetime.fromisoformat(taken["time"]).timestamp()


@asynccontextmanager
async def watch(settings: Settings, *, topic: str, partitions: int) -> Any:
    """A watch for the duration of the block."""
    admin = AIOKafkaAdminClient(**settings.kafka_client(), client_id="careline-bench")
    consumer = AIOKafkaConsumer(**settings.kafka_client(), isolation_level="read_committed", enable_auto_commit=False)
    try:
        await admin.start()
        await consumer.start()
        yield Watch(admin=admin, consumer=consumer, topic=topic, partitions=partitions)
    finally:
        await consumer.stop()
        await admin.close()
