"""Rules that the tests go by: of this policy, and of those that look at all policies together."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from processors.journey.playbook import Budget
from processors.policies.agent_gestures.rules import AgentGestures

RULES = AgentGestures(
    budgets=(
        Budget(most=Decimal("50.00"), window=timedelta(days=1)),
        Budget(most=Decimal("80.00"), window=timedelta(days=30)),
    ),
    escalate_to="care-leads",
    escalated_due=timedelta(hours=24),
)

SECTION: dict[str, Any] = {
    "budgets": [{"most": "50.00", "window": "1d"}, {"most": "150.00", "window": "30d"}],
    "escalate_to": "care-leads",
    "escalated_due": "24h",
}
"""Its section of a playbook file that has everything in it."""

NEED_NO_CONSENT = ("agent_gestures/over_budget",)
"""Tasks that answer the customer, or reach nobody."""

SHOWN = ("150.00 USD 30 days",)
"""What the page of that section says, its spaces single."""
