"""Validation of the out_of_stock_save section: what it rejects."""

from __future__ import annotations

from typing import Any

import pytest

from tests.playbook.good import is_told_where_it_is


@pytest.mark.parametrize(
    ("path", "value", "field", "problem"),
    [
        ("out_of_stock_save purpose", "GIFT", "out_of_stock_save.purpose", "MARKETING"),
        ("out_of_stock_save coupon cost", "5,00", "out_of_stock_save.coupon.cost", "not an amount"),
        ("out_of_stock_save coupon cost", True, "out_of_stock_save.coupon.cost", "true or false"),
        ("out_of_stock_save coupon cost", "1e3", "out_of_stock_save.coupon.cost", "another form"),
        ("out_of_stock_save coupon cost", "99999999999", "out_of_stock_save.coupon.cost", "not an amount"),
        ("out_of_stock_save coupon title en", None, "out_of_stock_save.coupon.title", "English"),
        ("out_of_stock_save coupon title german", "x", "out_of_stock_save.coupon.title.german", "not a locale"),
        ("out_of_stock_save coupon link", "https://a b", "out_of_stock_save.coupon.link", "not a link"),
        ("out_of_stock_save coupon link", "javascript:x", "out_of_stock_save.coupon.link", "not a link"),
    ],
)
def test_a_slip_is_told_where_it_is(path: str, value: Any, field: str, problem: str) -> None:
    """One mistake gives one message, with the field and what would be right."""
    is_told_where_it_is(path, value, field, problem)
