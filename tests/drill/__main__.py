"""``python -m tests.drill``: faults on a real stack, under the eyes of a real Prometheus with the project's own rules.

Every duration in the rules is divided by one factor; nothing else is changed. Writes `.careline/drill/summary.json`.
Ends with 1 if an alert did not fire in time, notified although another one says more, fired without a reason, or did
not resolve; with 2 if the stack could not be started.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import time
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.table import Table

from deploy.local import MissingError, Stack, StackError, running_stack
from deploy.local.monitoring import ROUTES, RULES, monitoring_parts
from tests.chaos.__main__ import bar
from tests.chaos.summary import machine
from tests.drill.drive import drive, expected_of, row_of, rules_in
from tests.drill.faults import FAULTS, LATE
from tests.drill.scaled import scaled_routes, write_scaled
from tests.drill.scene import scene
from tests.drill.summary import SUMMARY, cells, kept, written
from tests.drill.watching import Observer

HOME = Path(".careline/drill")
FACTOR = 20
_WIDE = 170  # characters; of a file or a pipe


def main() -> int:
    """Drive the requested faults; returns 0 if the alerts did what they should."""
    asked = _arguments()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # we stop the broker ourselves, so this is not news
    names = asked.only or list(FAULTS)
    rules = rules_in(RULES)
    left_out = LATE if asked.busy else frozenset()
    expected = {name: expected_of(FAULTS[name], rules, factor=asked.factor) for name in names}
    home = HOME.absolute()
    (home / "files").mkdir(parents=True, exist_ok=True)
    write_scaled(RULES, home / "rules", asked.factor)
    routes = scaled_routes(yaml.safe_load(ROUTES.read_text(encoding="utf-8")), asked.factor)
    (home / "routes.yml").write_text(yaml.safe_dump(routes), encoding="utf-8")
    watchers = monitoring_parts(rules=home / "rules", routes=home / "routes.yml")
    console = Console(width=None if sys.stdout.isatty() else _WIDE)
    rows = kept(but=names, factor=asked.factor) if asked.only else []
    try:
        with (
            running_stack(home / "stack", purge=True, monitoring=True, watchers=watchers) as stack,
            bar(console, len(names)) as (tell, step),
        ):

            async def all_of_them(stack: Stack) -> None:
                where = {part.name: part.address for part in stack.status().parts}
                tell("the roles start")
                async with (
                    scene(stack, home / "files") as here,
                    Observer(
                        prometheus=where["prometheus"], alertmanager=where["alertmanager"], but=left_out
                    ) as observer,
                ):
                    for name in names:
                        began = time.monotonic()
                        judged = await drive(
                            FAULTS[name],
                            here,
                            observer,
                            expected[name],
                            tell=lambda what, name=name: tell(f"{name}: {what}"),
                        )
                        command = f"make drill ONLY={name}"
                        took = round(time.monotonic() - began, 1)
                        rows.append(
                            row_of(
                                name,
                                FAULTS[name],
                                judged,
                                rules,
                                left_out=sorted(left_out),
                                seconds=took,
                                command=command,
                            )
                        )
                        for failure in judged.failures:
                            tell(f"{name}: FAILED: {failure}")
                        written(rows, factor=asked.factor, machine=machine())
                        step()

            asyncio.run(all_of_them(stack))
    except (MissingError, StackError) as error:
        console.print(str(error), style="red")
        return 2
    console.print(_table(rows, asked.factor))
    console.print(f"The figures: {SUMMARY}. A table of them, into docs/: python -m tests.drill.table")
    return 1 if any(row["failures"] for row in rows) else 0


def _table(rows: list[dict[str, Any]], factor: int) -> Table:
    shown = Table(title=f"Alerts under faults; every duration of the rules divided by {factor}", show_footer=False)
    for name in ("fault", "alert", "for", "s to fire", "s to resolve", "suppressed", "also", "result"):
        shown.add_column(name, justify="right" if name.startswith(("for", "s ")) else "left")
    for row in rows:
        result = "; ".join(row["failures"]) or "right"
        shown.add_row(row["name"], *cells(row), result, style="bold red" if row["failures"] else None)
    return shown


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.drill", description=__doc__)
    parser.add_argument("--factor", type=int, default=FACTOR, help="that every duration of the rules is divided by")
    parser.add_argument(
        "--busy", action="store_true",
        help="the machine is busy with something else, so events are late anyway: leave out the alerts that say so",
    )  # fmt: skip
    parser.add_argument("--only", nargs="*", choices=FAULTS, metavar="FAULT", help=", ".join(FAULTS))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
