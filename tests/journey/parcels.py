"""A shop's customer: parcels that take days, and rules that suit them."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta
from typing import Any

from processors.journey.playbook import Playbook
from processors.policies.promise_watch.rules import PromiseRules
from processors.testing import FRIDAY, arrived, late, ordered, shipped
from processors.testing import order_cancelled as cancelled
from tests.journey.given import TODAY, WAITS, tuned, waits

DAY = timedelta(days=1)


def noon(day: int) -> datetime:
    """Return noon, ``day`` days from today."""
    return TODAY + timedelta(days=day, hours=12)


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
    """Return the playbook of a shop, with ``changes`` to its rules for parcels."""
    parcels = waits(default=dataclasses.replace(PARCELS, **changes))
    return tuned(parcels, PromiseRules(team="order-care", within=DAY), quiet_hours=None)


__all__ = [
    "DAY",
    "FRIDAY",
    "PARCELS",
    "arrived",
    "cancelled",
    "late",
    "noon",
    "ordered",
    "shipped",
    "shop",
]
