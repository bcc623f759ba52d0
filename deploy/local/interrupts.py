"""Turns signals into exceptions, so that whatever was started is always stopped."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

_ENDINGS = (signal.SIGTERM, signal.SIGHUP)


def _leave(number: int, frame: FrameType | None) -> None:
    del frame
    raise SystemExit(128 + number)


@contextlib.contextmanager
def endings_raised() -> Iterator[None]:
    """SIGTERM and SIGHUP raise SystemExit(128 + number) in the main thread, as Ctrl-C raises KeyboardInterrupt."""
    with _handled(_leave, _ENDINGS):
        yield


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Ignores these signals and Ctrl-C: for a shutdown, which takes limited time and must not stop halfway."""
    with _handled(signal.SIG_IGN, (*_ENDINGS, signal.SIGINT)):
        yield


@contextlib.contextmanager
def _handled(handler: signal._HANDLER, numbers: tuple[signal.Signals, ...]) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        # Python delivers signals to the main thread only, and no other thread may set handlers.
        yield
        return
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, previous in before.items():
            # None stands for a handler that was not set from Python, and cannot be restored.
            signal.signal(number, signal.SIG_DFL if previous is None else previous)
