"""Waits for work in several threads so that Ctrl-C still works."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future, wait
from typing import Any

_LOOK = 0.2  # s


def finished(running: Iterable[Future[Any]]) -> None:
    """Wait until all are done. As soon as one fails, raises its exception; the others continue."""
    left = set(running)
    while left:
        # in short waits, because a wait without an end does not hear Ctrl-C everywhere
        done, left = wait(left, timeout=_LOOK, return_when="FIRST_EXCEPTION")
        for future in done:
            future.result()
