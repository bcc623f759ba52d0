"""The rules used by the tests of this policy, and by the tests that cover all policies together."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from processors.policies.recovery.rules import RecoveryRules

RULES = RecoveryRules(
    csat_at_most=2,
    nps_at_most=6,
    ces_at_most=2,
    team="recovery",
    within=timedelta(hours=24),
    follow_up_after=timedelta(days=3),
    follow_up_every=timedelta(days=30),
    share_with="storytellers",
)

SECTION: dict[str, Any] = {
    "csat_at_most": 2,
    "nps_at_most": 6,
    "ces_at_most": 2,
    "team": "recovery",
    "within": "24h",
    "follow_up_after": "3d",
    "follow_up_every": "30d",
    "share_with": "storytellers",
}
"""Its section of a playbook file that uses every section."""

REACHES = ("recovery/recover",)
"""Tasks in which staff contact the customer, so that they name the ways to."""

NEED_NO_CONSENT = ("recovery/share",)
"""Tasks that answer the customer, or contact nobody."""

SHOWN = ("nps at most 6",)
"""Lines of its section in ``careline playbook show``, with single spaces."""
