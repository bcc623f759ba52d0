"""The same drive against plain Faust, for the record: `python -m tests.chaos.faust --guarantee exactly_once`.

Two workers count customers' events and are killed; what they wrote is read back read-committed. Right is: each event
told once, in order, and each customer's last count the number of their events.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import GroupCoordinatorNotAvailableError

from deploy.local import Stack
from processors.settings import Settings
from tests.alone import run_alone
from tests.chaos.faust_app import PREFIX

GUARANTEES = ("at_least_once", "exactly_once")
RATE = 400  # events a second
_CUSTOMERS = 200
_SHORTEST, _LONGEST = 3.0, 6.0  # seconds between kills
_JOINED_WITHIN = 60.0
_DRAIN_SECONDS = 45.0
_UNDISTURBED_SECONDS = 2.0  # behind the last kill
_LOOK_SECONDS = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FaustFigures:
    """What became of so many events."""

    guarantee: str
    kills: int
    events: int
    lost: int
    """Events that no output tells of."""
    duplicated: int
    """Outputs for an event that had one already."""
    order_breaks: int
    """First outputs of an event that stand behind that of a later event of the same customer."""
    wrong_states: int
    """Customers whose last told count is not the number of their events."""
    customers: int
    restarts: int
    """Ends of a worker that nobody asked for."""
    seconds: float


@dataclass(frozen=True, slots=True)
class Told:
    """One output as a read-committed reader sees it."""

    customer: str
    event: int
    number: int
    count: int


def figures(
    told: Sequence[Told], sent: Mapping[str, int], *, guarantee: str, kills: int, restarts: int, seconds: float
) -> FaustFigures:
    """Count what ``told`` makes of the events ``sent``, so many by customer; each customer's are numbered from 0."""
    events = sum(sent.values())
    times = Counter(output.event for output in told)
    latest: dict[str, int] = {}
    counts: dict[str, int] = {}
    seen: set[int] = set()
    breaks = 0
    for output in told:
        counts[output.customer] = output.count
        if output.event in seen:
            continue
        seen.add(output.event)
        breaks += output.number < latest.get(output.customer, -1)
        latest[output.customer] = max(output.number, latest.get(output.customer, -1))
    return FaustFigures(
        guarantee=guarantee,
        kills=kills,
        events=events,
        lost=events - len(times),
        duplicated=len(told) - len(times),
        order_breaks=breaks,
        wrong_states=sum(counts.get(customer) != count for customer, count in sent.items()),
        customers=len(sent),
        restarts=restarts,
        seconds=seconds,
    )


async def drive(stack: Stack, *, seed: int, kills: int, guarantee: str) -> FaustFigures:
    """Two workers, so many kills, 45 seconds at most to catch up. ``guarantee`` is one of GUARANTEES."""
    settings = Settings.from_environment(
        {name: value for name, value in stack.environment().items() if name != "CARELINE_MAIL_DIR"}
    )
    rng, began, name = random.Random(seed), time.monotonic(), f"chaos-faust-{uuid.uuid4().hex[:8]}"
    await _create(settings, f"{name}-events", f"{name}-told")
    async with AsyncExitStack() as entered:
        data = Path(entered.enter_context(tempfile.TemporaryDirectory(prefix="careline-faust-")))
        env = {
            **os.environ,
            f"{PREFIX}NAME": name,
            f"{PREFIX}BOOTSTRAP": settings.kafka_bootstrap.replace(",", ";kafka://"),
            f"{PREFIX}PARTITIONS": str(settings.partitions),
            f"{PREFIX}GUARANTEE": guarantee,
        }
        workers = [await entered.enter_async_context(_Worker(env, data / each)) for each in ("a", "b")]
        await _joined(settings, f"{name}-app", len(workers))
        sent: Counter[str] = Counter()
        feeding = asyncio.create_task(_feed(settings, f"{name}-events", sent, rng.randrange(1 << 30)))
        try:
            for _ in range(kills):
                until = time.monotonic() + rng.uniform(_SHORTEST, _LONGEST)
                while time.monotonic() < until:
                    await asyncio.sleep(0.2)
                    await _revive(workers)
                victim = rng.choice(workers)
                await victim.kill()
                await victim.start()
            await asyncio.sleep(_UNDISTURBED_SECONDS)
        finally:
            feeding.cancel()
            with suppress(asyncio.CancelledError):
                await feeding
        told = await _drained(settings, f"{name}-told", workers, sum(sent.values()))
        for worker in workers:
            await worker.kill()
        return figures(
            told,
            sent,
            guarantee=guarantee,
            kills=kills,
            restarts=sum(worker.revived for worker in workers),
            seconds=round(time.monotonic() - began, 1),
        )


