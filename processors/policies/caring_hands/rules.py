"""The rules of caring hands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from processors.journey.playbook import Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class CaringRules(Rules):
    """The share of contacts that goes to the team without a time limit."""

    share: float
    seed: str
    team: str
    useful: timedelta
