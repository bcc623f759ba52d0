"""One partition, owned: taken, worked on batch by batch, and taken afresh whenever anything fails."""

from __future__ import annotations

import asyncio
import os
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, NoReturn, TypeVar

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from streams import metrics
from streams.clock import Clock, PartitionClock, from_millis, to_millis
from streams.cloudevents import Headers, published_at_millis
from streams.codec import Codec
from streams.config import Settings, TimeSource
from streams.dead_letters import headers_of
from streams.errors import PartitionLost, PartitionStopped, Unavailable, Unreadable
from streams.processor.effects import Effects
from streams.processor.intake import Intake, Misplaced
from streams.processor.logic import Completion, Logic, Performer, Step
from streams.processor.recovery import restore
from streams.processor.store import Overlay, Store
from streams.processor.transaction import Outbox, Outgoing, Transaction
from streams.processor.wakes import Wakes

log = structlog.get_logger()

S = TypeVar("S")

_TICK = timedelta(milliseconds=200)
_PRODUCER_BATCH = 9 << 20  # one dead letter of the largest size has to fit
_FUTURE_RECORD = 3_600_000  # ms; the broker's own bound, so that one wrong clock does not move everybody's


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How the processor batches and when it gives up."""

    batch: int = 1_000
    commit_every: timedelta = timedelta(milliseconds=50)
    commit_hangs_after: timedelta = timedelta(seconds=30)
    transaction_timeout: timedelta = timedelta(seconds=10)
    retake_after: timedelta = timedelta(seconds=1)
    finish_within: timedelta = timedelta(seconds=8)
    dead_letter_window: int = 200
    dead_letter_share: float = 0.5
    cache: int = 20_000
    timers: int = 2_000


def _stop_the_process(message: str) -> NoReturn:
    # whether the commit took is unknown, and going on would be a guess; a restart finds out
    log.critical(message)
    os._exit(75)


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
        self._completions: deque[Completion] = deque()
        self._records: deque[ConsumerRecord] = deque()
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._stopping = False
        self._caught_up_at: int | None = None
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
        pump: asyncio.Task[None] | None = None
        try:
            # The order matters: the producer fences the old owner and settles its last transaction; only then is the
            # end of the state topic final, and only after the state the committed offset.
            await self._producer.start()
            await self._recover()
            metrics.RECOVERIES.labels(role=self._role).inc()
            metrics.RECOVERY_SECONDS.labels(role=self._role).observe(time.monotonic() - began)
            log.info(
                "partition taken",
                topic=self._tp.topic,
                partition=self.number,
                keys=len(self._store),
                offset=self._position,
                seconds=round(time.monotonic() - began, 2),
            )
            pump = asyncio.create_task(self._pump(), name=f"pump {self._tp}")
            self.ready = True
            await self._work(pump)
        finally:
            self.ready = False
            if pump is not None:
                pump.cancel()
                with suppress(asyncio.CancelledError, Exception):
                    await pump
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
        self._intake = Intake(
            logic=self._logic,
            codec=self._codec,
            partition=self.number,
            partitions=self._partitions,
            window=self._limits.dead_letter_window,
            share=self._limits.dead_letter_share,
        )
        self._records.clear()
        self._caught_up_at = None
        self._consumer.seek(self._tp, self._position)
        self._resuming = self._wakes.keys() if self._effects is not None else []

    async def _pump(self) -> None:
        try:
            while True:
                fetched = await self._consumer.getmany(self._tp, timeout_ms=200, max_records=self._limits.batch)
                records = fetched.get(self._tp, ())
                if records:
                    self._records.extend(records)
                    self._news.set()
                    while len(self._records) >= 2 * self._limits.batch:
                        self._room.clear()
                        await self._room.wait()
                self._caught_up_at = await self._end_seen()
        finally:
            self._news.set()

    async def _end_seen(self) -> int | None:
        """When the broker last told that nothing more was there, in wall milliseconds; None while behind."""
        end = self._consumer.last_stable_offset(self._tp)
        position = await self._consumer.position(self._tp)
        lag = max((self._consumer.highwater(self._tp) or 0) - position, 0)
        metrics.LAG_RECORDS.labels(role=self._role, partition=str(self.number)).set(lag + len(self._records))
        if end is None or position < end:
            return None
        polled: int | None = self._consumer.last_poll_timestamp(self._tp)
        return polled

    # -- working --------------------------------------------------------------------------------------------------

    async def _work(self, pump: asyncio.Task[None]) -> None:
        while True:
            await self._wait_for_work()
            if pump.done():
                await pump  # raises what it failed with
            if self._stopping and not self._completions and (self._effects is None or not len(self._effects)):
                return
            records: list[ConsumerRecord] = []
            while self._records and len(records) < self._limits.batch and not self._stopping:
                records.append(self._records.popleft())
            self._room.set()
            completions = list(self._completions)
            tick = self._tick()
            if records or completions or self._resuming or self._due(tick):
                await self._transact(records, completions, tick)

    async def _wait_for_work(self) -> None:
        if not (self._records or self._completions or self._resuming):
            self._news.clear()
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._news.wait(), _TICK.total_seconds())
        if len(self._records) < self._limits.batch and (self._records or self._completions):
            # the first after a pause goes at once, under load they gather
            rest = self._last_commit + self._limits.commit_every.total_seconds() - time.monotonic()
            if rest > 0:
                await asyncio.sleep(rest)

    def _tick(self) -> int | None:
        """The wall's milliseconds: only live, and only up to when the broker last said that everything was read."""
        if self._settings.time_source is not TimeSource.WALL or self._caught_up_at is None or self._records:
            return None
        return min(to_millis(self._wall.now()), self._caught_up_at)

    def _due(self, tick: int | None) -> bool:
        due = self._wakes.next()
        return tick is not None and due is not None and due < PartitionClock(self._clock.millis).tick(tick)

    async def _transact(self, records: list[ConsumerRecord], completions: list[Completion], tick: int | None) -> None:
        began = time.monotonic()
        tx: Transaction[S] = Transaction(
            overlay=Overlay(self._store), clock=PartitionClock(self._clock.millis), position=self._position
        )
        try:
            for key in self._resuming:
                await self._resume(tx, key)
            for completion in completions:
                await self._complete(tx, completion)
            for record in records:
                await self._receive(tx, record)
            if tick is not None:
                await self._fire(tx, tx.clock.tick(tick))
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
        self._merged(tx, records, began)

    async def _commit(self, tx: Transaction[S]) -> None:
        self._encoded = self._outbox.add_states(tx)
        try:
            await self._producer.begin_transaction()
            await self._outbox.send(self._producer, tx)
            await self._producer.send_offsets_to_transaction(
                {self._tp: (tx.position, str(tx.clock.millis))}, self._group
            )
        except KafkaError as error:
            raise PartitionLost(repr(error)) from error
        try:
            async with asyncio.timeout(self._limits.commit_hangs_after.total_seconds()):
                await self._producer.commit_transaction()
        except TimeoutError:
            _stop_the_process(f"the commit of {self._tp} hangs")
        except KafkaError as error:
            raise PartitionLost(repr(error)) from error

    def _merged(self, tx: Transaction[S], records: list[ConsumerRecord], began: float) -> None:
        self._store.merge(tx.overlay, self._encoded)
        self._clock = tx.clock
        self._position = tx.position
        self._last_commit = time.monotonic()
        if self._effects is not None:
            for completion in tx.settled:
                self._effects.settled(completion.effect)
            for effect in tx.effects:
                self._effects.start(effect)
        self._count(tx, records, self._last_commit - began)

    # -- steps ----------------------------------------------------------------------------------------------------

    async def _receive(self, tx: Transaction[S], record: ConsumerRecord) -> None:
        stamp = record.timestamp
        if self._settings.time_source is TimeSource.WALL:
            stamp = min(stamp, to_millis(self._wall.now()) + _FUTURE_RECORD)
        await self._fire(tx, tx.clock.observe(stamp))
        tx.position = record.offset + 1
        now = from_millis(tx.clock.millis)
        try:
            incoming = await self._intake.read(record, now)
        except Unreadable as why:
            self._put_aside(tx, record, why)
            return
        if isinstance(incoming, Misplaced):
            out = Outgoing(incoming.key.encode(), record.value, record.timestamp, list(record.headers))
            tx.outgoing[self._tp.topic, incoming.partition].append(out)
            tx.handled["forwarded"] += 1
            return
        key = self._logic.key(incoming.record)
        step = self._logic.receive(incoming, await tx.overlay.get(key), now, busy=self._busy(key))
        tx.handled[step.handling] += 1
        self._apply(tx, key, step, at=tx.clock.millis, cause=incoming.headers)
        published = published_at_millis(incoming.headers)
        if published is not None:
            tx.published_at.append(published)

    async def _fire(self, tx: Transaction[S], until: int) -> None:
        """Wake every key that is due before ``until``, in the order of their deadlines, each at its own time."""
        while (due := self._wakes.pop_before(until)) is not None:
            millis, key = due
            state = await tx.overlay.get(key)
            if state is None:
                continue
            step = self._logic.wake(key, state, from_millis(millis), busy=self._busy(key))
            tx.timers += 1
            self._apply(tx, key, step, at=millis, cause=[])
            again = self._wakes.due(key)
            if again is not None and again <= millis:
                raise RuntimeError(f"a deadline of {key} is not later than the one that fired")

    async def _resume(self, tx: Transaction[S], key: str) -> None:
        state = await tx.overlay.get(key)
        if state is None or self._busy(key):
            return
        step = self._logic.resume(key, state, from_millis(tx.clock.millis))
        if step is not None:
            self._apply(tx, key, step, at=tx.clock.millis, cause=[])

    async def _complete(self, tx: Transaction[S], completion: Completion) -> None:
        key = completion.effect.key
        state = await tx.overlay.get(key)
        step = self._logic.completed(key, state, completion.result, from_millis(tx.clock.millis))
        tx.settled.append(completion)
        self._apply(tx, key, step, at=tx.clock.millis, cause=[])

    def _apply(self, tx: Transaction[S], key: str, step: Step[S], *, at: int, cause: Headers) -> None:
        if not step.unchanged:
            tx.overlay.put(key, step.state)
            wake_at = getattr(step.state, "wake_at", None)
            self._wakes.set(key, None if wake_at is None else to_millis(wake_at))
        for send in step.sends:
            self._outbox.add(tx, send, at=at, cause=cause)
        if step.withdraw_effects:
            tx.effects = [effect for effect in tx.effects if effect.key != key]
        tx.effects.extend(step.effects)

    def _put_aside(self, tx: Transaction[S], record: ConsumerRecord, why: Unreadable) -> None:
        topics = self._settings.topics
        out = Outgoing(
            record.key,
            b"" if record.value is None else record.value,
            tx.clock.millis,
            headers_of(record, why, reader=self._group),
        )
        partition = record.partition % self._partitions
        tx.outgoing[topics.full_name(topics.dead_letters), partition].append(out)
        tx.handled["dead_letter"] += 1
        tx.dead_letters[why.reason] += 1
        log.warning(
            "dead letter", topic=record.topic, partition=record.partition, offset=record.offset, why=str(why)[:300]
        )

    def _busy(self, key: str) -> bool:
        return self._effects is not None and self._effects.busy(key)

    def _done(self, completion: Completion) -> None:
        self._completions.append(completion)
        self._news.set()

    def _count(self, tx: Transaction[Any], records: list[ConsumerRecord], seconds: float) -> None:
        role, partition = self._role, str(self.number)
        metrics.TRANSACTIONS.labels(role=role, end="committed").inc()
        metrics.TRANSACTION_SECONDS.labels(role=role).observe(seconds)
        for handling, count in tx.handled.items():
            metrics.RECORDS_PROCESSED.labels(role=role, handling=handling).inc(count)
        for reason, count in tx.dead_letters.items():
            metrics.DEAD_LETTERS.labels(role=role, reason=reason).inc(count)
        for (topic, _), sent in tx.outgoing.items():
            metrics.RECORDS_SENT.labels(role=role, topic=topic).inc(len(sent))
        metrics.TIMERS_FIRED.labels(role=role).inc(tx.timers)
        metrics.KEYS.labels(role=role, partition=partition).set(len(self._store))
        metrics.STATE_BYTES.labels(role=role, partition=partition).set(self._store.bytes)
        wall = to_millis(self._wall.now())
        for published in tx.published_at:
            metrics.EVENT_TO_COMMIT_SECONDS.labels(role=role).observe(max(wall - published, 0) / 1000)
        behind = bool(self._records) and bool(records)
        age = max(wall - records[-1].timestamp, 0) / 1000 if behind else 0
        metrics.LAG_SECONDS.labels(role=role, partition=partition).set(age)
