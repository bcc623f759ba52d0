"""Tracks the progress of a provider call, to judge what an unexpected exception means for the letter."""

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
    """Every handover that begins within the block calls ``check`` before anything is sent. It raises NotNow if the
    letter may no longer be sent: connecting to a slow provider can take minutes."""
    token = _check.set(check)
    try:
        yield
    finally:
        _check.reset(token)


class Handover:
    """A block in which a channel handles one letter. It raises only ChannelErrors.

    Any other exception is translated by the progress of the call: before the provider was called, the letter itself is
    at fault (Unsendable); during the call, before the provider has the letter, TryLater; after that, Ambiguous. A
    cancellation of the task itself passes through.
    """

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self._called = False
        self._perhaps_left = False
        self._check = _check.get()

    @property
    def perhaps_left(self) -> bool:
        """Whether the provider may already have the letter."""
        return self._perhaps_left

    def called(self) -> None:
        """The message is ready and the provider is being called; from now on, failures may be the provider's."""
        self._called = True

    def check(self) -> None:
        """Raises NotNow if the letter may not be sent now."""
        if self._check is not None:
            self._check()

    def leaving(self) -> None:
        """The provider is about to receive the letter. Raises NotNow if the letter may not be sent now."""
        self.check()
        self._called = self._perhaps_left = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if error is None or isinstance(error, ChannelError) or _is_ours(error):
            return
        log.error("provider_call_failed", provider=self._provider, exc_info=error)
        detail = type(error).__name__  # its message is only logged: it may quote the letter
        if self._perhaps_left:
            raise Ambiguous(f"unexpected error during the call: {detail}") from error
        if self._called:
            raise TryLater(f"unexpected error before the letter was sent: {detail}") from error
        raise Unsendable(f"the letter cannot be turned into a message: {detail}") from error


def _is_ours(error: BaseException) -> bool:
    """Whether our task was cancelled or the process is ending. A CancelledError that a library raises by itself does
    not count: the call still gets a result."""
    if isinstance(error, asyncio.CancelledError):
        task = asyncio.current_task()
        return task is not None and task.cancelling() > 0
    return not isinstance(error, Exception)
