"""The rules of out-of-stock save."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from processors.journey.playbook import GestureOffer, Rules
from streams.events import Purpose


@dataclass(frozen=True, slots=True, kw_only=True)
class StockRules(Rules):
    """What a customer is offered when an item is unavailable."""

    purpose: Purpose
    coupon: GestureOffer
    useful: timedelta

    def offers(self) -> Iterator[GestureOffer]:
        """Yield the coupon."""
        yield self.coupon

    def letters_are(self) -> Purpose:
        """Return the purpose that the playbook sets: the coupon may be marketing."""
        return self.purpose
