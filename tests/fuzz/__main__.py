"""``python -m tests.fuzz``: sends well-formed but extreme records of every type to the real roles, among ordinary ones.

Writes `.careline/fuzz/summary.json`, and beside it each record that did harm. Exits with 1 if anything was found.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from deploy.local import MissingError, StackError, running_stack, stack_environment
from tests.fuzz.drive import PATIENCE, Tell, drive
from tests.fuzz.findings import HOME, Summary


def main() -> int:
    """Run the drive; returns 0 if nothing was found."""
    asked = _arguments()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    console = Console(width=None if sys.stdout.isatty() else 120)
    shutil.rmtree(HOME / "findings", ignore_errors=True)
    try:
        with running_stack(HOME / "stack", purge=True), _bar(console, asked.minutes) as tell:
            summary = asyncio.run(
                drive(
                    stack_environment(HOME / "stack"), seed=asked.seed, minutes=asked.minutes, rate=asked.rate,
                    tell=tell, patience=asked.patience,
                )
            )  # fmt: skip
    except (MissingError, StackError) as error:
        console.print(Text(str(error), style="red"))
        return 2
    show(console, summary)
    console.print(f"The figures: {summary.write(HOME)}")
    return 0 if summary.good else 1


def show(console: Console, summary: Summary) -> None:
    """Print the summary for a person."""
    table = Table(title=f"Fuzzed for {summary.seconds:.0f} s, seed {summary.seed}", show_header=False)
    for name, what in (
        ("odd records", f"{summary.odd:,} of {len(summary.by_type)} types under {summary.schemas_taken} schemas"),
        ("schemas refused by the registry", f"{len(summary.schemas_refused):,}"),
        ("refused by the broker or the client", _counted(summary.refused_by_broker)),
        ("ordinary touchpoints", f"{summary.ordinary:,}, {summary.customers:,} customers, {summary.letters:,} letters"),
        ("dead letters", _counted(summary.dead_letters)),
        ("odd customers shown", f"{summary.odd_customers_shown:,}"),
        ("longest hold of a partition", f"{summary.longest_hold_seconds:.1f} s  {summary.longest_hold_at}"),
        (
            "most processor time for one record",
            ", ".join(f"{part} {spent:.1f} ms" for part, spent in _longest_first(summary)[:8]),
        ),
        ("findings", f"{len(summary.findings)}"),
    ):
        table.add_row(name, Text(what))
    console.print(table)
    types = Table(title="Odd records by type and by kind", show_header=False)
    types.add_row("by type", Text(_counted(summary.by_type)))
    types.add_row("by kind", Text(_counted(summary.by_kind)))
    console.print(types)
    for finding in summary.findings:
        console.print(Text(f"{finding.kind}: {_printable(finding.what)}", style="red"))
        if finding.record:
            shot = (
                f", shot {finding.shot} of batch {finding.batch} ({finding.label})"
                if finding.batch is not None
                else f" ({finding.label})"
            )
            console.print(Text(f"  the record: {finding.record}{shot}"))
    if summary.findings:
        console.print(f"All of it again: make fuzz MINUTES={summary.minutes:g} SEED={summary.seed}")
        console.print(
            "The records of a finding again: python -m tests.fuzz.again FILE (on servers named in the environment)"
        )


def _longest_first(summary: Summary) -> list[tuple[str, float]]:
    return sorted(summary.longest_cpu_ms.items(), key=lambda one: -one[1])


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in sorted(counts.items(), key=lambda one: -one[1])) or "none"


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() or letter == "\n" else repr(letter)[1:-1] for letter in text)


@contextmanager
def _bar(console: Console, minutes: float) -> Iterator[Tell]:
    """A progress bar on a terminal, a line every ten seconds elsewhere."""
    if not console.is_terminal:
        told = [-10.0]

        def line(seconds: float, what: str) -> None:
            if seconds - told[0] > 10 or "odd" not in what:
                told[0] = seconds
                print(f"{seconds:6.0f} s  {what}", flush=True)

        yield line
        return
    with Progress(
        BarColumn(), TimeElapsedColumn(), TextColumn("{task.description}"), console=console, transient=True
    ) as bar:
        task = bar.add_task("starting", total=60 * minutes)
        yield lambda seconds, what: bar.update(task, completed=seconds, description=what)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=int, default=100, help="ordinary touchpoints a second")
    parser.add_argument(
        "--patience", type=float, default=PATIENCE, help="seconds that one record may hold its partition"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
