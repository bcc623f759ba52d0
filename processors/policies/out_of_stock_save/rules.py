"""What out-of-stock save goes by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from processors.journey.playbook import GestureOffer, Rules
from streams.events import Purpose


@dataclass(frozen=True, slots=True, kw_only=True)
class StockRules(Rules):
    """What we do for somebody who could not have what they asked for."""

    purpose: Purpose
    coupon: GestureOffer
    useful: timedelta

    def offers(self) -> Iterator[GestureOffer]:
        """The coupon."""
        yield self.coupon

    def letters_are(self) -> Purpose:
        """As the playbook says: the coupon may be an offer."""
        return self.purpose
