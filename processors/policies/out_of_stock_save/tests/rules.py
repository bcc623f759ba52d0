"""The rules used by the tests of this policy, and by the tests that cover all policies together."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from processors.journey.playbook import GestureOffer
from processors.policies.out_of_stock_save.rules import StockRules
from streams.events import Purpose

COUPON = GestureOffer(
    code="ten-percent",
    title={"en": "ten percent off", "de": "zehn Prozent"},
    cost=Decimal("5.00"),
    currency="USD",
    link="https://care.example/coupon",
)

RULES = StockRules(purpose=Purpose.MARKETING, coupon=COUPON, useful=timedelta(hours=48))

SECTION: dict[str, Any] = {
    "purpose": "MARKETING",
    "coupon": {"code": "coupon", "title": {"en": "ten percent off"}, "cost": "5.00"},
    "useful": "48h",
}
"""Its section of a playbook file that uses every section."""

SHOWN = ("ten percent off (coupon, 5.00)",)
"""Lines of its section in ``careline playbook show``, with single spaces."""
