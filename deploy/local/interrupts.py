"""Signals turned into exceptions, so that what was started is always taken down."""

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
    """Endings and Ctrl-C are ignored: for a takedown, which is bounded in time and must not stop halfway."""
    with _handled(signal.SIG_IGN, (*_ENDINGS, signal.SIGINT)):
        yield


@contextlib.contextmanager
def _handled(handler: signal._HANDLER, numbers: tuple[signal.Signals, ...]) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        # Python delivers signals to the main thread alone, and lets no other set handlers.
        yield
        return
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, previous in before.items():
            # None is a handler that was not set from Python, and cannot be set back.
            signal.signal(number, signal.SIG_DFL if previous is None else previous)
