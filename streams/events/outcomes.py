"""What became of an outreach; fed back as touchpoints. Each field is described in schemas/outcome/."""

from __future__ import annotations

from streams.events.facts import Fact
from streams.events.types import Engagement, FailureReason, OutreachChannel


class OutreachSent(Fact, frozen=True, kw_only=True, gc=False):
    """The provider took the outreach."""

    outreach_id: str
    channel: OutreachChannel
    provider: str
    provider_message_id: str | None = None


class OutreachFailed(Fact, frozen=True, kw_only=True, gc=False):
    """The outreach did not leave, and will not."""

    outreach_id: str
    channel: OutreachChannel
    reason: FailureReason
    detail: str | None = None


class OutreachUncertain(Fact, frozen=True, kw_only=True, gc=False):
    """A crash or a lost answer hides whether the outreach left; it is not sent again, a person may look."""

    outreach_id: str
    channel: OutreachChannel
    provider: str
    detail: str | None = None


class OutreachEngaged(Fact, frozen=True, kw_only=True, gc=False):
    """The customer did something with an outreach."""

    outreach_id: str
    channel: OutreachChannel
    kind: Engagement
    detail: str | None = None
