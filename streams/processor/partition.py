"""One partition, owned: taken, worked on batch by batch, and taken afresh whenever anything fails."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from contextlib import suppress
from datetime import timedelta
from typing import Generic, TypeVar

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from streams import metrics
from streams.clock import Clock, PartitionClock, to_millis
from streams.codec import Codec
from streams.config import Settings, TimeSource
from streams.errors import PartitionLost, PartitionStopped, Unavailable
from streams.processor.counted import Counted
from streams.processor.effects import Effects
from streams.processor.failpoints import Point, reached
from streams.processor.feed import Feed
from streams.processor.intake import Intake
from streams.processor.limits import Limits
from streams.processor.logic import Completion, Logic, Performer
from streams.processor.recovery import restore
from streams.processor.steps import Steps
from streams.processor.store import Overlay, Store
from streams.processor.transaction import Outbox, Transaction
from streams.processor.wakes import Wakes
from streams.processor.watchdog import CUT_SHORT, commit

log = structlog.get_logger()

S = TypeVar("S")

_TICK = timedelta(milliseconds=200)
_PRODUCER_BATCH = 9 << 20  # one dead letter of the largest size has to fit


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
        self.ready = False
        self.stopped: PartitionStopped | None = None
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
        self._stopping = False
        self._last_commit = 0.0

    # -- from outside ---------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Take the partition, work, and take it afresh after a failure, until :meth:`finish` or cancelled."""
        try:
            while not self._stopping:
                try:
                    await self._own()
                except PartitionStopped as why:
                    self.stopped = why
                    metrics.PARTITIONS_STOPPED.labels(role=self._role).inc()
                    log.error("partition stopped", topic=self._tp.topic, partition=self.number, why=str(why))
                    return
                except (PartitionLost, Unavailable, KafkaError) as why:
                    metrics.TRANSACTIONS.labels(role=self._role, end="aborted").inc()
                    log.warning("partition lost", topic=self._tp.topic, partition=self.number, why=repr(why))
                    await asyncio.sleep(self._limits.retake_after.total_seconds())
        finally:
            self.ready = False
            if self._effects is not None:
                await self._effects.cancel()

    def finish(self) -> None:
        """Take no more records, commit what the effects under way come to, and end."""
        self._stopping = True
        self._news.set()

    # -- owning ---------------------------------------------------------------------------------------------------

    async def _own(self) -> None:
        began = time.monotonic()
        self._producer = AIOKafkaProducer(
            **self._settings.kafka_client(),
            transactional_id=f"{self._group}-{self.number}",
            acks="all",
            linger_ms=0,
            compression_type="lz4",
            max_batch_size=_PRODUCER_BATCH,
            max_request_size=_PRODUCER_BATCH,
            transaction_timeout_ms=int(self._limits.transaction_timeout.total_seconds() * 1000),
        )
        feed = Feed(
            consumer=self._consumer, tp=self._tp, batch=self._limits.batch, news=self._news, lag=self._counted.lag
        )
        try:
            # The order matters: the producer fences the old owner and settles its last transaction; only then is the
            # end of the state topic final, and only after the state the committed offset.
            await self._producer.start()
            await self._recover()
            self._counted.recovered(self._store, seconds=time.monotonic() - began)
            log.info(
                "partition taken",
                topic=self._tp.topic,
                partition=self.number,
                keys=len(self._store),
                offset=self._position,
                seconds=round(time.monotonic() - began, 2),
            )
            feed.start(self._position)
            self.ready = True
            await self._work(feed)
        finally:
            self.ready = False
            await feed.stop()
            await self._producer.stop()

    async def _recover(self) -> None:
        if self._effects is not None:
            # what is under way belongs to us still: its results are taken into the next transaction
            await self._effects.idle()
        self._store: Store[S] = Store(codec=self._codec, topic=self._logic.state_topic, cache_size=self._limits.cache)
        self._wakes = Wakes()
        await restore(
            self._store,
            self._wakes,
            settings=self._settings,
            codec=self._codec,
            logic=self._logic,
            partition=self.number,
        )
        committed = (await self._admin.list_consumer_group_offsets(self._group, partitions=[self._tp])).get(self._tp)
        if committed is None or committed.offset < 0:
            self._position = (await self._consumer.beginning_offsets([self._tp]))[self._tp]
            self._clock = PartitionClock()
        else:
            self._position = committed.offset
            # the clock travels with the offset, so that time does not go back over a restart
            self._clock = PartitionClock(int(committed.metadata or 0))
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
        )
        self._resuming = self._wakes.keys() if self._effects is not None else []

    # -- working --------------------------------------------------------------------------------------------------

    async def _work(self, feed: Feed) -> None:
        while True:
            await self._wait_for_work(feed)
            if self._stopping and not self._completions and (self._effects is None or not len(self._effects)):
                return
            records = await feed.take(room := self._room())
            completions = list(self._completions)
            tick = self._tick(feed)
            if records or completions or self._resuming or (room and self._due(tick)):
                await self._transact(records, completions, tick, room, more=len(feed) > 0)
                feed.give_back([record for record in records if record.offset >= self._position])

    async def _wait_for_work(self, feed: Feed) -> None:
        if not ((len(feed) and self._room()) or self._completions or self._resuming):
            self._news.clear()
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._news.wait(), _TICK.total_seconds())
        if min(len(feed), self._room()) < self._limits.batch and (len(feed) or self._completions):
            # the first after a pause goes at once, under load they gather
            rest = self._last_commit + self._limits.commit_every.total_seconds() - time.monotonic()
            if rest > 0:
                await (asyncio.sleep(rest) if self._effects is None else self._effects.gather(rest))

    def _room(self) -> int:
        """How many records may be taken now, and effects asked for; each record asks for one at most."""
        if self._stopping:
            return 0
        return self._limits.batch if self._effects is None else self._effects.room(self._limits.effects)

    def _tick(self, feed: Feed) -> int | None:
        """The wall's milliseconds: only live, and only up to when the broker last said that everything was read."""
        if self._settings.time_source is not TimeSource.WALL or feed.caught_up_at is None or len(feed):
            return None
        return min(to_millis(self._wall.now()), feed.caught_up_at)

    def _due(self, tick: int | None) -> bool:
        due = self._wakes.next()
        return tick is not None and due is not None and due <= PartitionClock(self._clock.millis).tick(tick)

    async def _transact(
        self, records: list[ConsumerRecord], completions: list[Completion], tick: int | None, room: int, *, more: bool
    ) -> None:
        began = time.monotonic()
        tx: Transaction[S] = Transaction(
            overlay=Overlay(self._store), clock=PartitionClock(self._clock.millis), position=self._position, room=room
        )
        try:
            await self._steps.run(tx, resuming=self._resuming, completions=completions, records=records, tick=tick)
        except (PartitionStopped, Unavailable, asyncio.CancelledError):
            raise
        except Exception as error:
            # a fault of ours: trying again would fail again, going on would lose what it was about
            at = f"{self._tp.topic}[{self.number}] after offset {tx.position}"
            log.exception("the logic failed", at=at)
            raise PartitionStopped(f"the logic failed at {at}: {error!r}") from error
        await self._commit(tx)
        for _ in completions:
            self._completions.popleft()
        self._resuming = []
        self._merged(tx, began, waiting_since=records[-1].timestamp if records and more else None)

    async def _commit(self, tx: Transaction[S]) -> None:
        self._changes = self._store.encode(tx.overlay)
        self._outbox.add_states(tx, self._changes)
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

    def _merged(self, tx: Transaction[S], began: float, *, waiting_since: int | None) -> None:
        self._store.merge(self._changes)
        self._clock = tx.clock
        self._position = tx.position
        self._last_commit = time.monotonic()
        if self._effects is not None:
            for completion in tx.settled:
                self._effects.settled(completion.effect)
            for effect in tx.effects:
                self._effects.start(effect)
        self._counted.count(
            tx,
            seconds=self._last_commit - began,
            store=self._store,
            wall=to_millis(self._wall.now()),
            waiting_since=waiting_since,
        )

    def _busy(self, key: str) -> bool:
        return self._effects is not None and self._effects.busy(key)

    def _done(self, completion: Completion) -> None:
        self._completions.append(completion)
        self._news.set()
