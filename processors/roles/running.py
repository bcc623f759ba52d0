"""A role as a process: its health and metrics over HTTP, its logs, signals, and an end in order."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from functools import partial
from typing import NoReturn

import structlog
import uvloop

import processors.metrics  # noqa: F401, so that every process shows the whole catalogue
from processors.roles.announcing import announced
from processors.roles.dependencies import Dependencies
from processors.roles.logs import logs_to
from processors.roles.role import Role
from processors.roles.standing import show
from processors.roles.tracing import traces_of
from processors.settings import Settings
from streams.errors import CarelineError
from streams.http.ops import OpsServer

log = structlog.get_logger()

STOP_WITHIN = timedelta(seconds=15)
"""What is not over by then is left as after a crash, and dealt with by the next start."""

_LOOK_SECONDS = 0.2
_COLLECT = (200_000, 20, 50)


def run(name: str, settings: Settings, make: Callable[[], Role]) -> None:
    """Run the role of that name until SIGTERM or Ctrl-C. ``make`` is called on the event loop. Raises what the role's
    start raises, and CarelineError when it fails."""
    logs_to(settings.log_level, role=name, instance=settings.instance, form=settings.log_format)
    traces = traces_of(name, instance=settings.instance, environ=os.environ)
    # Records and states hold no cycles and live long: looking through all of them again and again for garbage that
    # reference counts have taken already cost a tenth of the journeys' time.
    gc.freeze()
    gc.set_threshold(*_COLLECT)
    try:
        uvloop.run(_until_told(settings, make))
    finally:
        if traces is not None:
            traces.end()


async def _until_told(settings: Settings, make: Callable[[], Role]) -> None:
    role = make()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with Dependencies(role.name, role.servers, settings):
        await serve(role, ops_of(role, settings), stop=stop, announce=partial(announced, role.name, settings))


def ops_of(role: Role, settings: Settings) -> OpsServer:
    """What operators see of a role, from before its start to after its end: its health, and the whole catalogue."""
    host, port = settings.ops_host, settings.ops_port
    shows = partial(show, role)
    return OpsServer(host=host, port=port, live=role.broken, ready=role.waiting_for, shows=shows, routes=role.routes())


Announce = Callable[[int | None], AbstractContextManager[None]]


async def serve(
    role: Role, ops: OpsServer, *, stop: asyncio.Event, announce: Announce = lambda port: nullcontext()
) -> None:
    """Start the role, let operators see it, and end it in order once ``stop`` is set, also while it still waits for
    servers. Raises what its start raises, and CarelineError when it fails. A role that does not end ends the process.
    ``announce`` is given the ops port and tells others of it for as long as the role is served.
    """
    async with ops:
        with announce(ops.port):
            await _from_start_to_end(role, stop)


async def _from_start_to_end(role: Role, stop: asyncio.Event) -> None:
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


async def _end(role: Role) -> None:
    try:
        async with asyncio.timeout(STOP_WITHIN.total_seconds()):
            await role.stop()
    except TimeoutError:
        # the servers are gone; whatever was not committed is as after a crash, and dealt with by the next start
        log.error("not_stopped_in_time", role=role.name, seconds=STOP_WITHIN.total_seconds())
        os._exit(1)


async def _crash_of(role: Role) -> NoReturn:
    while not role.crashed:  # noqa: ASYNC110, mode has no event for it
        await asyncio.sleep(_LOOK_SECONDS)
    raise CarelineError(f"{role.name} failed: {role.crash_reason!r}")
