"""A shop's orders as touchpoints: one JSON object a line, in the order of time.

    python examples/shop/touchpoints.py | careline publish - --dry-run

The orders are made up. Needs Python alone. A table of orders, as shops have it, says when something was promised and
when it came; that somebody will have to wait, and what the carrier said, it leaves out. That is what `DelayNoticed` is
for, see `waits`. What is overdue without a word follows from the orders alone.
"""

from __future__ import annotations

import csv
import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

HERE = Path(__file__).parent
SHOP = ZoneInfo("Europe/Berlin")  # the zone that this shop's times are written in
SOURCE = "urn:example-shop:orders"
IDS = uuid.uuid5(uuid.NAMESPACE_URL, SOURCE)
END_OF_DAY = time(23, 59, 59)  # a promise by day is kept until then, and told as a day (`by_day`)


def moment(local: str) -> datetime:
    """A time as the shop writes it."""
    return datetime.fromisoformat(local).replace(tzinfo=SHOP)


def day(date: str) -> datetime:
    """The end of a day that was promised."""
    return datetime.combine(datetime.fromisoformat(date), END_OF_DAY, tzinfo=SHOP)


def fact(kind: str, order: dict[str, str], at: datetime, /, *identity: str, **fields: Any) -> dict[str, Any]:
    """One touchpoint. The same fact has the same id, however often this program runs: publishing it again is safe."""
    event_id = uuid.uuid5(IDS, "/".join((kind, order["order"], *identity)))
    times = {name: value.astimezone(UTC).isoformat() for name, value in fields.items() if isinstance(value, datetime)}
    common = {"event_id": str(event_id), "customer_id": order["customer"], "source": SOURCE}
    return {"type": kind, **common, "occurred_at": at.astimezone(UTC).isoformat(), **fields, **times}


def of_order(order: dict[str, str]) -> Iterator[dict[str, Any]]:
    """All that one customer lives through with one order."""
    ordered, number = moment(order["ordered"]), order["order"]
    yield fact(
        "ProfileUpdated", order, ordered, name=order["name"], locale=order["language"], time_zone=order["time_zone"],
        addresses=[{"channel": "EMAIL", "address": order["email"]}],
    )  # fmt: skip
    yield fact(
        "OrderPlaced", order, ordered, order_id=number, description=order["item"],
        promised_at=day(order["promised_by"]), by_day=True, total=order["total"], currency="EUR",
    )  # fmt: skip
    yield from waits(order)
    if order["shipped"]:
        yield fact("OrderShipped", order, moment(order["shipped"]), order_id=number)
    if order["delivered"]:
        yield fact("OrderDelivered", order, moment(order["delivered"]), order_id=number)
    if order["cancelled"]:
        yield fact("OrderCancelled", order, moment(order["cancelled"]), order_id=number, by=order["cancelled_by"])
    if order["score"]:
        told = moment(order["delivered"]) + timedelta(hours=5)
        yield fact(
            "FeedbackGiven", order, told, feedback_id=f"review-{number}", kind="CSAT", score=int(order["score"]),
            text=order["comment"], about=number,
        )  # fmt: skip


def waits(order: dict[str, str]) -> Iterator[dict[str, Any]]:
    """What only the shop can know early: a carrier's new date, or an item that is gone. What nobody says, the order's
    promise does by itself."""
    promised, news = day(order["promised_by"]), order["news"]
    subject = {
        "subject_kind": "order", "subject_id": order["order"], "order_id": order["order"],
        "description": order["item"], "promised_at": promised, "by_day": True,
    }  # fmt: skip
    if news == "sold out":
        yield fact("DelayNoticed", order, moment(order["news_at"]), news, **subject, cancelled=True, reason="WAREHOUSE")
    elif news:
        yield fact(
            "DelayNoticed", order, moment(order["news_at"]), news, **subject, expected_at=day(news), reason="CARRIER"
        )


def main() -> None:
    """Print them."""
    with (HERE / "orders.csv").open(newline="", encoding="utf-8") as file:
        found = [one for order in csv.DictReader(file) for one in of_order(order)]
    for one in sorted(found, key=lambda one: str(one["occurred_at"])):
        print(json.dumps(one, ensure_ascii=False))


if __name__ == "__main__":
    main()
