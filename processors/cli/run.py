"""`careline run`: one role, in the foreground, until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import signal
import sys
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import structlog
import typer
import uvloop
from mode import Service

from processors.cli.exits import Exit, explained
from processors.terminal import clean_event
from streams.config import Settings
from streams.errors import CarelineError
from streams.http.ops import OpsServer

app = typer.Typer(
    help="Run one role in the foreground until Ctrl-C or SIGTERM: journeys, outreach, view, measure or gateway.",
    no_args_is_help=True,
)

Waiting = Callable[[], list[str]]

_LOOK_SECONDS = 0.2
_STOP_SECONDS = 15


@app.command()
def journeys() -> None:
    """Keep journey states up to date and decide who hears from us.

    Reads touchpoints; writes journeys, decisions and outreach.

    Example: CARELINE_OPS_PORT=9101 careline run journeys
    """
    with explained():
        from processors.playbook.apart import load_apart
        from processors.roles.journeys import journeys_role

        settings = Settings.from_environment()
        playbook = load_apart(settings.playbook)
        _run(settings, lambda: _processor(journeys_role(settings, playbook)))


@app.command()
def outreach() -> None:
    """Deliver requested outreach, each once: e-mail, signed webhooks, SMS, push, tasks for staff.

    Example: CARELINE_SMTP_URL=smtp://127.0.0.1:1025 careline run outreach
    """
    with explained():
        from processors.outreach.role import OutreachRole, channels_of
        from processors.playbook.apart import load_apart

        settings = Settings.from_environment()
        playbook = load_apart(settings.playbook)
        _run(settings, lambda: _processor(OutreachRole(settings, channels=channels_of(settings), playbook=playbook)))


@app.command()
def view() -> None:
    """Project journeys, touchpoints, decisions and outcomes to Redis, for `careline customer` and `careline tasks`.

    Example: careline run view
    """
    with explained():
        from processors.view.role import ViewRole

        settings = Settings.from_environment()

        def made() -> _Made:
            role = ViewRole(settings)
            return role, lambda: role.waiting_for, list, {}

        _run(settings, made)


@app.command()
def measure() -> None:
    """Count letters by policy and hour, and compare the satisfaction of customers written to and others (a Faust app).

    Example: CARELINE_OPS_PORT=9104 careline run measure
    """
    with explained():
        from processors.measure.role import MeasureRole

        settings = Settings.from_environment()

        def made() -> _Made:
            role = MeasureRole(settings)
            return role, lambda: role.waiting_for, list, {"/measurements": role.measurements}

        _run(settings, made)


@app.command()
def gateway() -> None:
    """Accept unsubscribe requests and providers' reports over HTTP.

    Example: CARELINE_PUBLIC_URL=https://care.example CARELINE_LINK_SECRET_FILE=/run/secrets/links careline run gateway
    """
    with explained():
        from processors.gateway.role import GatewayRole

        settings = Settings.from_environment()

        def made() -> _Made:
            role = GatewayRole(settings)
            return role, lambda: role.waiting_for, list, {}

        _run(settings, made)


_COLLECT = (200_000, 20, 50)

_Made = tuple[Service, Waiting, Waiting, Mapping[str, Callable[[], Any]]]


def _processor(role: Any) -> _Made:
    return role, role.waiting_for, role.broken, {}


def _run(settings: Settings, make: Callable[[], _Made]) -> None:
    logs_to(settings.log_level)
    # Records and states hold no cycles and live long: looking through all of them again and again for garbage that
    # reference counts have taken already cost a tenth of the journeys' time.
    gc.freeze()
    gc.set_threshold(*_COLLECT)
    uvloop.run(_serve(settings, make))


async def _serve(settings: Settings, make: Callable[[], _Made]) -> None:
    role, waiting_for, broken, routes = make()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    ops = OpsServer(host=settings.ops_host, port=settings.ops_port, live=broken, ready=waiting_for, routes=routes)
    async with ops:
        starting = asyncio.create_task(role.start())
        stopping = asyncio.create_task(stop.wait())
        crashed = asyncio.create_task(_crash_of(role))
        try:
            await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                await starting
                await asyncio.wait({stopping, crashed}, return_when=asyncio.FIRST_COMPLETED)
                if crashed.done():
                    await crashed
        finally:
            for task in (starting, stopping, crashed):
                task.cancel()
            await _end(role)


async def _end(role: Service) -> None:
    try:
        async with asyncio.timeout(_STOP_SECONDS):
            await role.stop()
    except TimeoutError:
        # the servers are gone; whatever was not committed is as after a crash, and dealt with by the next start
        structlog.get_logger().error("did not stop in time", role=role.label, seconds=_STOP_SECONDS)
        os._exit(Exit.FAILED)


async def _crash_of(role: Service) -> NoReturn:
    while not role.crashed:  # noqa: ASYNC110, mode has no event for it
        await asyncio.sleep(_LOOK_SECONDS)
    raise CarelineError(f"{role.label} failed: {role.crash_reason!r}")


def logs_to(level: str) -> None:
    """Structured lines for ourselves, warnings of the libraries among them."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            clean_event,
            structlog.dev.ConsoleRenderer(colors=False),
        ],
        logger_factory=lambda *_: _Lines(),
    )
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("aiokafka").setLevel(logging.ERROR)


class _Lines:
    """Standard output, each entry by itself. One that cannot be written (the disk is full) is dropped, and the role
    goes on: what it does for customers is worth more than what it says about it."""

    def msg(self, message: str) -> None:
        with contextlib.suppress(OSError):
            os.write(sys.__stdout__.fileno() if sys.__stdout__ is not None else 1, f"{message}\n".encode())

    debug = info = warning = error = critical = exception = msg
