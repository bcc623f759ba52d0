"""Why an outreach did not leave, named by what the dispatcher may do next."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from processors.outreach.recordable import recordable
from streams.errors import CarelineError
from streams.events import FailureReason


class ChannelError(CarelineError):
    """A provider did not take the letter. ``detail`` is what it said, escaped and bounded for the ledger; never the
    letter itself."""

    def __init__(self, detail: str) -> None:
        self.detail = recordable(detail)
        super().__init__(self.detail)


class Refused(ChannelError):
    """It did not leave and never will: a bad address, or a final no."""

    reason: ClassVar[FailureReason] = FailureReason.REJECTED


class Unsendable(Refused):
    """It did not leave and never will by this channel: our own code cannot make a message of this letter."""

    reason: ClassVar[FailureReason] = FailureReason.TEMPLATE


class TryLater(ChannelError):
    """It certainly did not leave; later it may. ``retry_after`` is the provider's own wish, if it had one.

    ``answered``: the provider is well and spoke of this letter alone, as a mail server that knows no such mailbox yet.
    """

    def __init__(self, detail: str, *, retry_after: timedelta | None = None, answered: bool = False) -> None:
        super().__init__(detail)
        self.retry_after = retry_after
        self.answered = answered


class CircuitOpen(TryLater):
    """The provider was not called, as it failed again and again just now: another address may do meanwhile."""


class RateLimited(TryLater):
    """The provider was not called, as it gets so many letters and no more: there is a place in ``retry_after``."""

    def __init__(self, detail: str, *, retry_after: timedelta) -> None:
        super().__init__(detail, retry_after=retry_after)
        self.place_in = retry_after


class NotNow(ChannelError):
    """It did not leave, as it may not at this moment: the provider has no part in it."""


class Ambiguous(ChannelError):
    """Nobody knows whether it left: the answer was lost. Send again only where the channel is idempotent."""
