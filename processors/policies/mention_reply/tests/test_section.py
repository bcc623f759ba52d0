"""Validation of the mention_reply section: what it rejects."""

from __future__ import annotations

from typing import Any

import pytest

from tests.playbook.good import is_told_where_it_is


@pytest.mark.parametrize(
    ("path", "value", "field", "problem"),
    [
        ("mention_reply wide_reach", 0, "mention_reply.wide_reach", "greater than or equal to 1"),
        ("mention_reply wide_reach", True, "mention_reply.wide_reach", "true or false"),
        ("mention_reply wide_reach", "many", "mention_reply.wide_reach", "valid integer"),
        ("mention_reply wide_within", "3h", "mention_reply.wide_within", "rescue_within"),
        ("mention_reply thanks_by", "", "mention_reply.thanks_by", "not a valid name"),
    ],
)
def test_a_slip_is_told_where_it_is(path: str, value: Any, field: str, problem: str) -> None:
    """One mistake gives one message, with the field and what would be right."""
    is_told_where_it_is(path, value, field, problem)
