"""The rules of the policy on gestures of employees."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from processors.journey.playbook import Budget, Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentGestures(Rules):
    """What an employee may give without approval."""

    budgets: tuple[Budget, ...]
    escalate_to: str
    escalated_due: timedelta
