"""Validation of the recovery section: what it rejects."""

from __future__ import annotations

from typing import Any

import pytest

from tests.playbook.good import is_told_where_it_is


@pytest.mark.parametrize(
    ("path", "value", "field", "problem"),
    [
        ("recovery csat_at_most", 5, "recovery.csat_at_most", "less than or equal to 4"),
        ("recovery nps_at_most", 10, "recovery.nps_at_most", "less than or equal to 9"),
        ("recovery ces_at_most", -1, "recovery.ces_at_most", "greater than or equal to 0"),
        ("recovery follow_up_every", "60d", "recovery.follow_up_every", "at most 30d"),
        ("recovery follow_up_after", "31d", "recovery.follow_up_after", "at most 30d"),
    ],
)
def test_a_slip_is_told_where_it_is(path: str, value: Any, field: str, problem: str) -> None:
    """One mistake gives one message, with the field and what would be right."""
    is_told_where_it_is(path, value, field, problem)