class _Worker:
    """One Faust worker process, with a data directory of its own that outlives it."""

    def __init__(self, env: Mapping[str, str], data: Path) -> None:
        self._env = {**env, f"{PREFIX}DATA": str(data)}
        self._process: asyncio.subprocess.Process | None = None
        self.revived = 0

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.kill()

    @property
    def ended(self) -> bool:
        """Whether it is gone by itself."""
        return self._process is not None and self._process.returncode is not None

    async def start(self) -> None:
        """A new life."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.chaos.faust_app", "worker", "-l", "error", "--without-web",
            env=self._env, stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip

    async def kill(self) -> None:
        """SIGKILL."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGKILL)
            await self._process.wait()


async def _revive(workers: Sequence[_Worker]) -> None:
    for worker in workers:
        if worker.ended:
            worker.revived += 1
            await worker.start()


async def _create(settings: Settings, *topics: str) -> None:
    admin = AIOKafkaAdminClient(**settings.kafka_client())
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, settings.partitions, 1) for topic in topics])
    finally:
        await admin.close()


async def _joined(settings: Settings, group: str, members: int) -> None:
    """Wait until so many workers share the partitions: what goes wrong before is not the kills' doing."""
    admin = AIOKafkaAdminClient(**settings.kafka_client())
    await admin.start()
    try:
        async with asyncio.timeout(_JOINED_WITHIN):
            while await _stable_members(admin, group) < members:  # noqa: ASYNC110, there is no event for it
                await asyncio.sleep(0.5)
    finally:
        await admin.close()


async def _stable_members(admin: AIOKafkaAdminClient, group: str) -> int:
    try:
        (answer,) = await admin.describe_consumer_groups([group])
    except GroupCoordinatorNotAvailableError:  # a broker that was never asked for a group has yet to make its topic
        return 0
    ((error, _, state, _, _, found, *_),) = answer.groups
    return len(found) if not error and state == "Stable" else 0


async def _feed(settings: Settings, topic: str, sent: Counter[str], seed: int) -> None:
    """Events until cancelled, RATE a second; ``sent`` counts those that the broker has, by customer."""
    draw, number, began = random.Random(seed), 0, time.monotonic()
    async with AIOKafkaProducer(**settings.kafka_client(), enable_idempotence=True, linger_ms=5) as producer:
        while True:
            customer = f"customer-{draw.randrange(_CUSTOMERS)}"
            event = {"event": number, "number": sent[customer]}
            await producer.send(topic, key=customer.encode(), value=json.dumps(event).encode())
            sent[customer] += 1
            number += 1
            ahead = number / RATE - (time.monotonic() - began)
            if ahead > 0.02:
                await asyncio.sleep(ahead)


async def _drained(settings: Settings, topic: str, workers: Sequence[_Worker], events: int) -> list[Told]:
    """The outputs, once every event has one and no more come, or the time is up."""
    until, before = time.monotonic() + _DRAIN_SECONDS, -1
    while True:
        told = await _read(settings, topic)
        complete = len({output.event for output in told}) >= events
        if (complete and len(told) == before) or time.monotonic() > until:
            return told
        before = len(told)
        await _revive(workers)
        await asyncio.sleep(_LOOK_SECONDS)


async def _read(settings: Settings, topic: str) -> list[Told]:
    """All outputs that are committed, each partition in its order."""
    found: list[Told] = []
    async with AIOKafkaConsumer(
        **settings.kafka_client(),
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    ) as consumer:
        partitions = [TopicPartition(topic, number) for number in range(settings.partitions)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        ends = await consumer.end_offsets(partitions)
        empty = 0
        # an open transaction may hold the end back for as long as it likes: a reader cannot wait for it
        while empty < 3 and any([await consumer.position(tp) < end for tp, end in ends.items()]):
            fetched = await consumer.getmany(timeout_ms=500, max_records=5_000)
            empty = 0 if any(fetched.values()) else empty + 1
            found += [
                Told(record.key.decode(), **json.loads(record.value))
                for tp in partitions
                for record in fetched.get(tp, ())
            ]
    return found


def main() -> None:
    """Start a stack of its own, drive, print the figures as JSON."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.faust", description=__doc__)
    parser.add_argument("--guarantee", choices=GUARANTEES, required=True)
    parser.add_argument("--seed", type=int, default=1, help="(default: %(default)s)")
    parser.add_argument("--kills", type=int, default=7, help="(default: %(default)s)")
    run_alone(parser, lambda stack, given: drive(stack, seed=given.seed, kills=given.kills, guarantee=given.guarantee))


if __name__ == "__main__":
    main()
