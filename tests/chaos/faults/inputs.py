"""Faults of the input and of sends: disorder, repeats, huge and misplaced records, refused sends."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from streams.config import Settings
from streams.topics import MAX_EVENT_BYTES, Topic
from tests.chaos.crew import Worker
from tests.chaos.faults.arena import Arena, Outcome
from tests.chaos.ground import Ground, ground
from tests.chaos.stories import BEGIN, Told, stream
from tests.chaos.watching import everything

_WINDOW = 200
_HELD = 2_000
_REFUSED_WITHIN = 30.0


def disordered(told: Iterator[Told], rng: random.Random) -> Iterator[Told]:
    """The same touchpoints out of order: shuffled within a window, some twice, some very late."""
    window: list[Told] = []
    held: list[Told] = []
    for one in told:
        window.append(one)
        if rng.random() < 0.15:
            window.append(one)
        if rng.random() < 0.05:
            held.append(one)
        if len(window) > _WINDOW:
            yield window.pop(rng.randrange(len(window)))
        if len(held) > _HELD // 20:
            yield held.pop(rng.randrange(len(held)))


async def disorder(arena: Arena) -> Outcome:
    """Shuffled, repeated and late touchpoints; one in twenty on the wrong partition."""
    rng = arena.rng("disorder")
    async with ground(arena.env) as here:
        workers = [here.worker(name) for name in ("a", "b")]
        for worker in workers:
            await worker.start()
        await asyncio.gather(*(worker.ready() for worker in workers))
        count = 20 * arena.rate
        for number, (at, event) in enumerate(disordered(stream(arena.seed), rng)):
            partition = rng.randrange(here.settings.partitions) if rng.random() < 0.05 else None
            await here.write(event, at, partition=partition)
            if number % arena.rate == 0:
                arena.tell(f"{number} of {count}")
                await asyncio.sleep(0.5)
            if number >= count:
                break
        verdict = await here.verdict()
    return Outcome(count=count, verdict=verdict)


async def unreadable(arena: Arena) -> Outcome:
    """Records that bypass every check: 3 MiB long, not Avro, no value, an unknown schema id."""
    rng = arena.rng("unreadable")
    async with ground(arena.env) as here:
        here.feed(stream(arena.seed), rate=arena.rate)
        worker = here.worker("a")
        await worker.start()
        await worker.ready()
        giant = b"\0\0\0\0\1" + b"a" * (3 * MAX_EVENT_BYTES)
        bad = (giant, b"no avro", b"", None, b"\0\0\0\0\1")
        for number in range(20):
            key = f"traveller-{rng.randrange(1, 300)}".encode()
            await here.write_raw(key, bad[number % len(bad)], BEGIN + timedelta(minutes=number))
            await asyncio.sleep(0.2)
        verdict = await here.verdict()
        reasons = Counter(
            value.decode()
            for seen in here.watcher.of(here.settings.topics.dead_letters)
            for name, value in seen.headers
            if name == "careline_dead_letter_reason"
        )
    failures = () if reasons["too_large"] == 4 else (f"four giants were written, dead letters say {dict(reasons)}",)
    return Outcome(count=20, verdict=verdict, notes={"dead_letters": dict(reasons)}, failures=failures)


async def refused_sends(arena: Arena) -> Outcome:
    """The broker refuses writes to one topic, for a few seconds at a time: transactions fail halfway."""
    times = max(1, arena.kills // 10)
    async with ground(arena.env) as here:
        here.feed(stream(arena.seed), rate=arena.rate)
        workers = [here.worker(name) for name in ("a", "b")]
        for worker in workers:
            worker.bug = arena.bug
            await worker.start()
        await asyncio.gather(*(worker.ready() for worker in workers))
        for number in range(times):
            await asyncio.sleep(2)
            async with refusing(here.settings, here.settings.topics.decisions):
                arena.tell(f"refused {number + 1} of {times}")
                await _aborted(workers)
                await asyncio.sleep(2)
        aborted = sum(worker.log.count("partition_lost") for worker in workers)
        verdict = await here.verdict()
    failures = () if aborted or arena.bug else ("nothing was refused",)
    return Outcome(count=times, verdict=verdict, notes={"aborted": aborted}, failures=failures)


async def _aborted(workers: list[Worker]) -> None:
    """Wait until each worker had to abort a transaction; not for ever, because one with a bug may never do so."""
    before = [worker.log.count("partition_lost") for worker in workers]
    with suppress(TimeoutError):
        async with asyncio.timeout(_REFUSED_WITHIN):
            while any(  # noqa: ASYNC110
                worker.log.count("partition_lost") == had for worker, had in zip(workers, before, strict=True)
            ):
                await asyncio.sleep(0.2)


@asynccontextmanager
async def refusing(settings: Settings, topic: Topic) -> AsyncIterator[None]:
    """For the duration of the block, the broker refuses every batch for the topic."""
    await configure(settings, topic, {"max.message.bytes": "100"})
    try:
        yield
    finally:
        await configure(settings, topic, {})


async def configure(settings: Settings, topic: Topic, changes: dict[str, str]) -> None:
    """Set the topic's settings to those of the contract, with these changes."""
    config = topic.config(keep_history=True) | changes
    admin = AIOKafkaAdminClient(**settings.kafka_client())
    await admin.start()
    try:
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, settings.topics.full_name(topic), config)])
    finally:
        await admin.close()


