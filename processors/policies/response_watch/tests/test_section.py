"""Validation of the response_watch section: what it rejects."""

from __future__ import annotations

from typing import Any

import pytest

from tests.playbook.good import is_told_where_it_is

CLOCK = {"holding_after": "1h", "escalate_after": "2h"}


@pytest.mark.parametrize(
    ("path", "value", "field", "problem"),
    [
        ("response_watch clocks CALL holding_after", "20m", "response_watch.clocks.CALL.escalate_after", "longer than"),
        ("response_watch clocks CALL holding_after", "15m", "response_watch.clocks.CALL.escalate_after", "longer than"),
        ("response_watch clocks CALL holding_after", "0m", "response_watch.clocks.CALL.holding_after", "than nothing"),
        ("response_watch clocks default", None, "response_watch.clocks", "`default`"),
        (
            "response_watch clocks FAX",
            {"holding_after": "1h", "escalate_after": "2h"},
            "response_watch.clocks.FAX",
            "CALL",
        ),
        ("response_watch escalate_to", "Care Leads", "response_watch.escalate_to", "as care-leads"),
        ("response_watch escalate_to", None, "response_watch.escalate_to", "is missing"),
        ("response_watch came_back_within", "31d", "response_watch.came_back_within", "at most 30d"),
    ],
)
def test_a_slip_is_told_where_it_is(path: str, value: Any, field: str, problem: str) -> None:
    """One mistake gives one message, with the field and what would be right."""
    is_told_where_it_is(path, value, field, problem)
