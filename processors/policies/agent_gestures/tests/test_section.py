"""Validation of the agent_gestures section: what it rejects."""

from __future__ import annotations

from typing import Any

import pytest

from tests.playbook.good import is_told_where_it_is


@pytest.mark.parametrize(
    ("path", "value", "field", "problem"),
    [
        ("agent_gestures budgets", [], "agent_gestures.budgets", "at least 1"),
        ("agent_gestures budgets 0 most", "-1", "agent_gestures.budgets.0.most", "not below zero"),
        ("agent_gestures budgets 0 window", "31d", "agent_gestures.budgets.0.window", "at most 30d"),
        ("agent_gestures budgets 1 window", "24h", "agent_gestures.budgets.1.window", "stands twice"),
    ],
)
def test_a_slip_is_told_where_it_is(path: str, value: Any, field: str, problem: str) -> None:
    """One mistake gives one message, with the field and what would be right."""
    is_told_where_it_is(path, value, field, problem)
