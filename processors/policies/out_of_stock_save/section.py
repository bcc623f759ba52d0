"""Validates the playbook section on out-of-stock save."""

from __future__ import annotations

from processors.playbook.sections import GestureSection, Section
from processors.playbook.values import Window
from processors.policies.out_of_stock_save.rules import StockRules
from streams.events import Purpose


class StockSection(Section):
    """Out-of-stock save."""

    purpose: Purpose
    coupon: GestureSection
    useful: Window

    def rules(self, currency: str) -> StockRules:
        """Return the policy's rules."""
        return StockRules(purpose=self.purpose, coupon=self.coupon.offer(currency), useful=self.useful)
