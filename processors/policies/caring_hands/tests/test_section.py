"""Validation of the caring_hands section: what it rejects."""

from __future__ import annotations

from typing import Any

import pytest

from tests.playbook.good import is_told_where_it_is


@pytest.mark.parametrize(
    ("path", "value", "field", "problem"),
    [
        ("caring_hands share", 1.5, "caring_hands.share", "from 0 to 1"),
        ("caring_hands share", -0.1, "caring_hands.share", "from 0 to 1"),
        ("caring_hands share", "1%", "caring_hands.share", "from 0 to 1"),
        ("caring_hands share", float("nan"), "caring_hands.share", "another form"),
        ("caring_hands share", float("inf"), "caring_hands.share", "another form"),
        ("caring_hands share", True, "caring_hands.share", "true or false"),
        ("experiments 0 seed", "hands", "experiments.0.seed", "the same customers"),
        ("caring_hands seed", "", "caring_hands.seed", "at least 1"),
    ],
)
def test_a_slip_is_told_where_it_is(path: str, value: Any, field: str, problem: str) -> None:
    """One mistake gives one message, with the field and what would be right."""
    is_told_where_it_is(path, value, field, problem)
