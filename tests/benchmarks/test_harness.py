"""The harness itself, on a stream so small that its figures mean nothing."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from tests.benchmarks import throughput, where_time_goes
from tests.benchmarks.folding import STAGES
from tests.benchmarks.programs import Program, ProgramFailed
from tests.benchmarks.rounds import Encoded
from tests.benchmarks.sides import JOURNEYS
from tests.benchmarks.stream import mixed
from tests.benchmarks.summary import merged

pytestmark = pytest.mark.live

EVENTS, CUSTOMERS = 1_600, 300


async def test_the_role_is_timed_and_its_stages_are(stack_env: dict[str, str]) -> None:
    """One round of the journeys role, every event committed and every customer held; then the stages without Kafka."""
    encoded = Encoded(mixed(events=EVENTS, customers=CUSTOMERS))
    said: list[str] = []
    sides = await throughput.measure(stack_env, encoded, runs=1, sides=[JOURNEYS], tell=said.append)
    [run] = sides[JOURNEYS]
    assert "failed" not in run, run
    assert (run["events"], run["offsets_written"]["dead_letters"]) == (EVENTS, 0)
    assert run["eps"] > 0
    assert run["cpu_us"] > 0
    stages = await where_time_goes.measure(stack_env, encoded, runs=1, tell=said.append)
    assert all(stages[0][stage] >= 0 for stage in STAGES)
    how: dict[str, Any] = {"seed": 4, "machine": {}, "at": "", "events": EVENTS, "customers": CUSTOMERS}
    summary = merged(merged({}, "throughput", {**how, "runs": sides}), "where_time_goes", {**how, "runs": stages})
    assert set(STAGES) < summary["microseconds"].keys()
    assert summary["failed"] == {}
    assert Counter(line.split(":")[0] for line in said) == {"run 1": 3}


async def test_a_program_that_ends_is_a_failure() -> None:
    """With the end of its log, which says why."""
    argv = ["sh", "-c", "echo no such thing >&2; exit 3"]
    async with Program("broken", argv, env={"PATH": "/bin:/usr/bin"}) as broken:
        with pytest.raises(ProgramFailed, match=r"(?s)code 3.*no such thing"):
            await _ended(broken)


async def _ended(program: Program) -> None:
    async with asyncio.timeout(10):
        while True:
            program.check()
            await asyncio.sleep(0.01)
