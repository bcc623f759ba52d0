"""While it runs: whether every role lives and says so, and how long a record holds its partition."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from tests.fuzz.field import Field
from tests.fuzz.findings import HOME, Finding, Summary, as_kept, kept

_LOOK = 0.5
_LONGEST_PAUSE = 30.0
_LAST_WORDS = 3_000  # characters
_PROCESSORS = {"journeys": "touchpoints", "outreach": "outreach"}

Held = dict[tuple[str, int], tuple[int, float]]


class Watch:
    """Looks at the roles until it is cancelled. ``patience``: seconds that a record may hold its partition."""

    def __init__(self, here: Field, summary: Summary, *, patience: float) -> None:
        self._here = here
        self._summary = summary
        self._patience = patience
        self._told: set[str] = set()
        self._ends: dict[TopicPartition, int] = {}
        self._again: dict[str, tuple[float, float]] = {}
        """By role that ended: not to be started again before that time, and the pause before it."""
        self._held: Held = {}
        self.behind: dict[str, int] = {}
        """By role: how many records are ahead of it."""

    async def run(self) -> None:
        """Until cancelled."""
        settings = self._here.settings
        admin = AIOKafkaAdminClient(**settings.kafka_client())
        consumer = AIOKafkaConsumer(
            **settings.kafka_client(), enable_auto_commit=False, isolation_level="read_committed",
            auto_offset_reset="earliest", max_partition_fetch_bytes=32 << 20,
        )  # fmt: skip
        await admin.start()
        await consumer.start()
        consumer.assign([self._place(topic, number) for topic in _PROCESSORS.values() for number in self._numbers()])
        reading = asyncio.create_task(self._read(consumer), name="ends")
        try:
            while True:
                with suppress(KafkaError, TimeoutError):
                    await self._offsets(admin)
                for name in self._here.roles:
                    await self._look(name)
                await asyncio.sleep(_LOOK)
        finally:
            reading.cancel()
            with suppress(asyncio.CancelledError):
                await reading
            with suppress(asyncio.CancelledError):
                await consumer.stop()
                await admin.close()

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        """Where each partition ends, as a reader sees it: behind the last record there are markers of transactions."""
        while True:
            try:
                fetched = await consumer.getmany(timeout_ms=200)
            except KafkaError:
                await asyncio.sleep(_LOOK)
                continue
            for tp, found in fetched.items():
                self._ends[tp] = found[-1].offset + 1

    def _numbers(self) -> range:
        return range(self._here.settings.partitions)

    def _place(self, topic: str, number: int) -> TopicPartition:
        return TopicPartition(f"{self._here.settings.topic_prefix}{topic}", number)

    async def _offsets(self, admin: AIOKafkaAdminClient) -> None:
        for role, topic in _PROCESSORS.items():
            places = [self._place(topic, number) for number in self._numbers()]
            group = f"{self._here.settings.topic_prefix}{role}"
            found = await admin.list_consumer_group_offsets(group, partitions=places)
            behind = 0
            for tp in places:
                done = max(found[tp].offset, 0) if tp in found else 0
                end = self._ends.get(tp, 0)
                behind += max(0, end - done)
                await self._hold(role, tp.partition, done, end)
            self.behind[role] = behind

    async def _hold(self, role: str, partition: int, done: int, end: int) -> None:
        now = time.monotonic()
        before, since = self._held.get((role, partition), (-1, now))
        if done != before or done >= end:
            self._held[role, partition] = (done, now)
            return
        held = now - since
        if held > self._summary.longest_hold_seconds:
            self._summary.longest_hold_seconds = round(held, 1)
            self._summary.longest_hold_at = f"{role} partition {partition} offset {done}"
        if held > self._patience:
            what = f"{role} has not got past offset {done} of partition {partition} for {held:.0f} s"
            await self.found(
                "held", f"{role}-{partition}-{done}", what, (partition, done) if role == "journeys" else None
            )

    async def _look(self, name: str) -> None:
        role = self._here.roles[name]
        if role.code is not None:
            what = f"{name} ended with {role.code}; it logged at the end:\n{role.log[-_LAST_WORDS:]}"
            places = [(partition, done) for (of, partition), (done, _) in self._held.items() if of == "journeys"]
            if name == "journeys" and places:
                for partition, done in places:
                    await self.found("ended", f"{name}-{role.code}-{partition}", what, (partition, done))
            else:
                await self.found("ended", f"{name}-{role.code}", what, None)
            if time.monotonic() > self._again.get(name, (0.0, 0.0))[0]:
                pause = min(2 * self._again.get(name, (0.0, 1.0))[1], _LONGEST_PAUSE)
                self._again[name] = (time.monotonic() + pause, pause)
                await role.start()
            return
        status, said = await role.ask("/livez")
        if status not in (0, 200):
            await self.found("not live", name, f"{name}: /livez answers {status}: {said}", None)

    async def found(self, kind: str, key: str, what: str, place: tuple[int, int] | None) -> None:
        """A finding, told once."""
        if f"{kind} {key}" in self._told:
            return
        self._told.add(f"{kind} {key}")
        await tell(self._here, self._summary, kind, what, place)


async def tell(here: Field, summary: Summary, kind: str, what: str, place: tuple[int, int] | None) -> None:
    """Add a finding; with the record at that place, if one is to blame."""
    finding = Finding(kind, what)
    if place is not None:
        known = here.fired.get(place)
        if known is not None:
            finding.batch, finding.shot = known[0], known[1]
            finding.label = f"{known[2].record or 'no touchpoint'}: {known[2].kind}"
        found = await here.record(place)
        if found is not None:
            finding.record = kept(HOME, f"{kind.replace(' ', '-')}-{place[0]}-{place[1]}", [_kept(found)])
    elif here.latest:
        finding.label = f"one of the latest {len(here.latest)} odd records, or of what came of them"
        finding.record = kept(HOME, f"{kind.replace(' ', '-')}-{len(summary.findings)}", here.latest)
    summary.findings.append(finding)


def _kept(record: ConsumerRecord) -> dict[str, Any]:
    return as_kept(
        record.topic, record.partition, record.offset, record.timestamp, record.key, record.headers, record.value
    )
