"""Gestures that employees give without approval, within a budget."""

from __future__ import annotations

from processors.policies.agent_gestures.decisions import GesturesOfAgents, knows
from processors.policies.agent_gestures.page import page
from processors.policies.agent_gestures.rules import AgentGestures
from processors.policies.agent_gestures.section import AgentGesturesSection
from processors.policies.plugin import Plugin

POLICY = Plugin(
    policy=GesturesOfAgents(),
    package=__name__,
    rules=AgentGestures,
    section=AgentGesturesSection,
    made=lambda section, currency: section.rules(),
    page=page,
    knows=knows,
    counts_gestures_of_staff=True,
    rank=70,
    section_rank=80,
    when="an employee gave something (`GestureGiven`)",
    what="nothing, within the budget; beyond it a lead is told, and the customer keeps the gesture",
)

__all__ = ["POLICY"]
