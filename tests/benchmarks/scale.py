"""What a second worker gains, and what it costs one worker to own 32 partitions instead of 4.

Here the workers are ready and own their partitions before the first event is written, so that none has a head start.
The time starts with the first event written, and they read while events are being written. All runs of this part share
this, so they are comparable with one another but not with the throughput part.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import asdict
from typing import Any

from deploy.local.place import free_port
from tests.benchmarks.ops import until_ready
from tests.benchmarks.programs import ProgramFailed
from tests.benchmarks.rounds import Encoded, fresh
from tests.benchmarks.watch import watch

CASES = {"1_worker_4_partitions": (1, 4), "2_workers_4_partitions": (2, 4), "1_worker_32_partitions": (1, 32)}
"""Workers and partitions by name of the case; the first is the baseline."""

_READY_WITHIN = 90.0


async def measure(
    stack_env: Mapping[str, str], encoded: Encoded, *, runs: int, tell: Callable[[str], None]
) -> dict[str, list[dict[str, Any]]]:
    """The raw runs by case; a failed one has its error under ``failed``."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in CASES}
    for run in range(runs):
        for name, (workers, partitions) in CASES.items():
            tell(f"run {run + 1}: {name.replace('_', ' ')}")
            try:
                result = await _one(stack_env, encoded, workers=workers, partitions=partitions)
            except ProgramFailed as failure:
                result = {"failed": str(failure)}
            found[name].append({"run": run + 1, **result})
    return found


async def _one(stack_env: Mapping[str, str], encoded: Encoded, *, workers: int, partitions: int) -> dict[str, Any]:
    async with fresh(stack_env, partitions=partitions) as round_, AsyncExitStack() as stack:
        wires = await encoded.wires(round_)
        looking = await stack.enter_async_context(
            watch(round_.settings, topic=round_.touchpoints, partitions=partitions)
        )
        ports = [free_port(taken=set()) for _ in range(workers)]
        programs = [
            await stack.enter_async_context(round_.journeys(instance=str(number), port=port))
            for number, port in enumerate(ports)
        ]
        for program, port in zip(programs, ports, strict=True):
            await until_ready(program, port, within=_READY_WITHIN, partitions=partitions // workers)
        began = time.time()
        writing = asyncio.create_task(asyncio.to_thread(round_.write, wires))
        timing = await looking.timed(programs, group=round_.group, events=len(wires), began=began)
        return {**asdict(timing), "written_s": round(await writing, 2)}
