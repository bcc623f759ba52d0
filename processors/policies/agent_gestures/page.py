"""The section on gestures of employees in ``careline playbook show``: a table of the budgets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from processors.policies.agent_gestures.rules import AgentGestures
from processors.policies.pages import Block, Fields, Heading, budget_rows


def page(rules: AgentGestures, section: Mapping[str, Any], currency: str) -> Iterator[Block]:
    """Yield the blocks of the policy's section."""
    yield Heading("Agent gestures")
    yield budget_rows(rules.budgets, currency)
    yield Fields({name: value for name, value in section.items() if name != "budgets"})
