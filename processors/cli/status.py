"""`careline status`: how it is, on one screen."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated

import typer

from processors.cli.exits import Exit, ended, explained
from processors.settings import Settings
from processors.status.data import as_data, worst
from processors.status.findings import findings
from processors.status.look import SERVERS, look
from processors.status.seen import Seen
from processors.status.show import show
from processors.terminal import Screen, say_json


def status(
    seconds: Annotated[float, typer.Argument(metavar="[SECONDS]", min=0.5, help="With --watch: how often.")] = 2.0,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Look again and again, until Ctrl-C.")] = False,
    ops: Annotated[
        list[str] | None,
        typer.Option(
            "--ops", metavar="URL", help="The ops port of a worker, such as http://host:9101; may be repeated."
        ),
    ] = None,
    without: Annotated[
        list[str] | None,
        typer.Option("--without", metavar="SERVER", help="One that you do not use: redis or mail; may be repeated."),
    ] = None,
    within: Annotated[float, typer.Option(min=0.1, max=60, help="Seconds that each server has to answer.")] = 1.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Show how it is: servers, topics, schemas, workers, the last event, letters that wait, and what needs a person.

    It asks everything at once and changes nothing. Workers are found by their consumer groups; what only they know
    (ready, playbook, version, waiting letters) it reads at ops ports: CARELINE_OPS_PORT's, 9101 to 9105 of this
    machine, and those given with --ops.
    Exit codes: 0 all is well, 1 something needs a person, 2 a setting is wrong, 3 a server does not answer.

    Example: careline status --watch 5
    """
    servers = tuple(name for name in SERVERS if name not in (without or ()))
    if unknown := set(without or ()) - set(SERVERS):
        raise ended(f"--without: {', '.join(sorted(unknown))}: not one of {', '.join(SERVERS)}", Exit.WRONG)
    code = Exit.DONE
    with explained():
        settings = Settings.from_environment()
        while True:
            seen = asyncio.run(_look(settings, servers, ops or (), timedelta(seconds=within)))
            code = _code_of(seen)
            _tell(seen, as_json=as_json, watching=watch)
            if not watch:
                break
            time.sleep(seconds)
    if code is not Exit.DONE:
        raise typer.Exit(code)


async def _look(settings: Settings, servers: Sequence[str], ops: Sequence[str], limit: timedelta) -> Seen:
    # a client that a server which hangs did not let close in time reports that when it is collected: not to the person
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    return await look(settings, servers=servers, ops=ops, limit=limit)


def _tell(seen: Seen, *, as_json: bool, watching: bool) -> None:
    if as_json:
        say_json(as_data(seen), indent=None if watching else 2)
        return
    screen = Screen()
    if watching and screen.is_terminal:
        screen.clear()
    show(seen, screen)
    if watching and not screen.is_terminal:
        screen.print()


_CODES = {"well": Exit.DONE, "attention": Exit.FAILED, "away": Exit.UNAVAILABLE}


def _code_of(seen: Seen) -> Exit:
    return _CODES[worst(findings(seen))]
