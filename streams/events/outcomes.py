"""The outcomes of an outreach, which are fed back as touchpoints. Each field is described in schemas/outcome/."""

from __future__ import annotations

from streams.events.facts import Fact
from streams.events.types import Engagement, FailureReason, OutreachChannel


class OutreachSent(Fact, frozen=True, kw_only=True, gc=False):
    """The provider accepted the outreach."""

    outreach_id: str
    channel: OutreachChannel
    provider: str
    provider_message_id: str | None = None


class OutreachFailed(Fact, frozen=True, kw_only=True, gc=False):
    """The outreach was not sent, and will not be."""

    outreach_id: str
    channel: OutreachChannel
    reason: FailureReason
    detail: str | None = None


class OutreachUncertain(Fact, frozen=True, kw_only=True, gc=False):
    """After a crash or a lost response it is unknown whether the outreach was sent; it is not sent again, staff may
    check."""

    outreach_id: str
    channel: OutreachChannel
    provider: str
    detail: str | None = None


class OutreachEngaged(Fact, frozen=True, kw_only=True, gc=False):
    """The customer reacted to an outreach."""

    outreach_id: str
    channel: OutreachChannel
    kind: Engagement
    detail: str | None = None
