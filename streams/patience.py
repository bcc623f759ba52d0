"""Retries calls to servers that do not answer, with growing pauses, for as long as it takes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeVar

import structlog

from streams.errors import Unavailable

log = structlog.get_logger()

T = TypeVar("T")

FIRST_PAUSE = timedelta(milliseconds=100)
LONGEST_PAUSE = timedelta(seconds=5)
_DOUBLINGS = 16  # more than it takes from any first pause to the longest
_LOOK = timedelta(milliseconds=50)

FIRST_CONNECTION = "the first connection"
"""The initial ``trouble`` of a role that has not called any server yet."""


def pause_after(failures: int, *, first: timedelta = FIRST_PAUSE, longest: timedelta = LONGEST_PAUSE) -> timedelta:
    """Return the pause after that many failures in a row, from 1: ``first``, doubled with each further one."""
    return min(first * (1 << min(failures - 1, _DOUBLINGS)), longest)


async def until(met: Callable[[], Awaitable[bool]], *, within: timedelta, every: timedelta = _LOOK) -> None:
    """Poll ``met`` every ``every`` until it is true. Raises TimeoutError after ``within``."""
    async with asyncio.timeout(within.total_seconds()):
        while not await met():  # noqa: ASYNC110
            await asyncio.sleep(every.total_seconds())


class Patience:
    """Repeats calls until they are answered. ``trouble`` is the reason of the current wait, None if there is none.

    Each reason is logged once, not at every attempt.
    """

    def __init__(
        self,
        *,
        stopping: Callable[[], bool],
        sleep: Callable[[float], Awaitable[Any]] = asyncio.sleep,
        trouble: str | None = None,
        retried: tuple[type[Exception], ...] = (Unavailable,),
    ) -> None:
        """``stopping``: whether to give up. ``sleep`` takes seconds, and may return early when the service stops.
        ``retried``: the exceptions that mean that a server does not answer; all others are passed to the caller."""
        self._stopping = stopping
        self._sleep = sleep
        self._retried = retried
        self.trouble = trouble

    async def answered(self, call: Callable[[], Awaitable[T]]) -> T | None:
        """Return the call's result; None if the service stops meanwhile."""
        failures = 0
        while not self._stopping():
            try:
                result = await call()
            except self._retried as error:
                failures += 1
                await self.wait(str(error), pause_after(failures))
            else:
                self.trouble = None
                return result
        return None

    async def wait(self, why: str, pause: timedelta = LONGEST_PAUSE) -> None:
        """Pause once, with the reason as ``trouble``."""
        if self.trouble != why:
            log.warning("waiting", why=why)
        self.trouble = why
        await self._sleep(pause.total_seconds())
