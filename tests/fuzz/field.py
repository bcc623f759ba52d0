"""Where the drive takes place: topics of its own, the roles as processes, a careless producer, and a reader."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import uuid
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition

from deploy.local.place import free_port
from processors.settings import Settings
from streams.avro.codec import Codec
from streams.broker.provision import set_up
from streams.clock import to_millis
from streams.events import Touchpoint
from streams.processor.intake import partition_of
from streams.registry.registry import ConfluentRegistry
from streams.topics import MAX_EVENT_BYTES, Topics
from tests.chaos.stories import BEGIN, closing, one_for_each
from tests.chaos.watching import Seen, Watcher
from tests.fuzz.findings import as_kept
from tests.fuzz.shots import Shot
from tests.live.roles import Role

ORDINARY = "ordinary"
"""What the ids of ordinary customers begin with."""

WRITERS = json.dumps({name.rpartition(".")[2]: ["*"] for name in Topics().outcomes.records})
"""Odd outcomes come from everywhere, so that what reads them is tried."""

ROLES = ("journeys", "outreach", "view", "measure", "gateway")
_LATEST = 60
_END = timedelta(days=3)

Place = tuple[int, int]
"""Partition and offset of a touchpoint."""


class Hardened(Role):
    """A role that the drive keeps running. ``command`` instead of ``careline run``: for what is planted in it."""

    def __init__(self, name: str, env: Mapping[str, str], *, command: tuple[str, ...] = ()) -> None:
        super().__init__(name, env, wait=False)
        self._words = list(command)

    @property
    def code(self) -> int | None:
        """How it ended; None while it runs."""
        return None if self._process is None else self._process.returncode

    def forget(self) -> None:
        """Delete its log."""
        self._log.unlink(missing_ok=True)

    def _command(self) -> list[str]:
        if self._words:
            return self._words
        if self.name == "journeys":  # as it is, but that it signs what it writes and says what a record costs
            return [sys.executable, "-m", "tests.fuzz.holding", "journeys"]
        return super()._command()


class Field:
    """See the module."""

    def __init__(
        self, *, settings: Settings, env: Mapping[str, str], codec: Codec, registry: ConfluentRegistry,
        producer: AIOKafkaProducer, roles: dict[str, Hardened], mail: Path,
    ) -> None:  # fmt: skip
        self.settings = settings
        self.env = env
        self.codec = codec
        self.registry = registry
        self.roles = roles
        self.mail = mail
        self.now = BEGIN
        """How far the ordinary customers' time has come."""
        self.fired: dict[Place, tuple[int, int, Shot]] = {}
        """By place: the shot, with its batch and number. Of its value only what is needed to tell it is kept."""
        self.latest: deque[dict[str, Any]] = deque(maxlen=_LATEST)
        """The odd records that were fired last, as they are kept."""
        self._producer = producer
        self._topic = settings.topics.full_name(settings.topics.touchpoints)

    async def live(self, at: datetime, event: Touchpoint) -> None:
        """One touchpoint of an ordinary customer."""
        self.now = max(self.now, at)
        value = self.codec.encode(self.settings.topics.touchpoints, event)
        await self._producer.send(self._topic, key=event.customer_id.encode(), value=value, timestamp_ms=to_millis(at))

    async def fire(self, shot: Shot, *, batch: int, number: int) -> None:
        """One odd record. Raises what the broker refuses it with."""
        home = partition_of(shot.key or b"", self.settings.partitions)
        place = await self._producer.send_and_wait(
            self._topic, key=shot.key, value=shot.value, headers=shot.headers, timestamp_ms=to_millis(self.now),
            partition=(home + shot.astray) % self.settings.partitions,
        )  # fmt: skip
        self.latest.append(
            as_kept(self._topic, place.partition, place.offset, to_millis(self.now), shot.key, shot.headers, shot.value)
        )
        self.fired[place.partition, place.offset] = (batch, number, replace(shot, value=None, headers=[]))

    async def close_the_day(self) -> None:
        """A touchpoint of an ordinary customer on each partition, late enough for every timer before it."""
        at = self.now + _END
        for customer in one_for_each(self.settings.partitions, f"{ORDINARY}-closing"):
            await self.live(*closing(at, customer))
        await self.flush()

    async def flush(self) -> None:
        """Wait until the broker has everything."""
        await self._producer.flush()

    async def record(self, place: Place) -> ConsumerRecord | None:
        """The touchpoint at that place, or the first after it."""
        consumer = AIOKafkaConsumer(
            **self.settings.kafka_client(), enable_auto_commit=False, max_partition_fetch_bytes=64 << 20
        )
        await consumer.start()
        try:
            partition = TopicPartition(self._topic, place[0])
            consumer.assign([partition])
            consumer.seek(partition, place[1])
            async with asyncio.timeout(10):
                found: ConsumerRecord = await consumer.getone()
                return found
        except TimeoutError:
            return None
        finally:
            await consumer.stop()


