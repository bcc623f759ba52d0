"""Reads a role's readiness and metrics while it is measured."""

from __future__ import annotations

import asyncio
import time

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.benchmarks.programs import Program

_LOOK_EVERY = 0.1  # s


async def until_ready(program: Program, port: int, *, within: float, partitions: int | None = None) -> float:
    """Seconds until /readyz answers 200 and, if ``partitions`` is given, the role owns that many.

    Raises ProgramFailed if it ends before that, or takes longer than ``within`` seconds.
    """
    began = time.monotonic()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        while (waited := time.monotonic() - began) < within:
            program.check()
            try:
                if (await client.get("/readyz")).status_code == httpx.codes.OK:
                    waited = time.monotonic() - began
                    if partitions is None:
                        return waited
                    text = (await client.get("/metrics")).text
                    if _sum(text, "careline_processor_partitions_owned") == partitions:
                        return waited
            except httpx.TransportError:
                pass
            await asyncio.sleep(_LOOK_EVERY)
    raise program.failure(f"was not ready after {within:.0f} s")


async def metrics_of(port: int, *names: str) -> dict[str, float]:
    """The metrics' values by name, summed over their labels; 0 for a missing one."""
    async with httpx.AsyncClient(timeout=30) as client:
        text = (await client.get(f"http://127.0.0.1:{port}/metrics")).text
    return {name: _sum(text, name) for name in names}


def _sum(text: str, name: str) -> float:
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name
    )
