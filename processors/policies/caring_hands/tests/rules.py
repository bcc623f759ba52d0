"""The rules used by the tests of this policy, and by the tests that cover all policies together."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from processors.policies.caring_hands.rules import CaringRules

RULES = CaringRules(share=0.01, seed="caring-hands", team="caring-hands", useful=timedelta(hours=8))


def eager(rules: CaringRules) -> CaringRules:
    """Return rules by which the policy acts on every contact."""
    return replace(rules, share=1.0)


SECTION: dict[str, Any] = {"share": 0.01, "seed": "hands", "team": "caring-hands", "useful": "8h"}
"""Its section of a playbook file that uses every section."""

REACHES = ("caring_hands/assigned",)
"""Tasks in which staff contact the customer, so that they name the ways to."""

NEED_NO_CONSENT = ("caring_hands/assigned",)
"""Tasks that answer the customer, or contact nobody."""

SHOWN = ("share 0.01",)
"""Lines of its section in ``careline playbook show``, with single spaces."""
