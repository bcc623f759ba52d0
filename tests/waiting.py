"""Waiting in tests for what nobody tells of."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from streams import patience


async def until(met: Callable[[], bool], *, within: float = 60, every: float = 0.05) -> None:
    """Wait until it has come about, looking ``every`` so many seconds. Raises TimeoutError after ``within`` seconds."""

    async def looked() -> bool:
        return met()

    await patience.until(looked, within=timedelta(seconds=within), every=timedelta(seconds=every))
