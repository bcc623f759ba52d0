"""What caring hands goes by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from processors.journey.playbook import Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class CaringRules(Rules):
    """The share of contacts that goes to the team with all the time in the world."""

    share: float
    seed: str
    team: str
    useful: timedelta
