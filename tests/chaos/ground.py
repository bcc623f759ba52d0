"""The ground of one drive: separate topics, a stream of touchpoints, a reader and workers; at the end, the verdict."""

from __future__ import annotations

import asyncio
import os
import sys
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from processors.settings import Settings
from streams.avro.codec import Codec
from streams.broker.provision import set_up
from streams.clock import to_millis
from streams.events import Touchpoint
from streams.registry.registry import ConfluentRegistry
from tests.chaos.crew import Worker
from tests.chaos.oracle import Oracle, identity_of
from tests.chaos.stories import BEGIN, Told, closing, one_for_each
from tests.chaos.verdict import Verdict, judge
from tests.chaos.watching import Seen, Watcher, everything

ROLE = "journeys"
_BEAT = 0.05
_SHOWN = 6_000  # characters of a log
_END = timedelta(days=3)


class Ground:
    """One drive. See :func:`ground`."""

    def __init__(
        self, *, settings: Settings, env: Mapping[str, str], codec: Codec, producer: AIOKafkaProducer, watcher: Watcher
    ) -> None:
        self.settings = settings
        self.env = env
        self.codec = codec
        self.watcher = watcher
        self.published = 0
        self.settled = False
        self.fails: Callable[[Any], bool] = lambda event: False
        """Whether the step of an event fails, so that the oracle expects a dead letter."""
        self.logs: dict[str, str] = {}
        """The workers' logs, if the verdict is not clean."""
        self._producer = producer
        self.workers: list[Worker] = []
        self._feeding: asyncio.Task[None] | None = None
        self._last = BEGIN

    # -- workers --------------------------------------------------------------------------------------------------

    def worker(self, instance: str, **settings: str) -> Worker:
        """A worker that is stopped at the end of the drive."""
        worker = Worker(self.env, instance=instance, **{"time_source": "events", **settings})
        self.workers.append(worker)
        return worker

    async def retire(self, *, kill: bool = False) -> None:
        """Stop all workers, cleanly if possible."""
        for worker in self.workers:
            if worker.code is None:
                with suppress(AssertionError, TimeoutError):
                    await (worker.kill() if kill else worker.stop())
                await worker.kill()

    def forget(self) -> None:
        """Delete the workers' logs."""
        for worker in self.workers:
            worker.forget()

    # -- input ----------------------------------------------------------------------------------------------------

    async def write(self, event: Touchpoint, at: datetime, *, partition: int | None = None) -> None:
        """Write one touchpoint, to its own partition or another."""
        value = self.codec.encode(self.settings.topics.touchpoints, event)
        await self.write_raw(event.customer_id.encode(), value, at, partition=partition)

    async def write_raw(self, key: bytes, value: bytes | None, at: datetime, *, partition: int | None = None) -> None:
        """Write raw bytes."""
        await self._producer.send(
            self.settings.topics.full_name(self.settings.topics.touchpoints),
            key=key, value=value, timestamp_ms=to_millis(at), partition=partition,
        )  # fmt: skip
        self.published += 1
        self._last = max(self._last, at)

    def feed(self, told: Iterator[Told], *, rate: int) -> None:
        """Write the touchpoints of ``told`` at ``rate`` a second, until :meth:`fed`."""
        self._feeding = asyncio.create_task(self._feed(told, rate), name="feed")

    async def fed(self) -> None:
        """Stop writing the stream, and wait until the broker has all of it. Raises the error of a failed write."""
        feeding, self._feeding = self._feeding, None
        if feeding is not None:
            feeding.cancel()
            with suppress(asyncio.CancelledError):
                await feeding
        await self._producer.flush()

    async def _feed(self, told: Iterator[Told], rate: int) -> None:
        began = time.monotonic()
        for written, (at, event) in enumerate(told, start=1):
            await self.write(event, at)
            ahead = written / rate - (time.monotonic() - began)
            if ahead > _BEAT:
                await asyncio.sleep(ahead)

    async def close_the_day(self, *, after: timedelta = _END) -> None:
        """Write a touchpoint to each partition, late enough for every timer to fire before it."""
        await self.fed()
        at = self._last + after
        for customer in one_for_each(self.settings.partitions, f"closing-{to_millis(at)}"):
            when, event = closing(at, customer)
            await self.write(event, when)
        await self._producer.flush()

    # -- the end --------------------------------------------------------------------------------------------------

    async def done(self, *, within: float = 120) -> bool:
        """Wait until every partition's committed offset is past all that was written; False if that takes too long."""
        until = time.monotonic() + within
        while time.monotonic() < until:
            with suppress(KafkaError, TimeoutError):
                await self.watcher.to_the_end(within=10)
                count = self.watcher.count
                if await self._committed():
                    await self.watcher.to_the_end(within=10)
                    if self.watcher.count == count:
                        return True
            await asyncio.sleep(0.3)
        return False

    async def verdict(self, *, within: float = 120, close: bool = True) -> Verdict:
        """End the day, wait until everything is handled, stop the workers, and compare the records with the oracle."""
        await (self.close_the_day() if close else self.fed())
        self.settled = await self.done(within=within)
        await self.retire()
        await self.watcher.to_the_end()
        afterwards = await everything(self.settings)
        topics = self.settings.topics
        oracle = Oracle(topics=topics, partitions=self.settings.partitions, codec=self.codec, fails=self.fails)
        for seen in afterwards.of(topics.touchpoints):
            await oracle.read(seen)

        async def identify(seen: Seen) -> str:
            return identity_of(await self.codec.decode(seen.value))

        async def recode(value: bytes) -> bytes:
            state: Any = await self.codec.decode(value)
            return self.codec.encode(topics.journeys, state)

        verdict = await judge(
            oracle.expected, self.watcher, afterwards, topics=topics, identify=identify, recode=recode
        )
        if not self.settled:
            verdict.late = f"not everything was handled after {within:.0f} s"
        if not verdict.clean and not any(worker.bug for worker in self.workers):
            self.logs = {worker.instance: worker.log for worker in self.workers}
        return verdict

    async def _committed(self) -> bool:
        name = self.settings.topics.touchpoints.name
        ends = {
            partition: found[-1].offset + 1
            for (topic, partition), found in self.watcher.records.items()
            if topic == name and found
        }
        offsets = await committed(self.settings)
        return all(offsets.get(partition, 0) >= end for partition, end in ends.items())


