"""How far a call has come, and so what an exception that nobody foresaw says about the letter."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import TracebackType
from typing import Self

import structlog

from processors.outreach.errors import Ambiguous, ChannelError, TryLater, Unsendable

log = structlog.get_logger()

_check: ContextVar[Callable[[], None] | None] = ContextVar("check", default=None)


@contextmanager
def checked(check: Callable[[], None]) -> Iterator[None]:
    """Every handover that begins within the block asks ``check`` before anything leaves: it raises NotNow if the letter
    may not leave any more, which takes minutes where a provider is slow to greet."""
    token = _check.set(check)
    try:
        yield
    finally:
        _check.reset(token)


class Handover:
    """A block in which a channel handles one letter. Only ChannelErrors come out of it.

    Whatever else is raised in it is judged by how far the call had come: nobody was called yet, so the letter itself
    is at fault (Unsendable); the provider is being called, and has nothing (TryLater); it may have the letter
    (Ambiguous). A cancellation of the task itself passes through.
    """

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self._called = False
        self._perhaps_left = False
        self._check = _check.get()

    @property
    def perhaps_left(self) -> bool:
        """Whether the customer may get the letter, whatever happens now."""
        return self._perhaps_left

    def called(self) -> None:
        """The letter is a message; from here on the provider is involved, and may fail for a while."""
        self._called = True

    def check(self) -> None:
        """Raises NotNow where the letter may not leave at this moment."""
        if self._check is not None:
            self._check()

    def leaving(self) -> None:
        """The provider is about to have all that it needs to deliver. Raises NotNow: it must not get it then."""
        self.check()
        self._called = self._perhaps_left = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if error is None or isinstance(error, ChannelError) or _is_ours(error):
            return
        log.error("a provider's call failed unexpectedly", provider=self._provider, exc_info=error)
        detail = type(error).__name__  # its words stay in the log: they may quote the letter
        if self._perhaps_left:
            raise Ambiguous(f"unexpected, with the provider: {detail}") from error
        if self._called:
            raise TryLater(f"unexpected, before the letter was sent: {detail}") from error
        raise Unsendable(f"no message can be made of the letter: {detail}") from error


def _is_ours(error: BaseException) -> bool:
    """The task was cancelled, or the process is to end: not the provider's doing. A library that raises
    CancelledError on its own does not end the call without a result."""
    if isinstance(error, asyncio.CancelledError):
        task = asyncio.current_task()
        return task is not None and task.cancelling() > 0
    return not isinstance(error, Exception)
