"""Out-of-stock save: if we do not have an item, we tell the customer who does."""

from __future__ import annotations

from processors.policies.out_of_stock_save.decisions import OutOfStockSave
from processors.policies.out_of_stock_save.rules import StockRules
from processors.policies.out_of_stock_save.section import StockSection
from processors.policies.plugin import Plugin

POLICY = Plugin(
    policy=OutOfStockSave(),
    package=__name__,
    rules=StockRules,
    section=StockSection,
    made=lambda section, currency: section.rules(currency),
    title="Out-of-stock save",
    rank=50,
    section_rank=60,
    when="an item that was asked for was not available",
    what="where else it is available, competitors included, and a coupon for next time; once per item",
)

__all__ = ["POLICY"]
