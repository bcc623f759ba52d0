"""``python -m tests.chaos``: every fault, the planted bugs, the provider's side, and plain Faust for the record.

Writes `.careline/chaos/summary.json`. Ends with 1 if anything was lost, doubled, out of order or wrong,
if a zombie was seen, or if a planted bug was not noticed.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import logging
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from deploy.local import MissingError, StackError, running_stack, stack_environment
from tests.chaos.faults import FAULTS, Arena, Outcome
from tests.chaos.planted import PLANTED, noticed
from tests.chaos.summary import Summary, plain, row_of, side_tables, table
from tests.chaos.verdict import Verdict

HOME = Path(".careline/chaos")
OTHERS = ("bugs", "provider", "faust")
_RATE, _TIMERS = 600, 100_000
_WIDE = 170  # characters; of a file or a pipe
GUARANTEES = ("at_least_once", "exactly_once")

Tell = Callable[[str], None]


def main() -> int:
    """Run the requested parts; returns 0 if everything is correct."""
    asked = _arguments()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # we stop the broker ourselves, so this is not news
    summary = Summary(seed=asked.seed, asked_kills=asked.kills)
    names = asked.only or [*FAULTS, *OTHERS]
    if asked.only:
        summary.keep(HOME / "summary.json", but=names)
    console = Console(width=None if sys.stdout.isatty() else _WIDE)
    try:
        with running_stack(HOME / "stack", purge=True) as stack, bar(console, len(names)) as (tell, step):
            arena = Arena(
                stack=stack, env=stack_environment(HOME / "stack"), seed=asked.seed, kills=asked.kills,
                rate=asked.rate, timers=asked.timers,
            )  # fmt: skip
            for name in names:
                arena = replace(arena, tell=_about(name, tell))
                tell(f"{name}: begins")
                _one(name, arena, summary)
                step()
                summary.write(HOME / "summary.json")
    except (MissingError, StackError) as error:
        console.print(str(error), style="red")
        return 2
    console.print(table(summary))
    for name, by in summary.bugs.items():
        console.print(f"planted bug {name}: {'noticed, ' + by if by else 'NOT NOTICED'}")
    for shown in side_tables(summary):
        console.print(shown)
    console.print(f"The figures: {HOME / 'summary.json'}")
    console.print("A chart and a table of them, into docs/: python -m tests.chaos.chart")
    return 0 if summary.good else 1


def _one(name: str, arena: Arena, summary: Summary) -> None:
    command = f"make chaos ONLY={name} KILLS={arena.kills} SEED={arena.seed}"
    command += "" if arena.rate == _RATE else f" RATE={arena.rate}"
    command += "" if arena.timers == _TIMERS or name != "timer_storm" else f" TIMERS={arena.timers}"
    if name in FAULTS:
        began = time.monotonic()
        what = (FAULTS[name].__doc__ or "").strip().partition("\n")[0]
        outcome = asyncio.run(carried_out(name, arena))
        summary.rows.append(row_of(name, what, outcome, seconds=time.monotonic() - began, command=command))
    elif name == "bugs":
        for bug in PLANTED:
            arena.tell(bug)
            summary.bugs[bug] = asyncio.run(noticed(bug, arena))
    elif name == "provider":
        drive = _drive("tests.chaos.provider", arena.tell)
        if drive is not None:
            summary.provider = plain(asyncio.run(drive(arena.stack, seed=arena.seed, kills=arena.kills)))
    else:
        drive = _drive("tests.chaos.faust", arena.tell)
        for guarantee in GUARANTEES if drive is not None else ():
            figures = asyncio.run(drive(arena.stack, seed=arena.seed, kills=arena.kills, guarantee=guarantee))
            summary.faust[f"faust {guarantee}"] = plain(figures)


def _about(name: str, tell: Tell) -> Tell:
    return lambda what: tell(f"{name}: {what}")


async def carried_out(name: str, arena: Arena) -> Outcome:
    """The result of a fault; one that could not be carried out is a failure, and the next one is tried all the same."""
    try:
        return await FAULTS[name](arena)
    except Exception as error:
        traceback.print_exc()
        first = str(error).partition("\n")[0]
        return Outcome(
            count=0, verdict=Verdict(), failures=(f"not carried out: {type(error).__name__} {first}".strip(),)
        )


def _drive(module: str, tell: Tell) -> Any:
    try:
        return importlib.import_module(module).drive
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        tell(f"there is no {module}")
        return None


@contextmanager
def bar(console: Console, total: int) -> Iterator[tuple[Tell, Callable[[], None]]]:
    """A progress bar on a terminal, plain lines elsewhere."""
    if not console.is_terminal:
        began = time.monotonic()
        yield lambda what: print(f"{time.monotonic() - began:6.0f} s  {what}", flush=True), lambda: None
        return
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=total)
        yield lambda what: progress.update(task, description=what), lambda: progress.advance(task)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=30, help="of each kind of kill; other faults are a tenth of it")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--only", nargs="*", choices=[*FAULTS, *OTHERS], metavar="FAULT", help=", ".join([*FAULTS, *OTHERS])
    )
    parser.add_argument("--rate", type=int, default=_RATE, help="touchpoints a second")
    parser.add_argument("--timers", type=int, default=_TIMERS, help="due at once in timer_storm")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
