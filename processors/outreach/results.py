"""The calls that the ledger requests, and their possible results. Any result can be recorded, whatever a provider
answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from processors.outreach.causes import Cause
from processors.outreach.channels import Letter
from processors.outreach.recordable import recordable
from streams.events import FailureReason, OutreachChannel, OutreachRequested


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliver:
    """A call that the performer has to make.

    ``perhaps_by``: an earlier call may have reached the customer on this idempotent channel. So no other channel is
    tried now, and a refusal counts as unknown. ``at``: the time of the call in event time; None: real time.
    ``cause``: for measurements.
    """

    request: OutreachRequested
    perhaps_by: OutreachChannel | None = None
    at: datetime | None = None
    cause: Cause | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """A provider accepted the letter. ``letter``: set for an agent task, which the ledger itself publishes."""

    channel: OutreachChannel
    provider: str
    message_id: str | None
    letter: Letter | None = None

    def __post_init__(self) -> None:
        _keep_recordable(self, "provider", "message_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The letter was not sent and never will be."""

    channel: OutreachChannel
    provider: str
    reason: FailureReason
    detail: str

    def __post_init__(self) -> None:
        _keep_recordable(self, "provider", "detail")


@dataclass(frozen=True, slots=True, kw_only=True)
class Postponed:
    """To be tried later: the letter was certainly not sent, or may safely be sent again (``perhaps_left``).

    ``in_line``: no provider was called, because of an open circuit or a rate limit; the letter's turn comes in
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
    """Nobody knows whether the letter was sent, and sending it again could send it twice."""

    channel: OutreachChannel
    provider: str
    detail: str

    def __post_init__(self) -> None:
        _keep_recordable(self, "provider", "detail")


@dataclass(frozen=True, slots=True, kw_only=True)
class Withheld:
    """No provider was called, because the letter may not be sent now: it is night, it expired, or it was retracted."""

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
