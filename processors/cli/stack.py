"""`careline stack`: the local stack, from the command line. What it does is in deploy.local."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from deploy.local import MissingError, Stack, StackError, State, Status
from deploy.local.monitoring import targets_of
from deploy.local.progress import report_on, short
from processors.cli.exits import Exit, ended
from processors.terminal import Screen, say, say_json

app = typer.Typer(
    help="The local stack: Kafka, schema registry, Redis and a mail server, on loopback; and Prometheus if wanted.",
    no_args_is_help=True,
)
Home = Annotated[
    Path | None,
    typer.Option(help="Where the stack keeps its data and logs.", envvar="CARELINE_HOME", show_default=".careline"),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


@contextmanager
def stack_explained() -> Iterator[None]:
    """As ``explained``, for what the local stack raises."""
    try:
        yield
    except MissingError as error:
        raise ended(error, Exit.ABSENT) from None
    except StackError as error:
        raise ended(error, Exit.FAILED) from None


Monitoring = Annotated[
    bool, typer.Option("--monitoring", help="Also start Prometheus and Alertmanager (from the PATH), with our rules.")
]


@app.command()
def up(home: Home = None, monitoring: Monitoring = False) -> None:
    """Start every server that is not running yet, and wait until all of them answer.

    Servers named in the environment are used as they are. Otherwise servers run on this machine; Kafka and the schema
    registry are fetched the first time (154 MB). CARELINE_STACK=docker runs containers instead.
    With --monitoring, Prometheus scrapes every role that is started with `careline stack env` and a CARELINE_OPS_PORT.
    Exit codes: 0 all answer, 1 a server did not start, 4 this machine lacks something.

    Example: careline stack up && eval "$(careline stack env)"
    """
    console = Screen()
    with stack_explained():
        stack = Stack(home, report=report_on(console), monitoring=monitoring)
        started = stack.up()
        console.print(
            "The stack is up." if started else "The stack is already running.",
            "Settings for other programs: careline stack env. To stop it: careline stack down.",
            soft_wrap=True,
        )
        for line in watched(stack):
            console.print(line, soft_wrap=True, highlight=False, markup=False)


def watched(stack: Stack) -> list[str]:
    """Where Prometheus and Alertmanager of a stack answer, and which roles they watch; [] without monitoring."""
    addresses = [f"{part.name.capitalize()}: {part.address}" for part in stack.status().parts if part.watches]
    if not addresses:
        return []
    roles = ", ".join(f"{name} at {address}" for name, address in targets_of(stack.place).items())
    return [
        *addresses,
        f"It watches {roles}."
        if roles
        else "No role has announced itself yet: each needs the "
        "settings of `careline stack env`, and CARELINE_OPS_PORT (0: any free port).",
    ]


@app.command()
def down(
    home: Home = None,
    purge: Annotated[bool, typer.Option("--purge", help="Also delete its data, mail and logs.")] = False,
) -> None:
    """Stop every server of the stack. Topics and schemas are kept for the next `up`.

    Exit codes: 0 nothing is running (any more), 1 a server could not be stopped.

    Example: careline stack down --purge
    """
    with stack_explained():
        ran = Stack(home).down(purge=purge)
        say(("The stack is stopped" if ran else "No stack was running") + (", its data deleted." if purge else "."))


@app.command()
def status(home: Home = None, as_json: Json = False) -> None:
    """Show which servers of the stack answer.

    Exit codes: 0 all answer, 3 some or all do not.

    Example: careline stack status --json
    """
    with stack_explained():
        stack = Stack(home)
        found = stack.status()
    if as_json:
        say_json(_as_data(found))
    elif not found.parts:
        say(f"There is no stack in {short(stack.place.home)}: start one with `careline stack up`.")
    else:
        for part in found.parts:
            where = f"  log: {short(part.log)}" if part.log else ""
            why = f"  ({part.why})" if part.why else ""
            say(f"{part.name:<12} {part.state:<14} {part.address}{where}{why}")
        for line in watched(stack)[-1:]:
            say(line)
    if not found.running:
        raise typer.Exit(Exit.UNAVAILABLE)


@app.command()
def env(home: Home = None, as_json: Json = False) -> None:
    """Print the settings that programs need to use the stack, as shell commands.

    Exit codes: 0 printed, 3 the stack is not running.

    Example: eval "$(careline stack env)"
    """
    with stack_explained():
        stack = Stack(home)
        found = stack.status()
        if not any(part.state is not State.STOPPED for part in found.parts):
            raise ended("The stack is not running: start it with `careline stack up`.", Exit.UNAVAILABLE)
        variables = stack.environment()
    if as_json:
        say_json(variables)
    else:
        for name, value in variables.items():
            say(f"export {name}={shlex.quote(value)}")


def _as_data(found: Status) -> dict[str, object]:
    parts = [
        {
            "name": part.name,
            "state": part.state.value,
            "address": part.address,
            "pid": part.pid,
            "log": str(part.log) if part.log else None,
            "why": part.why or None,
        }
        for part in found.parts
    ]
    return {"running": found.running, "mode": found.mode, "parts": parts}
