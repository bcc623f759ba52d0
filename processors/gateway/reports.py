"""Turns a report or an unsubscribe request received over HTTP into an outcome. Pure."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from processors.letters.unsubscribe_links import Unsubscription
from streams.errors import InvalidEvent
from streams.events import Engagement, FailureReason, Outcome, OutreachChannel, OutreachEngaged, OutreachFailed
from streams.events.sources import GATEWAY, REPORTER

_NAMESPACE = uuid.UUID("9b0f1c1e-58f7-5c6b-a8e2-6c1f0a2f7d44")

CALLBACKS = "callbacks"
"""The reporter that signs with CARELINE_CALLBACK_SECRET, which may report anything."""

BOUNCED = "BOUNCED"
KINDS = ("DELIVERED", "OPENED", "CLICKED", "REPLIED", "REDEEMED", "UNSUBSCRIBED", "COMPLAINED", BOUNCED)
"""The kinds of outcomes that can be reported."""


LONGEST_NAME = 100
"""Characters of a field's name that an answer quotes."""


def _whole(text: str) -> str:
    if "\0" in text:
        raise ValueError("must not contain NUL characters")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError("must not contain a lone surrogate (half of a character)") from error
    return text


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("must be within the calendar in UTC too") from error


_Text = Annotated[str, AfterValidator(_whole)]


class _Report(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    outreach_id: uuid.UUID
    customer_id: Annotated[_Text, Field(min_length=1, max_length=256)]
    channel: OutreachChannel
    kind: _Text
    detail: Annotated[_Text, Field(max_length=2_000)] | None = None
    occurred_at: Annotated[AwareDatetime, AfterValidator(_in_utc)] | None = None


def unsubscribed(link: Unsubscription, now: datetime) -> OutreachEngaged:
    """The customer used the unsubscribe link of a letter. ``detail`` is the letter's purpose.

    A repetition on the same day (UTC) is the same fact, because mail programs and people click twice. On another day it
    is a new fact, because the customer may have opted in again in between.
    """
    return OutreachEngaged(
        event_id=str(uuid.uuid5(_NAMESPACE, f"unsubscribed/{link.outreach_id}/{link.channel}/{now.date()}")),
        customer_id=link.customer_id,
        occurred_at=now,
        source=GATEWAY,
        outreach_id=link.outreach_id,
        channel=link.channel,
        kind=Engagement.UNSUBSCRIBED,
        detail=link.purpose,
    )


def reported(body: Any, *, message_id: str, now: datetime, by: str = CALLBACKS) -> Outcome:
    """The outcome that a provider or shop reports in ``body`` (see docs/operating.md).

    The same ``message_id`` from the same reporter is the same fact. Raises InvalidEvent naming the field.
    """
    if not isinstance(body, dict):
        raise InvalidEvent("body", "is not a JSON object")
    try:
        report = _Report.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])[:LONGEST_NAME]
        raise InvalidEvent(field or "body", first["msg"]) from error
    if report.kind not in KINDS:
        raise InvalidEvent("kind", f"{report.kind[:LONGEST_NAME]!r} is not one of {', '.join(KINDS)}")
    facts: dict[str, Any] = {
        "event_id": str(uuid.uuid5(_NAMESPACE, _name(by, message_id))),
        "customer_id": report.customer_id,
        "occurred_at": report.occurred_at or now,
        "source": f"{REPORTER}{by}",
        "outreach_id": str(report.outreach_id),
        "channel": report.channel,
        "detail": report.detail,
    }
    if report.kind == BOUNCED:
        return OutreachFailed(**facts, reason=FailureReason.BOUNCED)
    return OutreachEngaged(**facts, kind=Engagement(report.kind))


def _name(by: str, message_id: str) -> str:
    return f"reported/{message_id}" if by == CALLBACKS else f"report/{by}/{message_id}"
