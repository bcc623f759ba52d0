"""The rules used by the tests of this policy, and by the tests that cover all policies together."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from processors.policies.mention_reply.rules import MentionRules

RULES = MentionRules(
    thanks_by="social-care",
    thanks_within=timedelta(hours=24),
    rescue_by="social-care",
    rescue_within=timedelta(hours=2),
    wide_reach=1000,
    wide_within=timedelta(minutes=30),
    escalate_to="care-leads",
    escalated_due=timedelta(hours=1),
)

SECTION: dict[str, Any] = {
    "thanks_by": "social-care",
    "thanks_within": "24h",
    "rescue_by": "social-care",
    "rescue_within": "2h",
    "wide_reach": 1000,
    "wide_within": "30m",
    "escalate_to": "care-leads",
    "escalated_due": "1h",
}
"""Its section of a playbook file that uses every section."""

REACHES = (
    "mention_reply/escalation",
    "mention_reply/rescue",
    "mention_reply/thank_you",
)
"""Tasks in which staff contact the customer, so that they name the ways to."""

ESCALATES = ("mention_reply/escalation",)
"""Tasks that name an earlier one that was not done."""

SHOWN = ("wide reach 1000",)
"""Lines of its section in ``careline playbook show``, with single spaces."""
