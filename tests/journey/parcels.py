"""A shop's customer: parcels that take days, and rules that fit them."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

from processors.journey.playbook import Playbook
from processors.policies.promise_watch.rules import PromiseRules
from streams.events import (
    CancelledBy,
    DelayNoticed,
    DelayReason,
    OrderCancelled,
    OrderDelivered,
    OrderPlaced,
    OrderShipped,
    ParcelItem,
)
from tests.journey.given import TODAY, WAITS, facts, tuned, waits

DAY = timedelta(days=1)


def noon(day: int) -> datetime:
    """Noon, so many days from today."""
    return TODAY + timedelta(days=day, hours=12)


FRIDAY = datetime(2026, 2, 13, 23, 59, 59, tzinfo=UTC)
"""The end of the day for which everything is promised."""

PARCELS = dataclasses.replace(
    WAITS.kinds["default"],
    open_ended_useful=2 * DAY,
    cancelled_useful=7 * DAY,
    lapse=21 * DAY,
    update_every=2 * DAY,
    ended_useful=DAY,
    together=timedelta(minutes=10),
    unannounced_after=DAY,
)


def shop(**changes: Any) -> Playbook:
    """The playbook of a shop; ``changes`` to how it treats parcels."""
    parcels = waits(default=dataclasses.replace(PARCELS, **changes))
    return tuned(parcels, PromiseRules(team="order-care", within=DAY), quiet_hours=None)


TODAYS_NOON = noon(0)


def ordered(order: str = "A1", when: datetime = TODAYS_NOON, **changes: Any) -> OrderPlaced:
    """Ana orders a lamp, promised by Friday."""
    said: dict[str, Any] = {"order_id": order, "description": "desk lamp", "promised_at": FRIDAY, "by_day": True}
    return OrderPlaced(**(facts(when) | said | changes))


def shipped(when: datetime, order: str = "A1", parcel: str | None = None, *items: str) -> OrderShipped:
    """It is on its way, or one of its parcels is, with these items."""
    parts = tuple(ParcelItem(item_id=item) for item in items)
    return OrderShipped(**facts(when), order_id=order, parcel_id=parcel, items=parts)


def arrived(when: datetime, order: str = "A1", parcel: str | None = None, *items: str) -> OrderDelivered:
    """Ana has it, or one of its parcels."""
    parts = tuple(ParcelItem(item_id=item) for item in items)
    return OrderDelivered(**facts(when), order_id=order, parcel_id=parcel, items=parts)


def cancelled(when: datetime, by: CancelledBy = CancelledBy.COMPANY, order: str = "A1") -> OrderCancelled:
    """The order is called off."""
    return OrderCancelled(**facts(when), order_id=order, by=by)


def late(
    when: datetime, order: str = "A1", *, subject: str | None = None, until: datetime | None = None, **changes: Any
) -> DelayNoticed:
    """The shop says that the order, or a parcel of it, is late."""
    said: dict[str, Any] = {
        "subject_kind": "parcel",
        "subject_id": subject or order,
        "description": "desk lamp",
        "order_id": order,
        "promised_at": FRIDAY,
        "expected_at": until,
        "by_day": True,
        "reason": DelayReason.WAREHOUSE,
    }
    return DelayNoticed(**(facts(when) | said | changes))
