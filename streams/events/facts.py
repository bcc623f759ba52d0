"""The fields that all facts about a customer share."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct


class Fact(Struct, frozen=True, kw_only=True, gc=False):
    """A touchpoint or an outcome. ``event_id`` identifies it, however many copies there are."""

    event_id: str
    customer_id: str
    occurred_at: datetime
    source: str
