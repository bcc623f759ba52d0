"""Events per second: every side reads the same topic and the same bytes, one after another, round by round."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from tests.benchmarks.programs import ProgramFailed
from tests.benchmarks.rounds import Encoded, Round, fresh, held_customers
from tests.benchmarks.sides import JOURNEYS, SIDES, Side, job_of
from tests.benchmarks.stream import Stream
from tests.benchmarks.watch import Watch, watch

OUTPUTS = ("journeys", "decisions", "outreach", "dead_letters")


async def measure(
    stack_env: Mapping[str, str],
    encoded: Encoded,
    *,
    runs: int,
    sides: Sequence[str] = tuple(SIDES),
    tell: Callable[[str], None],
) -> dict[str, list[dict[str, Any]]]:
    """The raw runs of each side, in order; a failed one has its error under ``failed``.

    A round is a fresh topic that all sides read, one after another; the next round begins with the next side, so that
    none is always first on a cold machine.
    """
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in sides}
    for run in range(runs):
        async with fresh(stack_env) as round_:
            tell(f"run {run + 1}: writing the stream")
            written = round_.write(await encoded.wires(round_))
            async with watch(round_.settings, topic=round_.touchpoints, partitions=4) as looking:
                for at in range(len(sides)):
                    side = SIDES[sides[(at + run) % len(sides)]]
                    tell(f"run {run + 1}: {side.title}")
                    result = await _one(side, round_, looking, encoded.stream)
                    found[side.name].append({"run": run + 1, "written_s": round(written, 2), **result})
    return found


async def _one(side: Side, round_: Round, looking: Watch, stream: Stream) -> dict[str, Any]:
    events = len(stream.arrivals)
    try:
        async with job_of(side, round_) as job, side.program(job) as program:
            there = await looking.ends()
            if there != events:
                raise ProgramFailed(f"the topic has {there} records and not {events}: somebody wrote into it")
            timing = await looking.timed([program], group=job.group, events=events)
        held = await asyncio.to_thread(held_customers, round_, side.state_topic(job))
        if held != stream.customers:
            raise ProgramFailed(f"{side.title}: its state holds {held} customers of {stream.customers}")
    except ProgramFailed as failure:
        return {"failed": str(failure)}
    result: dict[str, Any] = asdict(timing)
    if side.name == JOURNEYS:
        topics = round_.settings.topics
        result["offsets_written"] = {
            name: await looking.ends(topics.full_name(getattr(topics, name))) for name in OUTPUTS
        }
    return result
