"""The rules used by the tests of this policy, and by the tests that cover all policies together."""

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
"""Its section of a playbook file that uses every section."""

REACHES = (
    "response_watch/escalation",
    "response_watch/came_back",
)
"""Tasks in which staff contact the customer, so that they name the ways to."""

ESCALATES = ("response_watch/escalation",)
"""Tasks that name an earlier one that was not done."""

NEED_NO_CONSENT = (
    "response_watch/escalation",
    "response_watch/came_back",
)
"""Tasks that answer the customer, or contact nobody."""

SHOWN = (
    "CALL 5 minutes 15 minutes",
    "A case that comes back within 3 days was not solved.",
)
"""Lines of its section in ``careline playbook show``, with single spaces."""
