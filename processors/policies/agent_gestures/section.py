"""Validates the playbook section on gestures of employees."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from processors.playbook.sections import Budgets, Section, budgets
from processors.playbook.values import Slug, Some
from processors.policies.agent_gestures.rules import AgentGestures


class AgentGesturesSection(Section):
    """What an employee may give without approval."""

    budgets: Annotated[Budgets, Field(min_length=1)]
    escalate_to: Slug
    escalated_due: Some

    def rules(self) -> AgentGestures:
        """Return the policy's rules."""
        return AgentGestures(
            budgets=budgets(self.budgets), escalate_to=self.escalate_to, escalated_due=self.escalated_due
        )
