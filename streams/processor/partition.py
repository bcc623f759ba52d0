"""One partition, owned: taken, worked on batch by batch, and taken afresh whenever anything fails."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from contextlib import suppress
from datetime import timedelta
from typing import Generic, TypeVar

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from streams.avro.codec import Codec
from streams.broker.closing import closed
from streams.clock import Clock, PartitionClock, to_millis
from streams.config import Settings, TimeSource
from streams.errors import PartitionLost
from streams.processor.counted import Counted
from streams.processor.effects import Effects
from streams.processor.failpoints import Point, reached
from streams.processor.feed import Feed
from streams.processor.intake import Intake
from streams.processor.isolation import Search
from streams.processor.keeping import Keeping
from streams.processor.limits import Limits
from streams.processor.logic import Completion, Logic, Performer
from streams.processor.progress import Progress
from streams.processor.recovery import committed, restore
from streams.processor.steps import Steps
from streams.processor.store import Overlay, Store
from streams.processor.transaction import Outbox, Transaction, transactional_producer
from streams.processor.wakes import Wakes
from streams.processor.watchdog import CUT_SHORT, commit

log = structlog.get_logger()

S = TypeVar("S")

_TICK = timedelta(milliseconds=200)


class Partition(Generic[S]):
    """Works on one partition until it is told to stop."""

    def __init__(
        self,
        number: int,
        *,
        settings: Settings,
        role: str,
        group: str,
        logic: Logic[S],
        performer: Performer | None,
        codec: Codec,
        consumer: AIOKafkaConsumer,
        admin: AIOKafkaAdminClient,
        partitions: int,
        clock: Clock,
        limits: Limits,
        concurrency: asyncio.Semaphore,
    ) -> None:
        self.number = number
        self.progress = Progress()
        self._settings = settings
        self._role = role
        self._group = group
        self._logic = logic
        self._codec = codec
        self._consumer = consumer
        self._admin = admin
        self._partitions = partitions
        self._wall = clock
        self._limits = limits
        self._tp = TopicPartition(settings.topics.full_name(logic.input), number)
        self._outbox = Outbox(
            settings=settings, codec=codec, logic=logic, role=role, partition=number, partitions=partitions
        )
        self._effects = (
            Effects(performer=performer, role=role, concurrency=concurrency, done=self._done) if performer else None
        )
        self._counted = Counted(role=role, partition=number, logic=logic)
        self._completions: deque[Completion] = deque()
        self._news = asyncio.Event()
        # effects are asked for by real time, once every record is handled; records wait for none of them
        self._real = performer is not None and settings.time_source is TimeSource.WALL
        self._search = Search(self._limits.batch)
        self.keeping = Keeping(
            self._tp,
            role=role,
            limits=limits,
            progress=self.progress,
            search=self._search,
            consumer=consumer,
            waits=self._waits,
        )
        self._last_commit = 0.0

    async def run(self) -> None:
        """Take the partition, work, and take it afresh after a failure, until :meth:`finish` or cancelled."""
        try:
            await self.keeping.run(self._own)
        finally:
            self.progress.ready = False
            if self._effects is not None:
                await self._effects.cancel()

    def finish(self) -> None:
        """Take no more records, commit what the effects under way come to, and end."""
        self.keeping.stopping.set()
        self._news.set()

    # -- owning ---------------------------------------------------------------------------------------------------

    async def _own(self) -> None:
        began = time.monotonic()
        self._producer = transactional_producer(
            self._settings, f"{self._group}-{self.number}", within=self._limits.transaction_timeout
        )
        feed = Feed(consumer=self._consumer, tp=self._tp, batch=self._limits.batch, news=self._news, waits=self._waits)
        try:
            # The order matters: the producer fences the old owner and settles its last transaction; only then is the
            # end of the state topic final, and only after the state the committed offset.
            await self._producer.start()
            await self._recover()
            self._counted.recovered(self._store, seconds=time.monotonic() - began)
            place = {"topic": self._tp.topic, "partition": self.number, "offset": self._position}
            log.info("partition taken", **place, keys=len(self._store), seconds=round(time.monotonic() - began, 2))
            self.progress.position = self._position
            feed.start(self._position)
            self.progress.ready = True
            await self._work(feed)
        finally:
            self.progress.ready = False
            await feed.stop()
            await closed(self._producer)

    async def _recover(self) -> None:
        if self._effects is not None:
            # what is under way belongs to us still: its results are taken into the next transaction
            await self._effects.idle()
        self._store: Store[S] = Store(codec=self._codec, topic=self._logic.state_topic, cache_size=self._limits.cache)
        self._wakes = Wakes(as_they_came=self._real)
        await restore(
            self._store,
            self._wakes,
            settings=self._settings,
            codec=self._codec,
            logic=self._logic,
            partition=self.number,
            progress=self.progress,
        )
        self._position, self._clock = await committed(self._tp, self._group, admin=self._admin, consumer=self._consumer)
        self._steps = Steps(
            settings=self._settings,
            group=self._group,
            logic=self._logic,
            intake=Intake(
                logic=self._logic,
                codec=self._codec,
                partition=self.number,
                partitions=self._partitions,
                window=self._limits.dead_letter_window,
                share=self._limits.dead_letter_share,
                # in event time a record's time is the event's; other topics than the publishers' are written by us
                broker_time=self._settings.time_source is TimeSource.WALL and self._logic.input.name == "touchpoints",
            ),
            outbox=self._outbox,
            wakes=self._wakes,
            busy=self._busy,
            wall=self._wall,
            timers=self._limits.timers,
            outside=self._effects is not None,
        )
        self._resuming: list[str] = self._wakes.keys() if self._effects is not None else []

    # -- working --------------------------------------------------------------------------------------------------

    async def _work(self, feed: Feed) -> None:
        while True:
            await self._wait_for_work(feed)
            under_way = self._effects is not None and len(self._effects) > 0
            if self.keeping.stopping.is_set() and not self._completions and not under_way:
                return
            room = self._room()
            records = await feed.take(self._taken(room))
            completions = list(self._completions)
            tick = self._tick(feed)
            if records or completions or self._resuming or (room and self._due(tick)):
                await self._transact(records, completions, tick, room)
                feed.handled(self._position)
            elif under_way:
                self.progress.not_stuck()
            elif feed.caught_up_at is not None and not len(feed):
                self.progress.well()

    async def _wait_for_work(self, feed: Feed) -> None:
        room = self._taken(self._room())
        if not ((len(feed) and room) or self._completions or self._resuming):
            self._news.clear()
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._news.wait(), _TICK.total_seconds())
        if min(len(feed), self._taken(self._room())) < self._limits.batch and (len(feed) or self._completions):
            # the first after a pause goes at once, under load they gather
            rest = self._last_commit + self._limits.commit_every.total_seconds() - time.monotonic()
            if rest > 0:
                await (asyncio.sleep(rest) if self._effects is None else self._effects.gather(rest))

    def _taken(self, room: int) -> int:
        """How many records may be taken now. Where they ask for effects, for one each at most."""
        return self._limits.batch if self._real and not self.keeping.stopping.is_set() else room

    def _room(self) -> int:
        """How many effects may be asked for now."""
        if self.keeping.stopping.is_set():
            return 0
        return self._limits.batch if self._effects is None else self._effects.room(self._limits.effects)

    def _tick(self, feed: Feed) -> int | None:
        """The wall's milliseconds: only live, and only up to when the broker last said that everything was read."""
        if self._settings.time_source is not TimeSource.WALL or feed.caught_up_at is None or len(feed):
            return None
        return min(to_millis(self._wall.now()), feed.caught_up_at)

    def _due(self, tick: int | None) -> bool:
        due = self._wakes.next()
        until = tick if tick is None or self._real else PartitionClock(self._clock.millis).tick(tick)
        return due is not None and until is not None and due <= until

    async def _transact(
        self, records: list[ConsumerRecord], completions: list[Completion], tick: int | None, room: int
    ) -> None:
        began = time.monotonic()
        tx = await self._steps.make(
            lambda: Transaction(
                overlay=Overlay(self._store),
                clock=PartitionClock(self._clock.millis),
                position=self._position,
                room=room,
            ),
            resuming=self._resuming,
            completions=completions,
            records=records,
            tick=tick,
            most=self._search.most,
            refused=self._search.refused,
        )
        self._search.trying(tx.items)
        await self._commit(tx)
        for _ in tx.settled:
            self._completions.popleft()
        self._resuming = self._resuming[tx.resumed :]
        self._merged(tx, began)

    async def _commit(self, tx: Transaction[S]) -> None:
        try:
            await self._producer.begin_transaction()
            await self._outbox.send(self._producer, tx)
            reached(Point.BEFORE_OFFSETS)
            await self._producer.send_offsets_to_transaction(
                {self._tp: (tx.position, str(tx.clock.millis))}, self._group
            )
        except CUT_SHORT as error:
            raise PartitionLost(repr(error)) from error
        reached(Point.AFTER_OFFSETS)
        await commit(self._producer, within=self._limits.commit_hangs_after, what=str(self._tp))

    def _merged(self, tx: Transaction[S], began: float) -> None:
        self._store.merge(tx.changes)
        self._clock = tx.clock
        self._position = tx.position
        self._last_commit = time.monotonic()
        self.progress.moved(tx.position)
        self._search.accepted()
        if self._effects is not None:
            for completion in tx.settled:
                self._effects.settled(completion.effect)
            for key in tx.withdrawn:
                self._effects.withdraw(key)
            for effect in tx.effects:
                self._effects.start(effect)
        self._counted.count(
            tx,
            seconds=self._last_commit - began,
            store=self._store,
            wall=to_millis(self._wall.now()),
        )

    def _waits(self, records: int, oldest: int | None) -> None:
        self._counted.waits(records, oldest, to_millis(self._wall.now()))

    def _busy(self, key: str) -> bool:
        return self._effects is not None and self._effects.busy(key)

    def _done(self, completion: Completion) -> None:
        self._completions.append(completion)
        self._news.set()
