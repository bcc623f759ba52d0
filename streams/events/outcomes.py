"""What became of an outreach; fed back as touchpoints. Each field is described in schemas/outcome/."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from streams.events.types import Engagement, FailureReason, OutreachChannel


class OutreachSent(Struct, frozen=True, kw_only=True, gc=False):
    """The provider took the outreach."""

    event_id: str
    customer_id: str
    occurred_at: datetime
    source: str
    outreach_id: str
    channel: OutreachChannel
    provider: str
    provider_message_id: str | None = None


class OutreachFailed(Struct, frozen=True, kw_only=True, gc=False):
    """The outreach did not leave, and will not."""

    event_id: str
    customer_id: str
    occurred_at: datetime
    source: str
    outreach_id: str
    channel: OutreachChannel
    reason: FailureReason
    detail: str | None = None


class OutreachUncertain(Struct, frozen=True, kw_only=True, gc=False):
    """A crash or a lost answer hides whether the outreach left; it is not sent again, a person may look."""

    event_id: str
    customer_id: str
    occurred_at: datetime
    source: str
    outreach_id: str
    channel: OutreachChannel
    provider: str
    detail: str | None = None


class OutreachEngaged(Struct, frozen=True, kw_only=True, gc=False):
    """The customer did something with an outreach."""

    event_id: str
    customer_id: str
    occurred_at: datetime
    source: str
    outreach_id: str
    channel: OutreachChannel
    kind: Engagement
    detail: str | None = None