async def full_disk(arena: Arena) -> Outcome:
    """The worker's log cannot be written, because the device is full, and it logs more than usual."""
    async with ground(arena.env) as here:
        here.feed(stream(arena.seed), rate=arena.rate)
        worker = here.worker("a")
        worker.output = "/dev/full"
        await worker.start()
        await worker.ready()
        arena.tell("the log's device is full")
        for number in range(10):
            await here.write_raw(b"traveller-1", b"no avro", BEGIN + timedelta(minutes=number))
            await asyncio.sleep(0.3)
        async with refusing(here.settings, here.settings.topics.decisions):
            await asyncio.sleep(2)
        verdict = await here.verdict()
        ended = worker.code
    return Outcome(count=1, verdict=verdict, failures=() if ended in (None, 0) else (f"the worker ended with {ended}",))


async def compaction(arena: Arena) -> Outcome:
    """The broker compacts the states while they are written; then a new worker rebuilds them."""
    async with ground(arena.env) as here:
        topic = here.settings.topics.journeys
        await configure(here.settings, topic, {
            "segment.ms": "1000", "min.cleanable.dirty.ratio": "0.01", "max.compaction.lag.ms": "1000",
            "delete.retention.ms": "1000", "min.compaction.lag.ms": "0",
        })  # fmt: skip
        here.feed(stream(arena.seed), rate=arena.rate)
        worker = here.worker("a")
        await worker.start()
        await worker.ready()
        written, kept = await _compacted(here, arena)
        await worker.stop()
        fresh = here.worker("b")
        await fresh.start()
        await fresh.ready()
        await asyncio.sleep(3)
        verdict = await here.verdict()
    failures = () if kept < written else ("the broker compacted nothing",)
    return Outcome(count=1, verdict=verdict, notes={"states_written": written, "states_kept": kept}, failures=failures)


async def _compacted(here: Ground, arena: Arena) -> tuple[int, int]:
    """Wait until compaction has removed a third of the written states; returns how many were written and are left."""
    topic = here.settings.topics.journeys
    written = kept = 0
    for _ in range(20):
        await asyncio.sleep(4)
        kept = len((await everything(here.settings)).of(topic))
        written = len(here.watcher.of(topic))
        arena.tell(f"{kept} of {written} states are left")
        if written > 3_000 and kept < 0.66 * written:
            break
    return written, kept
