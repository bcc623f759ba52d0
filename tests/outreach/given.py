"""What the outreach tests start from: one delayed passenger, one letter, one moment."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from processors.outreach.channels import Letter
from streams.events import replace
from streams.events.outreach import OutreachRequested
from streams.events.types import OutreachChannel, Purpose

NOON = datetime(2026, 2, 8, 12, 0, tzinfo=UTC)
VARIABLES = {
    "name": "Ana",
    "description": "flight UA 571 from New York LaGuardia to Houston",
    "subject_kind": "flight",
    "promised_at": "2013-02-08T23:10:00+00:00",
    "expected_at": "2013-02-09T02:45:00Z",
    "reason": "WEATHER",
    "wait_minutes": "215",
    "gesture_title": "free wifi, and a book or film of your choice",
    "gesture_link": "https://care.example/g/abc?x=1&y=2",
    "previous_expected_at": "2013-02-09T01:45:00Z",
}
UNKNOWN = dict.fromkeys(
    ("name", "expected_at", "wait_minutes", "gesture_title", "gesture_link", "previous_expected_at"), ""
)


def outreach_id(number: int) -> str:
    """The same id for the same number."""
    return str(uuid5(UUID(int=0), str(number)))


def letter(number: int = 1, **changes: Any) -> Letter:
    """A letter about a delay; ``number`` makes it another one."""
    return dataclasses.replace(
        Letter(
            outreach_id=outreach_id(number),
            customer_id="customer-7",
            channel=OutreachChannel.EMAIL,
            address="ana@mail.example",
            subject="Your flight is running late",
            text="Hello Ana,\n\nyour flight is running late.\n",
            html="<p>Hello Ana,</p><p>your flight is running late.</p>",
            locale="en-US",
            policy="delay_care",
            template="delay_care/notice",
            journey_id="journey-1",
            why="We want you to hear it from us first.",
            requested_at=NOON,
            useful_until=NOON + timedelta(hours=3),
        ),
        **changes,
    )


def request(**changes: Any) -> OutreachRequested:
    """A request for a letter about the flight; ``variables`` are laid over the full ones."""
    variables = {**VARIABLES, **changes.pop("variables", {})}
    return replace(
        OutreachRequested(
            outreach_id=outreach_id(1),
            customer_id="customer-7",
            requested_at=NOON,
            decision_id=outreach_id(2),
            policy="delay_care",
            playbook_version="1",
            journey_id="journey-1",
            occasion="notice",
            purpose=Purpose.SERVICE,
            template="delay_care/notice",
            locale="en-US",
            time_zone="America/New_York",
            variables=variables,
            why="We want you to hear it from us first.",
            useful_until=NOON + timedelta(hours=3),
        ),
        **changes,
    )
