"""`python -m tests.benchmarks`: runs all sides on one broker; prints medians, ratios first.

Writes .careline/bench/summary.json. `--quick` is for development: a tenth of everything, one run, written to
quick.json beside it.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from deploy.local import Stack, running_stack, stack_environment
from deploy.local.progress import report_on
from streams.clock import SystemClock
from tests.benchmarks import latency, million, scale, throughput, where_time_goes
from tests.benchmarks.installing import BENCH, classpath_of_java, python_for_peers
from tests.benchmarks.machine import machine
from tests.benchmarks.printed import print_summary
from tests.benchmarks.programs import ProgramFailed
from tests.benchmarks.rounds import Encoded
from tests.benchmarks.sides import SIDES
from tests.benchmarks.stream import SEED, mixed
from tests.benchmarks.summary import QUICK, SUMMARY, load, merged, save

Tell = Callable[[str], None]
Measure = Callable[[argparse.Namespace, Stack, Mapping[str, str], Encoded, Tell], Awaitable[Any]]


async def _throughput(
    args: argparse.Namespace, stack: Stack, env: Mapping[str, str], encoded: Encoded, tell: Tell
) -> Any:
    return await throughput.measure(env, encoded, runs=args.runs, sides=args.sides, tell=tell)


async def _where(args: argparse.Namespace, stack: Stack, env: Mapping[str, str], encoded: Encoded, tell: Tell) -> Any:
    return await where_time_goes.measure(env, encoded, runs=args.runs, tell=tell)


async def _latency(args: argparse.Namespace, stack: Stack, env: Mapping[str, str], encoded: Encoded, tell: Tell) -> Any:
    seconds, warm_up = (8, 5) if args.quick else (30, 10)
    return await latency.measure(env, runs=args.runs, seconds=seconds, warm_up=warm_up, tell=tell)


async def _scale(args: argparse.Namespace, stack: Stack, env: Mapping[str, str], encoded: Encoded, tell: Tell) -> Any:
    return await scale.measure(env, encoded, runs=args.runs, tell=tell)


async def _million(args: argparse.Namespace, stack: Stack, env: Mapping[str, str], encoded: Encoded, tell: Tell) -> Any:
    sizes = (10_000, 100_000) if args.quick else million.SIZES
    return await million.measure(env, runs=args.runs, sizes=sizes, tell=tell)


async def _letters(args: argparse.Namespace, stack: Stack, env: Mapping[str, str], encoded: Encoded, tell: Tell) -> Any:
    from tests.benchmarks import letters

    tell(f"{args.letters:,} letters, {args.runs} times")
    try:
        measured = asdict(await letters.measure(stack, letters=args.letters, runs=args.runs))
    except AssertionError as failure:
        return [{"run": 1, "failed": str(failure)}]
    rates, _ = measured.pop("runs"), measured.pop("letters_per_s")
    wrong = {name: measured[name] for name in ("order_breaks", "lost", "duplicated", "unsettled") if measured[name]}
    if wrong:  # a rate is invalid if the letters are not all there once and in order
        return [{"run": 1, "failed": str(wrong), **measured}]
    return [{"run": run, "letters_per_s": rate, **measured} for run, rate in enumerate(rates, start=1)]


PARTS: Mapping[str, tuple[str, Measure]] = {
    "throughput": ("events a second, against the peers", _throughput),
    "where_time_goes": ("microseconds by stage", _where),
    "latency": ("event to outreach request", _latency),
    "scale": ("workers and partitions", _scale),
    "million": ("a million customers", _million),
    "letters": ("letters a second", _letters),
}
"""The parts by name, in the order in which they are measured."""


def main() -> int:
    """Measure; returns the exit code: 1 if anything failed."""
    args = _arguments()
    console = Console()
    # a broker that has just started refuses a request or two, which the clients repeat
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    file = QUICK if args.quick else SUMMARY
    for made in (python_for_peers, classpath_of_java) if "throughput" in args.only else ():
        try:
            made()
        except ProgramFailed as failure:  # reported again, as a failure, by each side that needs it
            console.print(str(failure), markup=False)
    console.print(f"Making {args.events:,} events of {args.customers:,} customers ...", highlight=False)
    encoded = Encoded(mixed(events=args.events, customers=args.customers, seed=args.seed))
    # a separate stack, purged afterwards, so that measurements start empty
    with running_stack(BENCH / "stack", purge=True, report=report_on(console)) as stack:
        asyncio.run(_measure(args, stack, encoded, console))
    summary = load(file)
    print_summary(summary, console)
    console.print(f"Written to {file.relative_to(BENCH.parent.parent)}")
    return 1 if summary["failed"] else 0


async def _measure(args: argparse.Namespace, stack: Stack, encoded: Encoded, console: Console) -> None:
    file = QUICK if args.quick else SUMMARY
    env = stack_environment(stack.place.home)
    columns = SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=len(args.only))
        for part in args.only:
            title, measure = PARTS[part]

            def tell(what: str, title: str = title) -> None:
                progress.update(task, description=f"{title}: {what}")
                if not console.is_terminal:
                    console.print(f"{title}: {what}", highlight=False, markup=False)

            runs = await measure(args, stack, env, encoded, tell)
            measured = {
                "at": SystemClock().now().isoformat(timespec="seconds"),
                "machine": machine(),
                "seed": args.seed,
                "events": args.events,
                "customers": args.customers,
                "stream": encoded.stream.counts(),
                "runs": runs,
            }
            save(file, merged(load(file), part, measured))
            progress.advance(task)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="What the speed is.")
    parser.add_argument("--runs", type=int, help="of everything; medians are taken (default: 3, quick: 1)")
    parser.add_argument("--events", type=int, help="of the mixed stream (default: 300,000, quick: 30,000)")
    parser.add_argument("--customers", type=int, help="in the mixed stream (default: 50,000, quick: 5,000)")
    parser.add_argument("--letters", type=int, help="of the letters part (default: 5,000, quick: 500)")
    parser.add_argument("--seed", type=int, default=SEED, help=f"of the mixed stream (default: {SEED})")
    only, sides = ", ".join(PARTS), ", ".join(SIDES)
    parser.add_argument(
        "--only", nargs="+", choices=PARTS, default=list(PARTS), metavar="PART",
        help=f"measure only these, and replace only them in the summary: {only}",
    )  # fmt: skip
    parser.add_argument(
        "--sides", nargs="+", choices=SIDES, default=list(SIDES), metavar="SIDE",
        help=f"in throughput, only these: {sides}",
    )  # fmt: skip
    parser.add_argument("--quick", action="store_true", help="a tenth of everything, once; for development")
    args = parser.parse_args()
    defaults = {"runs": (3, 1), "events": (300_000, 30_000), "customers": (50_000, 5_000), "letters": (5_000, 500)}
    for name, (full, quick) in defaults.items():
        if getattr(args, name) is None:
            setattr(args, name, quick if args.quick else full)
    return args


if __name__ == "__main__":
    sys.exit(main())
