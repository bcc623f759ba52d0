"""Rules that the tests go by: of this policy, and of those that look at all policies together."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from processors.policies.response_watch.rules import ResponseClock, ResponseRules

RULES = ResponseRules(
    clocks={
        "CALL": ResponseClock(holding_after=timedelta(minutes=5), escalate_after=timedelta(minutes=15)),
        "default": ResponseClock(holding_after=timedelta(hours=1), escalate_after=timedelta(hours=4)),
    },
    holding_useful=timedelta(hours=4),
    escalate_to="care-leads",
    escalated_due=timedelta(hours=1),
    came_back_within=timedelta(days=3),
)

SECTION: dict[str, Any] = {
    "clocks": {
        "CALL": {"holding_after": "5m", "escalate_after": "15m"},
        "default": {"holding_after": "1h", "escalate_after": "4h"},
    },
    "holding_useful": "4h",
    "escalate_to": "care-leads",
    "escalated_due": "1h",
    "came_back_within": "3d",
}
"""Its section of a playbook file that has everything in it."""

REACHES = (
    "response_watch/escalation",
    "response_watch/came_back",
)
"""Tasks by which somebody of ours turns to the customer, and is told how."""

ESCALATES = ("response_watch/escalation",)
"""Tasks that name another which was left undone."""

NEED_NO_CONSENT = (
    "response_watch/escalation",
    "response_watch/came_back",
)
"""Tasks that answer the customer, or reach nobody."""

SHOWN = (
    "CALL 5 minutes 15 minutes",
    "A case that comes back within 3 days was not solved.",
)
"""What the page of that section says, its spaces single."""