class Lean(Watcher):
    """A reader of everything that keeps no giants, and of the odd customers only what they told."""

    async def __aenter__(self) -> Lean:
        await super().__aenter__()
        return self

    async def _run(self, consumer: AIOKafkaConsumer) -> None:
        while True:
            fetched = await consumer.getmany(timeout_ms=200, max_records=2_000)
            for tp, found in fetched.items():
                topic = self._topics[tp.topic]
                kept = self.records[topic.name, tp.partition]
                for raw in found:
                    seen = _seen_lean(topic.name, raw)
                    if seen is not None:
                        kept.append(seen)


def _seen_lean(topic: str, raw: ConsumerRecord) -> Seen | None:
    key = "" if raw.key is None else raw.key.decode(errors="replace")
    odd = not key.startswith(ORDINARY)
    if odd and topic not in ("touchpoints", "dead-letters", "journeys"):
        return None
    value = raw.value
    if odd and (topic != "touchpoints" or len(value or b"") > MAX_EVENT_BYTES):
        value = None if value is None else b""
    life = next((held.decode() for name, held in raw.headers if name == "chaos-life" and held is not None), "")
    kept = tuple(raw.headers) if topic == "dead-letters" else ()
    return Seen(topic, raw.partition, raw.offset, raw.timestamp, key, value, life, kept)


@asynccontextmanager
async def field(stack_env: Mapping[str, str], *, commands: Mapping[str, tuple[str, ...]]) -> AsyncIterator[Field]:
    """A field on a running stack with every role ready; whatever still runs of it is ended with the block."""
    mail = Path(stack_env["CARELINE_MAIL_DIR"])
    port = free_port(taken=set())
    env = {name: value for name, value in stack_env.items() if name != "CARELINE_MAIL_DIR"} | {
        "CARELINE_TOPIC_PREFIX": f"fuzz-{uuid.uuid4().hex[:8]}.",
        "CARELINE_TIME_SOURCE": "events",
        "CARELINE_KEEP_HISTORY": "true",
        "CARELINE_WRITERS": WRITERS,
        "CARELINE_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "CARELINE_GATEWAY_PORT": str(port),
        "CARELINE_LINK_SECRET": "a secret of the drive's",
        "CARELINE_CALLBACK_SECRET": "whsec_" + "ZnV6emluZyBpcyBmdW4gZm9yIGV2ZXJ5b25lIQ==",
        "CARELINE_WEBHOOK_SECRET": "whsec_" + "ZnV6emluZyBpcyBmdW4gZm9yIGV2ZXJ5b25lIQ==",
    }
    settings = Settings.from_environment(env)
    await set_up(settings, keep_history=True)
    async with AsyncExitStack() as stack:
        registry = ConfluentRegistry(settings)
        stack.push_async_callback(registry.close)
        codec = Codec(registry=registry, topics=settings.topics)
        await codec.prepare(*settings.topics.all())
        producer = AIOKafkaProducer(
            **settings.kafka_client(), linger_ms=5, compression_type="gzip", max_request_size=64 << 20,
            request_timeout_ms=60_000,
        )  # fmt: skip
        await producer.start()
        stack.push_async_callback(producer.stop)
        whole = {**os.environ, **env}
        roles = {name: Hardened(name, whole, command=commands.get(name, ())) for name in ROLES}
        try:
            for role in roles.values():
                await role.start()
            for role in roles.values():
                await role.until(lambda status, _: status == 200, "/readyz", within=120)
            yield Field(
                settings=settings, env=whole, codec=codec, registry=registry, producer=producer, roles=roles, mail=mail
            )
        finally:
            for role in roles.values():
                await role.kill()
                role.forget()
