"""Rules that the tests go by: of this policy, and of those that look at all policies together."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from processors.policies.caring_hands.rules import CaringRules

RULES = CaringRules(share=0.01, seed="caring-hands", team="caring-hands", useful=timedelta(hours=8))


def eager(rules: CaringRules) -> CaringRules:
    """By these it acts wherever it could: on every contact."""
    return replace(rules, share=1.0)


SECTION: dict[str, Any] = {"share": 0.01, "seed": "hands", "team": "caring-hands", "useful": "8h"}
"""Its section of a playbook file that has everything in it."""

REACHES = ("caring_hands/assigned",)
"""Tasks by which somebody of ours turns to the customer, and is told how."""

NEED_NO_CONSENT = ("caring_hands/assigned",)
"""Tasks that answer the customer, or reach nobody."""

SHOWN = ("share 0.01",)
"""What the page of that section says, its spaces single."""
