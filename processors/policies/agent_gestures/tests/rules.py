"""The rules used by the tests of this policy, and by the tests that cover all policies together."""

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
"""Its section of a playbook file that uses every section."""

NEED_NO_CONSENT = ("agent_gestures/over_budget",)
"""Tasks that answer the customer, or contact nobody."""

SHOWN = ("150.00 USD 30 days",)
"""Lines of its section in ``careline playbook show``, with single spaces."""