async def committed(settings: Settings) -> dict[int, int]:
    """The journeys role's committed offset by partition."""
    admin = AIOKafkaAdminClient(**settings.kafka_client())
    await admin.start()
    try:
        found = await admin.list_consumer_group_offsets(f"{settings.topic_prefix}{ROLE}")
        return {tp.partition: place.offset for tp, place in found.items()}
    finally:
        await admin.close()


@asynccontextmanager
async def ground(stack_env: Mapping[str, str]) -> AsyncIterator[Ground]:
    """A drive's ground on a running stack; anything that still runs at the end of the block is stopped."""
    addresses = {name: value for name, value in stack_env.items() if name != "CARELINE_MAIL_DIR"}
    env = addresses | {"CARELINE_TOPIC_PREFIX": f"chaos-{uuid.uuid4().hex[:8]}."}
    settings = Settings.from_environment(env)
    await set_up(settings, keep_history=True)
    async with AsyncExitStack() as stack:
        registry = ConfluentRegistry(settings)
        stack.push_async_callback(registry.close)
        codec = Codec(registry=registry, topics=settings.topics)
        await codec.prepare(*settings.topics.all())
        producer = AIOKafkaProducer(
            **settings.kafka_client(), enable_idempotence=True, linger_ms=5, compression_type="gzip",
            max_request_size=16 << 20, request_timeout_ms=60_000,
        )  # fmt: skip
        await producer.start()
        stack.push_async_callback(producer.stop)
        watcher = await stack.enter_async_context(Watcher(settings))
        made = Ground(settings=settings, env={**os.environ, **env}, codec=codec, producer=producer, watcher=watcher)
        try:
            yield made
        except BaseException:
            made.logs |= {worker.instance: worker.log for worker in made.workers}
            raise
        finally:
            await made.retire(kill=True)
            for instance, log in made.logs.items():
                sys.stderr.write(f"--- worker {instance} logged at the end:\n{log[-_SHOWN:]}\n")
            made.forget()
