"""What the ledger asks for, and what may come of it. A result can always be recorded, whatever a provider said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from processors.outreach.channels import Letter
from processors.outreach.recordable import recordable
from streams.events import FailureReason, OutreachChannel, OutreachRequested


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliver:
    """What the performer is asked to do.

    ``perhaps_by``: an earlier call may have reached the customer by this channel, on which twice is once. So no other
    is tried now, and a no is not taken for an end. ``at``: the moment of the call in event time; None: real time
    counts.
    """

    request: OutreachRequested
    perhaps_by: OutreachChannel | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """A provider took it. ``letter``: as it was taken, where the ledger itself has to hand it on: an agent task."""

    channel: OutreachChannel
    provider: str
    message_id: str | None
    letter: Letter | None = None

    def __post_init__(self) -> None:
        _keep_recordable(self, "provider", "message_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """It did not leave and never will."""

    channel: OutreachChannel
    provider: str
    reason: FailureReason
    detail: str

    def __post_init__(self) -> None:
        _keep_recordable(self, "provider", "detail")


@dataclass(frozen=True, slots=True, kw_only=True)
class Postponed:
    """It certainly did not leave, or may safely be sent again (``perhaps_left``); later it may leave.

    ``in_line``: no provider was called, as it is left alone or it was not the letter's turn; its turn is in
    ``retry_after``.
    """

    channel: OutreachChannel
    provider: str
    detail: str
    retry_after: timedelta | None = None
    perhaps_left: bool = False
    in_line: bool = False

    def __post_init__(self) -> None:
        _keep_recordable(self, "provider", "detail")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """Nobody knows whether it left, and sending it again could be sending it twice."""

    channel: OutreachChannel
    provider: str
    detail: str

    def __post_init__(self) -> None:
        _keep_recordable(self, "provider", "detail")


@dataclass(frozen=True, slots=True, kw_only=True)
class Withheld:
    """Nobody was called, as it may not leave at this moment: it is night, too late, or it was taken back meanwhile."""

    channel: OutreachChannel
    provider: str
    detail: str
    perhaps_left: bool = False
    """An earlier call may have reached the customer."""

    def __post_init__(self) -> None:
        _keep_recordable(self, "provider", "detail")


Result = Delivered | Failed | Postponed | Unknown | Withheld


def _keep_recordable(result: Result, *names: str) -> None:
    for name in names:
        said = getattr(result, name)
        if said is not None:
            object.__setattr__(result, name, recordable(said))
