"""`careline demo`: a real snow-storm day through the whole backbone."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import shlex
import time
from pathlib import Path
from typing import Annotated

import typer

from deploy.local import Stack, running_stack
from deploy.local.processes import MARK
from deploy.local.progress import report_on, short
from deploy.local.stack import ROLE
from processors.cli.exits import Exit, explained
from processors.cli.stack import stack_explained
from processors.demo.run import Plan, Played, play
from processors.demo.show import Terminal
from processors.simulator import load_flights
from processors.terminal import Screen, say_json
from streams.errors import SettingsError

_DEFAULT_DAY = "2013-02-08"


def demo(
    date: Annotated[str, typer.Option(help="Any day of 2013.", metavar="YYYY-MM-DD")] = _DEFAULT_DAY,
    speed: Annotated[float, typer.Option(min=0, help="Times real time; 0: as fast as possible.")] = 2400,
    seed: Annotated[int, typer.Option(help="Seed of the made-up passengers and of the moments to kill roles at.")] = 1,
    kill: Annotated[int, typer.Option(min=0, help="How often to kill -9 the journeys and outreach roles.")] = 0,
    monitoring: Annotated[
        bool, typer.Option("--monitoring", help="Also start Prometheus and Alertmanager (from the PATH).")
    ] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Leave servers and roles running.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
    home: Annotated[
        Path, typer.Option(help="Where data, logs and the summary are kept.", envvar="CARELINE_DEMO_HOME")
    ] = Path(".careline/demo"),
) -> None:
    """Play a real day of flights from New York with made-up passengers, and count the results.

    It starts its own local stack (or uses the servers in the environment), runs the journeys, outreach, view and
    measure roles, publishes the day in event time, and reads every topic back. The figures are in
    .careline/demo/summary.json. Exit codes: 0 all went well, 1 something failed or a customer was forgotten,
    4 this machine lacks something.

    Example: careline demo --kill 10
    """
    console = Screen(stderr=as_json)
    screen = Terminal(console)
    with explained():
        day = _day(date)
        plan = Plan(day=day, flights=load_flights(day), seed=seed, speed=speed, kills=kill, keep=keep)
        stack_home = home / "stack"
        with stack_explained():
            Stack(stack_home).down(purge=True)  # a day starts with empty topics; so much for one that was kept
            with running_stack(stack_home, keep=keep, report=report_on(console), monitoring=monitoring) as stack:
                for part in (part for part in stack.status().parts if part.watches):
                    screen.say(f"{part.name.capitalize()} watches the roles: {part.address}")
                environment = stack.environment() | _prefix()
                mail = environment.pop("CARELINE_MAIL_DIR", None)
                played = asyncio.run(
                    play(
                        plan,
                        environment=environment | {MARK: stack.place.mark(ROLE)},
                        mail=Path(mail) if mail else None,
                        home=home,
                        screen=screen,
                    )
                )
                screen.result(played)
        if as_json:
            say_json(played.summary)
        screen.say(f"\nThe figures: {home / 'summary.json'}")
        if mail:
            screen.say(f"The letters: {short(Path(mail))}")
        if keep:
            _left_running(screen, played, environment, stack_home)
    summary = played.summary
    if summary["silent"] or summary["duplicates"] or summary["dead_letters"]:
        raise typer.Exit(Exit.FAILED)


def _left_running(screen: Terminal, played: Played, environment: dict[str, str], stack_home: Path) -> None:
    somebody = next(iter(sorted(customer for customer, _ in played.owed)), "ID")
    played_time = {"CARELINE_TIME_SOURCE": "events"}  # for whoever asks, now is when the day got so far
    exports = " ".join(f"{name}={shlex.quote(value)}" for name, value in (environment | played_time).items())
    screen.say("\nEverything is still running. To look at a customer, and to stop everything:\n")
    screen.say(f"  export {exports}")
    screen.say(f"  careline customer {somebody}")
    for name, url in played.urls.items():
        screen.say(f"  curl {url}/{'measurements' if name == 'measure' else 'metrics'}   # {name}")
    screen.say(f"  careline stack down --home {stack_home}")


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise SettingsError(f"--date: {text!r} is not a date; write one of 2013, such as 2013-07-22") from None


def _prefix() -> dict[str, str]:
    """On servers of somebody else's the topics have a prefix of this run, so that each day starts with empty ones."""
    if "CARELINE_TOPIC_PREFIX" in os.environ:
        return {"CARELINE_TOPIC_PREFIX": os.environ["CARELINE_TOPIC_PREFIX"]}
    if "CARELINE_KAFKA_BOOTSTRAP" in os.environ:
        return {"CARELINE_TOPIC_PREFIX": f"careline-demo-{int(time.time())}."}
    return {}
