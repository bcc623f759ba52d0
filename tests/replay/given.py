"""A journeys role in memory: the processor's own steps over touchpoints in memory, its record beside them.

What is compared with a replay is so what the real parts write, byte by byte; only Kafka is not there.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from processors.journey.playbook import Playbook
from processors.replay import Report, replay
from processors.replay.source import MemorySource
from processors.roles.journeys import JourneyLogic
from streams.clock import ManualClock, PartitionClock, to_millis
from streams.config import Settings, TimeSource
from streams.events import JourneyState, Touchpoint
from streams.processor.intake import Intake
from streams.processor.steps import Steps
from streams.processor.store import Overlay, Store
from streams.processor.transaction import Outbox, Transaction
from streams.processor.wakes import Wakes
from streams.topics import Topic
from tests.journey.codec import TOPICS, codec
from tests.journey.given import PLAYBOOK

EVER = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
_BATCH = 7
"""Small, so that transactions end in the middle of everything."""


class Day:
    """Touchpoints as they are published, and the role that handles them."""

    def __init__(self, source: MemorySource, *, partitions: int, playbook: Playbook, live: bool) -> None:
        self.source = source
        self.playbook = playbook
        self.wall = ManualClock(EVER[0])
        self.live = live
        self._roles = [self._role(number, partitions) for number in range(partitions)]

    def _role(self, number: int, partitions: int) -> _Role:
        settings = Settings(time_source=TimeSource.WALL if self.live else TimeSource.EVENTS)
        return _Role(self, settings, number, partitions)

    def publish(self, *events: Touchpoint, at: datetime | None = None, partition: int | None = None) -> None:
        """Each at the time it occurred, or ``at``; to its customer's partition, or where a wrong hash puts it."""
        for event in events:
            moment = to_millis(at or event.occurred_at)
            self.source.put(TOPICS.touchpoints, event, at=moment, key=event.customer_id, partition=partition)

    def publish_bytes(self, value: bytes | None, *, at: datetime, key: str = "ana") -> None:
        """Something that nobody can read."""
        self.source.put_bytes(TOPICS.touchpoints, value, at=to_millis(at), key=key, partition=0)

    async def handled(self, at: datetime | None = None) -> None:
        """The role has handled all there is, what it forwards too; live, when the wall's clock showed ``at``."""
        if at is not None:
            self.wall.set(at)
        while any([await role.handle() for role in self._roles]):
            pass
        self._note()

    async def bytes_on(self, topic: Topic) -> list[bytes]:
        """The values on the topic, partition by partition; of a tombstone none."""
        return [one.value or b"" for role in self._roles async for one in self.source.records(topic, role.number)]

    async def on(self, topic: Topic) -> list[Any]:
        """The records on the topic, partition by partition."""
        return [await self.source.codec.decode(value) for value in await self.bytes_on(topic)]

    async def idle_until(self, moment: datetime) -> None:
        """Live and caught up: nothing comes, and the wall's clock goes on."""
        self.wall.set(moment)
        for role in self._roles:
            await role.tick(to_millis(moment))
        self._note()

    def reload(self, playbook: Playbook) -> None:
        """From now on under another playbook."""
        self.playbook = playbook
        for role in self._roles:
            role.reload()

    async def replayed(
        self,
        *,
        playbook: Playbook | None = None,
        since: datetime = EVER[0],
        until: datetime = EVER[1],
    ) -> Report:
        """The report, under the playbook in force or another one."""
        return await replay(self.source, playbook=playbook or self.playbook, since=since, until=until)

    def _note(self) -> None:
        self.source.handled({role.number: (role.position, role.clock) for role in self._roles})


class _Role:
    """One partition's share of the role."""

    def __init__(self, day: Day, settings: Settings, number: int, partitions: int) -> None:
        self.number = number
        self.position = 0
        self.clock = 0
        self._day = day
        self._settings = settings
        self._partitions = partitions
        self._wakes = Wakes()
        self._store: Store[JourneyState] = Store(codec=day.source.codec, topic=TOPICS.journeys, cache_size=3)
        self.reload()

    def reload(self) -> None:
        """The parts, with the playbook of the day."""
        known = self._day.source.codec
        logic = JourneyLogic(topics=TOPICS, playbook=self._day.playbook)
        self._outbox = Outbox(
            settings=self._settings,
            codec=known,
            logic=logic,
            role="journeys",
            partition=self.number,
            partitions=self._partitions,
        )
        self._steps = Steps(
            settings=self._settings,
            group="careline.journeys",
            logic=logic,
            intake=Intake(
                logic=logic, codec=known, partition=self.number, partitions=self._partitions, window=200, share=0.5
            ),
            outbox=self._outbox,
            wakes=self._wakes,
            busy=lambda key: False,
            wall=self._day.wall,
            timers=1_000,
        )

    async def handle(self) -> bool:
        """Handle a batch; whether there was anything."""
        log = [one async for one in self._day.source.records(TOPICS.touchpoints, self.number)]
        waiting = [one for one in log if one.offset >= self.position]
        batch = waiting[:_BATCH]
        if batch:
            caught_up = self._day.live and len(batch) == len(waiting)
            await self._transact(batch, to_millis(self._day.wall.now()) if caught_up else None)
        return bool(batch)

    async def tick(self, wall: int) -> None:
        """Live, caught up: the deadlines that the wall's clock has reached, if any; else no transaction."""
        due = self._wakes.next()
        if due is not None and due <= PartitionClock(self.clock).tick(wall):
            await self._transact([], wall)

    async def _transact(self, records: Iterable[object], tick: int | None) -> None:
        tx = await self._steps.make(
            lambda: Transaction(overlay=Overlay(self._store), clock=PartitionClock(self.clock), position=self.position),
            records=list(records),
            tick=tick,
        )
        self._store.merge(tx.changes)
        for (name, partition), some in tx.outgoing.items():
            topic = TOPICS.by_full_name(name)
            for out in some:
                key = (out.key or b"").decode()
                self._day.source.put_bytes(topic, out.value, at=out.timestamp, key=key, partition=partition)
        self.position, self.clock = tx.position, tx.clock.millis


def day(*, partitions: int = 1, playbook: Playbook = PLAYBOOK, live: bool = False) -> Day:
    """A day on which nothing has happened yet; ``live`` with the wall's clock, else in event time."""
    source = MemorySource(topics=TOPICS, codec=codec(), partitions=partitions)
    return Day(source, partitions=partitions, playbook=playbook, live=live)


def counts(report: Report) -> tuple[int, int, int, int]:
    """Decisions that are the same, that say something else, only on record, only replayed."""
    found = report.difference
    return len(found.same), len(found.changed), len(found.only_recorded), len(found.only_replayed)
