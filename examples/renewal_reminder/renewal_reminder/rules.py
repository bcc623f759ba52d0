"""What the renewal reminder goes by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from processors.journey.playbook import Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewalRules(Rules):
    """Which orders renew, and how long before it the customer hears of it."""

    kinds: tuple[str, ...]
    before: timedelta
