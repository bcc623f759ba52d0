"""Microseconds per event by stage: the role's own stages without Kafka, and the rest of the role with Kafka."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from typing import Any

from processors.playbook import load_playbook
from tests.benchmarks.figures import middle
from tests.benchmarks.folding import STAGES, Folding, by_partition
from tests.benchmarks.rounds import Encoded, fresh

PARTITIONS = 4
REST = "Kafka client, transactions, event loop"


async def measure(
    stack_env: Mapping[str, str], encoded: Encoded, *, runs: int, tell: Callable[[str], None]
) -> list[dict[str, Any]]:
    """The raw runs: microseconds per event by stage, in one process that does nothing else."""
    found: list[dict[str, Any]] = []
    async with fresh(stack_env) as round_:
        topics = round_.settings.topics
        written = (topics.decisions, topics.outreach, topics.exposures)
        await round_.codec.prepare(topics.touchpoints, topics.journeys, *written)
        parts = by_partition(await encoded.wires(round_), PARTITIONS)
        events = sum(map(len, parts))
        for run in range(runs):
            tell(f"run {run + 1}: {events} events in process")
            foldings = [
                Folding(topics=topics, codec=round_.codec, playbook=load_playbook(), partitions=PARTITIONS)
                for _ in parts
            ]
            # the role collects garbage seldom, but here a collection would scan the whole stream in memory
            gc.disable()
            for folding, wires in zip(foldings, parts, strict=True):
                await folding.run(wires)
            gc.enable()
            stages = {stage: 1e6 * sum(one.seconds[stage] for one in foldings) / events for stage in STAGES}
            found.append(
                {
                    "run": run + 1,
                    **{stage: round(spent, 2) for stage, spent in stages.items()},
                    "states_per_event": round(sum(one.encoded["states"] for one in foldings) / events, 3),
                    "outputs_per_event": round(sum(one.encoded["outputs"] for one in foldings) / events, 3),
                }
            )
    return found


def table(runs: list[dict[str, Any]], throughput: list[dict[str, Any]]) -> dict[str, float]:
    """Medians by stage; with a throughput run of the role, also the rest of its processor time, and the sum."""
    found = {stage: round(spent, 2) for stage in STAGES if (spent := middle(runs, stage)) is not None}
    whole = middle(throughput, "cpu_us")
    if whole is not None and found:
        found[REST] = round(whole - sum(found.values()), 2)
        found["the role's processor time"] = round(whole, 2)
    return found
