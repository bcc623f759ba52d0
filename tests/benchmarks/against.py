"""The journeys role of this checkout against that of another one, in processor time per event.

``python -m tests.benchmarks.against OTHER`` plays the same mixed stream to both, on the same stack, each time on topics
of its own, and takes turns, so that whatever else the machine does hits both alike. ``OTHER`` is a checkout of this
project, such as a ``git worktree`` of the commit before a change; it runs with this checkout's virtual environment.
``--env NAME=VALUE`` sets a variable for this side only, and then ``OTHER`` may be this checkout.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import statistics
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.progress import track

from deploy.local import running_stack, stack_environment
from tests.benchmarks.machine import machine
from tests.benchmarks.rounds import ROOT, Encoded, fresh, held_customers
from tests.benchmarks.stream import SEED, mixed
from tests.benchmarks.watch import Timing, watch

HOME = ROOT / ".careline" / "against"


async def journeys_of(
    checkout: Path, stack_env: Mapping[str, str], encoded: Encoded, more: Mapping[str, str]
) -> Timing:
    """One run of the checkout's journeys role over the whole stream. Raises ProgramFailed."""
    async with fresh(stack_env) as round_:
        settings, events = round_.settings, len(encoded.stream.arrivals)
        await asyncio.to_thread(round_.write, await encoded.wires(round_))
        role = replace(round_, env={**round_.env, "PYTHONPATH": str(checkout), **more}).journeys()
        async with watch(settings, topic=round_.touchpoints, partitions=settings.partitions) as looking, role:
            timing = await looking.timed([role], group=round_.group, events=events)
        held = await asyncio.to_thread(held_customers, round_, settings.topics.full_name(settings.topics.journeys))
        if held != encoded.stream.customers:
            raise role.failure(f"holds {held} customers of {encoded.stream.customers}")
        return timing


def main() -> None:
    """Print each side's runs and medians, and the ratio of the medians."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.against", description=__doc__.partition("\n")[0])
    parser.add_argument("other", type=Path, help="the other checkout")
    parser.add_argument("--runs", type=int, default=5, help="of each side; medians are taken (default: 5)")
    parser.add_argument("--events", type=int, default=60_000)
    parser.add_argument("--customers", type=int, default=10_000)
    parser.add_argument("--env", action="append", default=[], metavar="NAME=VALUE", help="for this side only")
    asked = parser.parse_args()
    console = Console()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # a broker that has just started refuses a request or two
    more = dict(pair.split("=", 1) for pair in asked.env)
    sides = {"other": (asked.other.resolve(), {}), "this": (ROOT, more)}
    encoded = Encoded(mixed(events=asked.events, customers=asked.customers, seed=SEED))
    found: dict[str, list[Timing]] = {name: [] for name in sides}
    with running_stack(HOME, purge=True):
        env = stack_environment(HOME)
        for run in track(range(asked.runs), "Runs", console=console):
            for name in (list(sides), list(reversed(sides)))[run % 2]:
                checkout, extra = sides[name]
                found[name].append(asyncio.run(journeys_of(checkout, env, encoded, extra)))
    told = ", ".join(f"{name} {value}" for name, value in machine().items())
    console.print(f"{asked.events:,} events; {told}", markup=False)
    medians = {name: statistics.median(one.cpu_us for one in runs) for name, runs in found.items()}
    for name, runs in found.items():
        each = ", ".join(f"{one.cpu_us:.1f}" for one in runs)
        console.print(f"{name}: {medians[name]:.1f} µs of processor time an event [{each}]", markup=False)
    console.print(f"this / other: {medians['this'] / medians['other']:.3f}")


if __name__ == "__main__":
    os.chdir(ROOT)
    main()
