"""What the partitions of one worker have in common."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from streams.avro.codec import Codec
from streams.broker.contract import Admin, Broker, Consumer, TopicPartition
from streams.clock import Clock
from streams.config import Settings, TimeSource
from streams.processor.census import Classes
from streams.processor.limits import Limits
from streams.processor.logic import Logic, Performer
from streams.processor.traces import Traces
from streams.tracing import Tracing

S = TypeVar("S")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared(Generic[S]):
    """A worker's logic, clients and limits. ``consumer`` and ``admin`` are connected."""

    settings: Settings
    role: str
    logic: Logic[S]
    performer: Performer | None
    codec: Codec
    broker: Broker
    consumer: Consumer
    admin: Admin
    partitions: int
    """The number of partitions of the input topic, and of every topic that is partitioned alike."""
    clock: Clock
    """The wall clock."""
    limits: Limits
    concurrency: asyncio.Semaphore
    """Limits the running effects of all partitions together."""
    classes: Classes[S] | None = None
    """By what the states are counted; None: they are not."""
    tracing: Tracing = field(default_factory=Tracing)

    @property
    def group(self) -> str:
        """The consumer group of the role."""
        return group_of(self.settings, self.role)

    @property
    def real(self) -> bool:
        """Whether there are effects that are requested in real time: then deadlines fire once every record is handled,
        and no record waits for one."""
        return self.performer is not None and self.settings.time_source is TimeSource.WALL

    def traces(self, partition: int) -> Traces | None:
        """What traces that partition; None where nothing is traced."""
        if not self.tracing.on:
            return None
        topic = self.settings.topics.full_name(self.logic.input)
        return Traces(self.tracing, role=self.role, group=self.group, topic=topic, partition=partition)

    def at(self, partition: int) -> TopicPartition:
        """Return that partition of the input topic."""
        return TopicPartition(self.settings.topics.full_name(self.logic.input), partition)


def group_of(settings: Settings, role: str) -> str:
    """Return the consumer group of a role."""
    return f"{settings.topic_prefix}{role}"
