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

FIRST_CONNECTION = "the first connection"
"""The initial ``trouble`` of a role that has not called any server yet."""


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
        """The call's result; None if the service stops meanwhile."""
        pause = FIRST_PAUSE
        while not self._stopping():
            try:
                result = await call()
            except self._retried as error:
                await self.wait(str(error), pause)
                pause = min(pause * 2, LONGEST_PAUSE)
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
