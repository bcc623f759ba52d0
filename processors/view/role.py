"""The view role: reads what the other roles write, read-committed, and keeps the view up to date."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

import structlog
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from mode import Service

from processors.roles.role import Role
from processors.roles.servers import REDIS
from processors.settings import Settings
from processors.view import metrics
from processors.view.lag import Lag
from processors.view.projection import Bounds, Forget, RecordPlace, Write, erase, project, shown
from processors.view.showing import Shown
from processors.view.store import Position, ViewChanged, ViewProgress, ViewStore
from streams.avro.codec import Codec
from streams.avro.records import types_of
from streams.broker.answering import kafka_answers, kafka_unavailable
from streams.broker.closing import closed
from streams.broker.fetched import AIOKafkaConsumer
from streams.clock import Clock, SystemClock, from_millis, to_millis
from streams.config import TimeSource
from streams.errors import Unavailable, Unreadable
from streams.events.moments import as_known
from streams.registry.registry import Registry
from streams.subscribing.admission import Admission
from streams.subscribing.dead_letters import place_of

log = structlog.get_logger()
T = TypeVar("T")

_UNPROCESSABLE = "unprocessable"
_SHOW_EVERY = 5.0  # seconds


class ViewRole(Role):
    """Projects touchpoints, journeys, decisions, outreach, outcomes and agent tasks to Redis for as long as it runs.

    It reads all partitions itself, without a consumer group: the view stores its offsets. Two instances on one view
    take turns (each notices that the other wrote, and continues from there). While Kafka, the registry or Redis does
    not answer, it retries; an emptied Redis is rebuilt from the earliest records. A record that cannot be read or
    breaks the contract is skipped and counted; the journeys role sends the same record to the dead-letter topic. A
    record that makes the projection or the store fail is skipped and counted too; the rest of its batch is written, in
    order.
    """

    name = "view"
    servers = (*Role.servers, REDIS)

    def __init__(
        self,
        settings: Settings,
        *,
        store: ViewStore,
        registry: Registry,
        batch: int = 2_000,
        look_every: timedelta = timedelta(seconds=1),
        clock: Clock | None = None,
    ) -> None:
        """``batch``: most records in one Redis transaction; ``look_every``: how soon an emptied Redis is noticed."""
        super().__init__(registry=registry)
        self._settings = settings
        self._admission = Admission(settings.topics, writers=settings.allowed_writers)
        self._store = store
        self._batch = batch
        self._look_every = look_every.total_seconds()
        self._bounds = Bounds(timeline=settings.view_timeline, outreach=settings.view_outreach)
        self._codec = Codec(registry=registry, topics=settings.topics)
        topics = settings.topics
        shown_topics = (
            topics.touchpoints,
            topics.journeys,
            topics.decisions,
            topics.outreach,
            topics.outcomes,
            topics.agent_tasks,
        )
        self._types = {topic.name: types_of(topic) for topic in shown_topics}
        self._names = {topics.full_name(topic): topic for topic in shown_topics}
        self._consumer: AIOKafkaConsumer | None = None
        self._patience = self._patience_with_servers()
        self._behind: dict[TopicPartition, int] = {}  # records left of each topic's end when this view was loaded
        self._caught_up = False
        self._clock = clock or SystemClock()
        self._lag = Lag(self._names, clock=self._clock, live=settings.time_source is TimeSource.WALL)
        self._shown = Shown()

    def missing(self) -> list[str]:
        """What keeps the view from being up to date."""
        waits = [] if self._patience.trouble is None else [self._patience.trouble]
        if not self._caught_up:
            left = ", ".join(f"{count} records of {name}" for name, count in self._lag.records.items() if count)
            waits.append(f"catching up: {left or 'the last records'}")
        return waits

    async def on_stop(self) -> None:
        """Close the connections; the offsets are stored in the view already."""
        if self._consumer is not None:
            with contextlib.suppress(KafkaError):
                await closed(self._consumer)
        await self._store.close()
        self._lag.hide()
        self._shown.hide()

    @Service.task
    async def _show(self) -> None:
        """Beside the work, so that a Redis that is slow to tell of itself holds up nothing."""
        while not self.should_stop:
            try:
                self._shown.show(await self._store.figures(to_millis(self._clock.now())))
            except Unavailable as why:
                log.debug("no_figures", error=why)
            await self.sleep(_SHOW_EVERY)

    @Service.task
    async def _look(self) -> None:
        """Beside the work, so that the lag grows also while that waits for Redis."""
        while not self.should_stop:
            with contextlib.suppress(KafkaError, TimeoutError):
                if self._consumer is not None:
                    await self._lag.look(self._consumer, after=_SHOW_EVERY)
            await self.sleep(_SHOW_EVERY)

    @Service.task
    async def _work(self) -> None:
        consumer = await self._patience.answered(self._connect)
        while not self.should_stop and consumer is not None:
            try:
                await self._follow(consumer)
            except ViewChanged as changed:
                log.warning("view_changed", error=changed)
            except KafkaError as error:
                await self._patience.wait(str(kafka_unavailable(self._settings, error)))

    async def _connect(self) -> AIOKafkaConsumer:
        consumer = AIOKafkaConsumer(
            **self._settings.kafka_client(),
            client_id="careline-view",
            enable_auto_commit=False,
            auto_offset_reset="earliest",  # also if retention deleted the records at our offset
            isolation_level="read_committed",
            max_partition_fetch_bytes=4 << 20,
        )
        try:
            with kafka_answers(self._settings):
                await consumer.start()
                await consumer._client.set_topics(list(self._names))  # without a group nothing else requests metadata
            for name in self._names:
                if not consumer.partitions_for_topic(name):
                    raise Unavailable.no_topic(name)
            await self._codec.prepare(*self._names.values())
        except BaseException:
            await closed(consumer)
            raise
        consumer.assign(
            [TopicPartition(name, number) for name in self._names for number in consumer.partitions_for_topic(name)]
        )
        self._consumer = consumer
        return consumer

    async def _follow(self, consumer: AIOKafkaConsumer) -> None:
        """Continue from the view's offsets, until the view turns out to have changed."""
        self._caught_up = False
        progress = await self._patience.answered(self._take_up)
        if progress is None:
            return
        partitions = list(consumer.assignment())
        self._behind = await consumer.end_offsets(partitions)
        for tp in partitions:
            if tp in progress.positions:
                consumer.seek(tp, progress.positions[tp])
            else:
                await consumer.seek_to_beginning(tp)
        self._lag.begin(partitions, anew=[tp for tp in partitions if tp not in progress.positions])
        looked = self.loop.time()
        while not self.should_stop:
            fetched = await consumer.getmany(timeout_ms=200, max_records=self._batch)
            self._lag.takes(fetched)
            await self._lag.measure(consumer, self._behind)
            if fetched or self.loop.time() - looked >= self._look_every:  # an empty write checks the view
                step = await self._taken(progress, [one for records in fetched.values() for one in records])
                if step is None:
                    return
                progress, looked = step, self.loop.time()
                for tp, records in fetched.items():
                    metrics.VIEW_RECORDS.labels(topic=tp.topic).inc(len(records))
            self._lag.written()
            await self._lag.measure(consumer, self._behind)
            for tp in [tp for tp, end in self._behind.items() if await consumer.position(tp) >= end]:
                del self._behind[tp]
            self._caught_up = self._caught_up or not self._behind

    async def _take_up(self) -> ViewProgress:
        progress = await self._store.load()
        if progress.generation is None:
            log.info("view_rebuild", why="there is no view yet, or it was emptied")
            progress = await self._store.begin()
            metrics.VIEW_REBUILDS.inc()
        return progress

    async def _taken(self, progress: ViewProgress, records: list[ConsumerRecord]) -> ViewProgress | None:
        """The view's progress with these records written; None if the role is asked to stop meanwhile.

        If they cannot be written although the servers answer, they are written by halves until the record at fault is
        alone; only that one is skipped.
        """
        writes: list[Write] = []
        positions: dict[Position, int] = {}
        try:
            changes = await self._patience.answered(partial(self._changes, progress, records))
            if changes is None:
                return None
            writes, positions = changes
            return await self._patience.answered(partial(self._store.apply, progress, writes, positions))
        except (ViewChanged, KafkaError, MemoryError):
            raise
        except Exception as error:
            if len(records) > 1:
                half = len(records) // 2
                step = await self._taken(progress, records[:half])
                return None if step is None else await self._taken(step, records[half:])
            if not writes:  # no record is at fault: the store itself is broken
                raise
            self._skip(records[0], _UNPROCESSABLE, error)
            return await self._patience.answered(partial(self._store.apply, progress, [], positions))

    async def _changes(
        self, progress: ViewProgress, records: list[ConsumerRecord]
    ) -> tuple[list[Write], dict[Position, int]]:
        erased = dict(progress.erased)
        writes: list[Write] = []
        positions: dict[Position, int] = {}
        for record in records:
            positions[record.topic, record.partition] = record.offset + 1
            try:
                writes += await self._project(record, erased)
            except (Unavailable, KafkaError, MemoryError):
                raise
            except Unreadable as why:
                self._skip(record, why.reason, why)
            except Exception as error:  # whatever is wrong with it: only this record is affected
                self._skip(record, _UNPROCESSABLE, error)
        return writes, positions

    def _skip(self, raw: ConsumerRecord, reason: str, why: Exception) -> None:
        metrics.VIEW_SKIPPED.labels(topic=raw.topic, reason=reason).inc()
        log.warning("skipped", **place_of(raw), reason=reason, exc_info=why if reason == _UNPROCESSABLE else None)

    async def _project(self, raw: ConsumerRecord, erased: dict[str, int]) -> tuple[Write, ...]:
        topics = self._settings.topics
        topic = self._names[raw.topic]
        if raw.value is None and topic is topics.journeys and raw.key is not None:
            customer_id = raw.key.decode(errors="replace")
            erased[customer_id] = max(raw.timestamp, erased.get(customer_id, 0))
            return erase(customer_id, at=raw.timestamp)
        record: Any = await self._codec.decode(raw.value, among=self._types[topic.name])
        self._admission.check(record, topic, now=from_millis(raw.timestamp))
        if topic is topics.touchpoints:
            record = as_known(record, record.occurred_at)
        if not shown(record, erased.get(record.customer_id)):
            return ()
        place = RecordPlace(topic=raw.topic, partition=raw.partition, offset=raw.offset)
        writes = project(record, place, self._bounds)
        kept: list[Write] = []
        for write in writes:
            if isinstance(write, Forget):
                if write.until <= erased.get(write.customer_id, -1):
                    continue  # erased already, and nothing older was written since
                erased[write.customer_id] = write.until
            kept.append(write)
        return tuple(kept)
