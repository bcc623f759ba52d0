"""What every fact about a customer carries, whoever publishes it."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct


class Fact(Struct, frozen=True, kw_only=True, gc=False):
    """A touchpoint or an outcome: ``event_id`` tells it from every other, whatever the number of copies."""

    event_id: str
    customer_id: str
    occurred_at: datetime
    source: str
