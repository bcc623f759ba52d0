"""The processor as a service: joins its consumer group, runs the assigned partitions, and releases them in order."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, Generic, TypeVar

import structlog
from aiokafka.errors import KafkaError
from mode import Service

from streams.avro.codec import Codec
from streams.broker.answering import kafka_answers
from streams.broker.choice import broker_of
from streams.broker.closing import closed
from streams.broker.contract import Broker, ConsumerRebalanceListener, TopicPartition
from streams.clock import Clock, SystemClock
from streams.config import Settings
from streams.errors import CarelineError, SchemaNotRegistered, Unavailable
from streams.patience import Patience
from streams.processor import metrics
from streams.processor.census import Classes
from streams.processor.limits import Limits
from streams.processor.logic import Logic, Performer
from streams.processor.partition import Partition
from streams.processor.shared import Shared, group_of
from streams.registry.choice import registry_of
from streams.registry.registry import Registry
from streams.tracing import Tracing

log = structlog.get_logger()

S = TypeVar("S")


class Processor(Service, Generic[S]):
    """Runs a :class:`~streams.processor.logic.Logic` exactly once over its input topic.

    Workers of one ``role`` share the partitions; each has its own ``instance`` in the settings, by which a restarted
    worker gets its partitions back at once (static membership).
    """

    def __init__(
        self,
        *,
        settings: Settings,
        role: str,
        logic: Logic[S],
        performer: Performer | None = None,
        classes: Classes[S] | None = None,
        registry: Registry | None = None,
        broker: Broker | None = None,
        clock: Clock | None = None,
        tracing: Tracing | None = None,
        limits: Limits | None = None,
        concurrency: int = 16,
    ) -> None:
        super().__init__()
        self._settings = settings
        self._role = role
        self._logic = logic
        self._performer = performer
        self._classes = classes
        self._own_registry = registry is None
        self._registry = registry or registry_of(settings)
        self._codec = Codec(registry=self._registry, topics=settings.topics)
        self._broker = broker or broker_of(settings)
        self._clock = clock or SystemClock()
        self._tracing = tracing or Tracing()
        self._limits = limits or Limits()
        self._patience = Patience(
            stopping=lambda: self.should_stop,
            sleep=self.sleep,
            retried=(Unavailable, SchemaNotRegistered, KafkaError),
        )
        self._concurrency = asyncio.Semaphore(concurrency)
        self._partitions: dict[int, tuple[Partition[S], asyncio.Task[None]]] = {}
        self._assigned = False
        self._shared: Shared[S] | None = None

    # -- for /livez and /readyz -----------------------------------------------------------------------------------

    def waiting_for(self) -> list[str]:
        """Return what keeps the role from being ready; nothing once all its partitions are recovered."""
        if not self._assigned:
            return [self._patience.trouble or "partitions to be assigned"]
        owned = [partition for _, (partition, _) in sorted(self._partitions.items())]
        return [waiting for partition in owned if (waiting := partition.keeping.waiting_for())] + self.broken()

    def broken(self) -> list[str]:
        """Return what needs an operator: partitions that stopped, or are stuck although the brokers answer."""
        owned = [partition for _, (partition, _) in sorted(self._partitions.items())]
        return [broken for partition in owned if (broken := partition.keeping.broken())]

    # -- mode's life cycle ----------------------------------------------------------------------------------------

    async def on_start(self) -> None:
        """Look up the schemas and join the group, waiting for servers that do not answer yet."""
        topics = (self._logic.input, self._logic.state_topic, *self._logic.outputs)
        await self._patience.answered(lambda: self._codec.prepare(*topics))
        await self._patience.answered(self._joined)

    async def on_stop(self) -> None:
        """Finish and commit what is in progress, and leave the group."""
        await self._let_go()
        if self._shared is not None:
            await closed(self._shared.consumer)
            await closed(self._shared.admin)
        if self._own_registry:
            await self._registry.close()

    async def _joined(self) -> None:
        with kafka_answers(self._settings):
            await self._connect()

    async def _connect(self) -> None:
        topic = self._settings.topics.full_name(self._logic.input)
        group = group_of(self._settings, self._role)
        instance = self._settings.instance
        admin = self._broker.admin()
        consumer = self._broker.lasting_member(
            group, instance=f"{group}-{instance}", client=f"careline-{self._role}-{instance}"
        )
        try:
            await admin.start()
            partitions = (await admin.partitions(topic)).get(topic)
            if partitions is None:
                raise Unavailable.no_topic(topic)
            self._shared = Shared(
                settings=self._settings,
                role=self._role,
                logic=self._logic,
                performer=self._performer,
                codec=self._codec,
                broker=self._broker,
                consumer=consumer,
                admin=admin,
                partitions=partitions,
                clock=self._clock,
                limits=self._limits,
                concurrency=self._concurrency,
                classes=self._classes,
                tracing=self._tracing,
            )
            consumer.subscribe([topic], listener=_Listener(self, self._shared))
            await consumer.start()
        except (KafkaError, CarelineError):
            self._shared = None
            await closed(consumer)
            await closed(admin)
            raise

    # -- rebalances -----------------------------------------------------------------------------------------------

    async def _take(self, assigned: Iterable[TopicPartition], shared: Shared[S]) -> None:
        for tp in sorted(assigned):
            partition = Partition(tp.partition, shared=shared)
            task = asyncio.create_task(partition.run(), name=f"{self._role} {tp.partition}")
            task.add_done_callback(self._ended)
            self._partitions[tp.partition] = partition, task
        self._assigned = True
        metrics.REBALANCES.labels(role=self._role).inc()
        metrics.PARTITIONS_OWNED.labels(role=self._role).set(len(self._partitions))

    async def _let_go(self) -> None:
        if not self._partitions:
            return
        for partition, _ in self._partitions.values():
            partition.finish()
        tasks = [task for _, task in self._partitions.values()]
        _, late = await asyncio.wait(tasks, timeout=self._limits.finish_within.total_seconds())
        for task in late:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for partition, _ in self._partitions.values():
            partition.let_go()
        self._partitions.clear()
        self._assigned = False
        metrics.PARTITIONS_OWNED.labels(role=self._role).set(0)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            # a failure that no partition handles itself: a worker with only some partitions running must not go on
            log.critical("partition_failed", role=self._role, exc_info=error)
            asyncio.get_running_loop().create_task(self.crash(error))


class _Listener(ConsumerRebalanceListener):
    def __init__(self, processor: Processor[Any], shared: Shared[Any]) -> None:
        self._processor = processor
        self._shared = shared

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        await self._processor._let_go()

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        await self._processor._take(assigned, self._shared)
