"""Why an outreach was not sent, classified by what the dispatcher may do next."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from processors.outreach.recordable import recordable
from streams.errors import CarelineError
from streams.events import FailureReason


class ChannelError(CarelineError):
    """A provider did not accept the letter. ``detail`` is its answer, escaped and shortened for the ledger; never the
    letter itself."""

    def __init__(self, detail: str) -> None:
        self.detail = recordable(detail)
        super().__init__(self.detail)


class Refused(ChannelError):
    """Not sent, permanently: an invalid address, or a final refusal."""

    reason: ClassVar[FailureReason] = FailureReason.REJECTED


class Unsendable(Refused):
    """Not sent, permanently on this channel: our own code cannot turn this letter into a message."""

    reason: ClassVar[FailureReason] = FailureReason.TEMPLATE


class TryLater(ChannelError):
    """Certainly not sent, but a retry may succeed. ``retry_after`` is what the provider asked for, if anything.

    ``answered``: the provider is healthy and the answer concerns this letter only, such as greylisting.
    """

    def __init__(self, detail: str, *, retry_after: timedelta | None = None, answered: bool = False) -> None:
        super().__init__(detail)
        self.retry_after = retry_after
        self.answered = answered


class CircuitOpen(TryLater):
    """The provider was not called because its circuit is open: another address may be tried meanwhile."""


class RateLimited(TryLater):
    """The provider was not called because of its rate limit: the letter's turn comes in ``retry_after``."""

    def __init__(self, detail: str, *, retry_after: timedelta) -> None:
        super().__init__(detail, retry_after=retry_after)
        self.place_in = retry_after


class NotNow(ChannelError):
    """Not sent because it may not be sent now; the provider was not the cause."""


class Ambiguous(ChannelError):
    """Nobody knows whether it was sent: the answer was lost. Retry only on an idempotent channel."""
