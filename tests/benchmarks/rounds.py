"""A round: fresh topics under a prefix of their own, the stream written into them, and gone afterwards."""

from __future__ import annotations

import gc
import os
import sys
import time
import uuid
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError as ClientError
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Producer, TopicPartition

import schemas
from processors.settings import Settings
from streams.avro.codec import Codec
from streams.broker.provision import set_up
from streams.clock import SystemClock, to_millis
from streams.registry.registry import ConfluentRegistry
from tests.benchmarks.programs import Program, ProgramFailed
from tests.benchmarks.stream import Stream, Wire

ROOT = Path(__file__).parent.parent.parent
_QUEUE = 200_000
_READ_WITHIN = 120.0  # s


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """The stack under a prefix that nobody else uses."""

    settings: Settings
    env: Mapping[str, str]
    """The whole environment of a role that runs in it."""
    codec: Codec

    @property
    def touchpoints(self) -> str:
        """The input topic's name on the broker."""
        return self.settings.topics.full_name(self.settings.topics.touchpoints)

    @property
    def group(self) -> str:
        """The journeys role's consumer group."""
        return f"{self.settings.topic_prefix}journeys"

    def journeys(self, *, instance: str = "0", port: int | None = None, **settings: str) -> Program:
        """The journeys role as a process; ``settings`` are further CARELINE_ variables, as ``time_source="wall"``."""
        more = {f"CARELINE_{name.upper()}": value for name, value in settings.items()}
        env = {**self.env, "CARELINE_TIME_SOURCE": "events", "CARELINE_INSTANCE": instance, **more}
        if port is not None:
            env["CARELINE_OPS_PORT"] = str(port)
        return Program("journeys", [sys.executable, "-m", "processors.cli", "run", "journeys"], env=env)

    async def schemas_by_id(self) -> dict[int, Any]:
        """The schemas of the touchpoints' topic as a reader meets them: by the ids in the records."""
        topics, registry = self.settings.topics, ConfluentRegistry(self.settings)
        try:
            return {
                await registry.id_of(topics.subject(topics.touchpoints, name), schemas.latest(name)): schemas.latest(
                    name
                )
                for name in topics.touchpoints.records
            }
        finally:
            await registry.close()

    def write(self, wires: Iterable[Wire]) -> float:
        """Write events in order, as fast as it goes; returns the seconds it took until the broker had them all."""
        began = time.monotonic()
        producer = producer_of(self.settings)
        for number, wire in enumerate(wires):
            producer.produce(
                self.touchpoints, wire.value, wire.key, timestamp=wire.at, headers=wire.headers, on_delivery=_check
            )
            if number % 1_000 == 0:
                producer.poll(0)
            while len(producer) > _QUEUE // 2:
                producer.poll(0.01)
        producer.flush()
        return time.monotonic() - began


def _check(error: Any, message: Any) -> None:
    if error is not None:
        raise RuntimeError(f"the stream could not be written: {error}")


def producer_of(settings: Settings, **more: Any) -> Producer:
    """A librdkafka producer that keeps order and partitions as the Java client does."""
    return Producer(
        {
            "bootstrap.servers": settings.kafka_bootstrap,
            "enable.idempotence": True,
            "partitioner": "murmur2_random",
            "compression.type": "lz4",
            "linger.ms": 5,
            "log_level": 3,  # errors; that a broker is still starting is none
            "queue.buffering.max.messages": _QUEUE,
            **more,
        }
    )


def held_customers(round_: Round, topic: str) -> int:
    """How many keys a state topic has values for, read-committed and to its end."""
    settings = round_.settings
    consumer = Consumer(
        {
            "bootstrap.servers": settings.kafka_bootstrap,
            "group.id": f"{settings.topic_prefix}check",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
        }
    )
    held: dict[bytes, bool] = {}
    left = settings.partitions
    consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in range(left)])
    until = time.monotonic() + _READ_WITHIN
    while left and time.monotonic() < until:
        for message in consumer.consume(10_000, timeout=1):
            if message.error() is None:
                held[message.key()] = message.value() is not None
            elif message.error().code() == KafkaError._PARTITION_EOF:
                left -= 1
            else:
                raise ProgramFailed(f"{topic} could not be read: {message.error()}")
    consumer.close()
    return sum(held.values())


@asynccontextmanager
async def fresh(stack_env: Mapping[str, str], *, partitions: int = 4) -> AsyncIterator[Round]:
    """Fresh topics and schemas; the topics are deleted at the end, so that rounds do not fill the disk."""
    env = {name: value for name, value in stack_env.items() if name != "CARELINE_MAIL_DIR"}
    env |= {"CARELINE_TOPIC_PREFIX": f"bench-{uuid.uuid4().hex[:8]}.", "CARELINE_PARTITIONS": str(partitions)}
    settings = Settings.from_environment(env)
    await set_up(settings, keep_history=True)
    registry = ConfluentRegistry(settings)
    codec = Codec(registry=registry, topics=settings.topics)
    try:
        await codec.prepare(settings.topics.touchpoints, settings.topics.journeys)
        here = {**os.environ, "PYTHONPATH": str(ROOT), **env}
        yield Round(settings=settings, env=here, codec=codec)
    finally:
        await registry.close()
        await _forget(settings)


async def _forget(settings: Settings) -> None:
    """Delete every topic that has the prefix in its name, also those that peers made for themselves."""
    admin = AIOKafkaAdminClient(**settings.kafka_client())
    try:
        await admin.start()
        prefix = settings.topic_prefix
        names = [name for name in await admin.list_topics() if prefix in name]
        await admin.delete_topics(names, timeout_ms=30_000)
    except ClientError:
        pass  # the stack goes down after this anyway, and its data with it
    finally:
        await admin.close()


class Encoded:
    """A stream's events on the wire, encoded once for all rounds: schema ids belong to a schema, not to a prefix."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self._ids: Sequence[int] = ()
        self._wires: list[Wire] = []

    async def wires(self, round_: Round) -> list[Wire]:
        """The events as the round's readers know them."""
        ids = sorted(await round_.schemas_by_id())
        if ids != self._ids:
            now = to_millis(SystemClock().now())
            self._wires = self.stream.encoded(round_.settings, round_.codec, published_at=now)
            self._ids = ids
            gc.freeze()  # a search through all of it for garbage would take a core while something is measured
        return self._wires
