"""The cost of a million customers: memory, and the time until a killed worker has recovered them all.

The journeys topic is filled before the worker starts, with states from the pure core for a pool of seeded histories,
each repeated under as many customer ids as needed; committed offsets and the partition clock are set to what such a
worker would have left. Then the worker starts, owns everything, and is killed and restarted.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import OffsetAndMetadata

from deploy.local.place import free_port
from processors.playbook import load_playbook
from tests.benchmarks.folding import Folding, by_partition
from tests.benchmarks.ops import metrics_of, until_ready
from tests.benchmarks.programs import Program, ProgramFailed
from tests.benchmarks.rounds import Round, fresh, producer_of
from tests.benchmarks.stream import mixed
from tests.log_lines import entries

SIZES = (100_000, 1_000_000)
POOL = 2_000  # histories
LIVED = 12  # touchpoints per history, on average
_READY_WITHIN = 900.0
_SETTLES = 2.0  # s, so that the memory of the recovery is freed
_OWN = ("careline_processor_recovery_seconds_sum", "careline_processor_recovery_seconds_count")


async def measure(
    stack_env: Mapping[str, str], *, runs: int, sizes: Sequence[int] = SIZES, tell: Callable[[str], None]
) -> dict[str, list[dict[str, Any]]]:
    """The raw runs by number of customers; a run is a kill -9 and the start after it.

    ``ready_s`` is the time from the start of the new process until /readyz reports ready; ``recovery_s`` is the part
    from taking a partition to its first poll (the mean of all partitions, which recover in parallel).
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for size in sizes:
        async with fresh(stack_env) as round_:
            tell(f"{size:,} customers: writing their states")
            written = await _fill(round_, size)
            port = free_port(taken=set())
            found[str(size)] = []
            try:
                async with round_.journeys(port=port) as role:
                    await until_ready(role, port, within=_READY_WITHIN)
                    for run in range(runs):
                        tell(f"{size:,} customers, run {run + 1}: kill -9 and recover")
                        await role.kill()
                        result = await _start(role, port, size)
                        found[str(size)].append({"run": run + 1, **written, **result})
            except ProgramFailed as failure:
                found[str(size)].append({"run": len(found[str(size)]) + 1, "failed": str(failure)})
    return found


async def _start(role: Program, port: int, size: int) -> dict[str, Any]:
    before = len(role.log)
    began = time.monotonic()
    await role.start()
    await until_ready(role, port, within=_READY_WITHIN)
    ready = time.monotonic() - began
    await asyncio.sleep(_SETTLES)
    own, memory = await metrics_of(port, *_OWN), role.memory()
    keys = sum(entry["keys"] for entry in entries(role.log[before:], "partition_taken"))
    if keys != size:
        raise role.failure(f"recovered {keys} customers of {size}")
    return {
        "ready_s": round(ready, 2),
        "recovery_s": round(own[_OWN[0]] / max(own[_OWN[1]], 1), 2),
        "rss_mib": memory.now,
        "peak_mib": memory.peak,
        "cpu_s": round(role.cpu_seconds(), 2),
    }


async def _fill(round_: Round, size: int) -> dict[str, Any]:
    """Write the states and commit the offsets; returns the mean size of a state, in bytes."""
    pool, clock = await _pool(round_)
    topics = round_.settings.topics
    topic = topics.full_name(topics.journeys)
    total = await asyncio.to_thread(_write, round_, topic, pool, size, clock)
    tps = [TopicPartition(round_.touchpoints, number) for number in range(round_.settings.partitions)]
    consumer = AIOKafkaConsumer(
        **round_.settings.kafka_client(), group_id=round_.group, enable_auto_commit=False
    )  # fmt: skip
    try:
        await consumer.start()
        consumer.assign(tps)
        await consumer.commit({tp: OffsetAndMetadata(0, str(clock)) for tp in tps})
    finally:
        await consumer.stop()
    return {"customers": size, "state_bytes": round(total / size, 1), "histories": len(pool)}


def _write(round_: Round, topic: str, pool: list[tuple[bytes, bytes]], size: int, clock: int) -> int:
    producer, total = producer_of(round_.settings), 0
    for number, (key, value) in enumerate(rekeyed(pool, size)):
        producer.produce(topic, value, key, timestamp=clock)
        total += len(value)
        if number % 1_000 == 0:
            producer.poll(0)
        while len(producer) > 100_000:
            producer.poll(0.01)
    producer.flush()
    return total


async def _pool(round_: Round) -> tuple[list[tuple[bytes, bytes]], int]:
    """Encoded states of made-up customers with their ids, and the time (ms) of their last event."""
    settings, codec = round_.settings, round_.codec
    stream = mixed(events=POOL * LIVED, customers=POOL)
    wires = stream.encoded(settings, codec, published_at=0)
    pool: list[tuple[bytes, bytes]] = []
    clock = 0
    for part in by_partition(wires, settings.partitions):
        await codec.prepare(settings.topics.decisions, settings.topics.outreach, settings.topics.exposures)
        folding = Folding(
            topics=settings.topics, codec=codec, playbook=load_playbook(), partitions=settings.partitions
        )  # fmt: skip
        await folding.run(part)
        clock = max(clock, folding.clock.millis)
        pool += [(key.encode(), value) for key, value in folding.states.items()]
    for key, value in rekeyed(pool, len(pool)):
        state: Any = await codec.decode(value)
        if state.customer_id != key.decode() or codec.encode(settings.topics.journeys, state) != value:
            raise RuntimeError(f"the state of {key!r} is not what the codec writes")
    return pool, clock


def rekeyed(pool: Sequence[tuple[bytes, bytes]], size: int) -> Iterator[tuple[bytes, bytes]]:
    """``size`` customers with the pool's states in turn, each under its own id, as the codec would write them.

    The id in an encoded state comes after its length, and its first occurrence is replaced by one of the same length.
    """
    for number in range(size):
        key, value = pool[number % len(pool)]
        fresh_key = b"m%0*d" % (len(key) - 1, number)
        length = bytes([2 * len(key)])
        yield fresh_key, value.replace(length + key, length + fresh_key, 1)
