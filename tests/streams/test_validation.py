"""An event that breaks the contract is refused at the caller, naming the field."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from streams.errors import InvalidEvent
from streams.events import FeedbackGiven, FeedbackKind, OrderItem, OrderPlaced, Profile
from streams.events.moments import EARLIEST
from streams.publishing.validation import AHEAD, MAX_CUSTOMER_ID, check_outgoing, check_touchpoint
from tests.streams.given import EVENT_ID, LATE, NOON, OPENED, contact

FACTS = {"event_id": EVENT_ID, "customer_id": "ana", "occurred_at": NOON, "source": "shop"}


def fault(event: Any) -> InvalidEvent:
    """What the publisher says to the event."""
    with pytest.raises(InvalidEvent) as caught:
        check_outgoing(event, now=NOON)
    return caught.value


def order(**changes: Any) -> OrderPlaced:
    """An order with these changes."""
    return OrderPlaced(**(FACTS | {"order_id": "o1", "description": "a lamp"} | changes))


@pytest.mark.parametrize("event", [OPENED, LATE, order(total=Decimal("49.90"), currency="EUR")])
def test_a_good_event_passes(event: Any) -> None:
    """What keeps to the contract is taken."""
    check_outgoing(event, now=NOON)


@pytest.mark.parametrize(
    ("changes", "field", "problem"),
    [
        ({"customer_id": ""}, "customer_id", "is empty"),
        ({"customer_id": " \t"}, "customer_id", "is empty"),
        ({"customer_id": "x" * (MAX_CUSTOMER_ID + 1)}, "customer_id", "longer than 256"),
        ({"customer_id": None}, "customer_id", "None is not string"),
        ({"customer_id": 7}, "customer_id", "7 is not string"),
        ({"event_id": ""}, "event_id", "is not a UUID"),
        ({"event_id": "evt_17"}, "event_id", "'evt_17' is not a UUID"),
        ({"occurred_at": datetime(2026, 2, 9)}, "occurred_at", "no time zone"),  # noqa: DTZ001
        ({"occurred_at": datetime(1970, 1, 21, tzinfo=UTC)}, "occurred_at", "seconds for milliseconds?"),
        ({"occurred_at": NOON + AHEAD + timedelta(seconds=1)}, "occurred_at", "more than a day ahead"),
        ({"occurred_at": datetime(9999, 12, 31, tzinfo=UTC)}, "occurred_at", "more than a day ahead"),
        ({"occurred_at": "2026-02-09"}, "occurred_at", "'2026-02-09' is not timestamp-millis"),
        ({"source": None}, "source", "None is not string"),
        ({"contact_id": None}, "contact_id", "None is not string"),
        ({"channel": "PIGEON"}, "channel", "'PIGEON' is not"),
        ({"summary": 12}, "summary", "12 is not"),
    ],
)
def test_each_fault_names_its_field(changes: dict[str, Any], field: str, problem: str) -> None:
    """The caller hears which field it is and what is wrong with it."""
    found = fault(contact(**changes))
    assert found.field == field
    assert problem in found.problem
    assert str(found) == f"{field}: {found.problem}"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"total": 49.9}, "total"),
        ({"total": "49.90"}, "total"),
        ({"promised_at": datetime(2026, 2, 9)}, "promised_at"),  # noqa: DTZ001
    ],
)
def test_money(changes: dict[str, Any], field: str) -> None:
    """Money is a Decimal, and every time has a zone."""
    assert fault(order(**changes)).field == field


@pytest.mark.parametrize("occurred_at", [EARLIEST, NOON, NOON + AHEAD])
def test_the_edges_are_inside(occurred_at: datetime) -> None:
    """The year 2000 and a day ahead are taken still."""
    check_touchpoint(contact(occurred_at=occurred_at), now=NOON)


def test_the_longest_customer_id() -> None:
    """256 characters are taken."""
    check_outgoing(contact(customer_id="x" * MAX_CUSTOMER_ID), now=NOON)


def test_a_score_that_is_no_number() -> None:
    """A score given in words is not taken."""
    event = FeedbackGiven(**FACTS, feedback_id="f", kind=FeedbackKind.CSAT, score="five")  # type: ignore[arg-type]
    assert fault(event).field == "score"


@pytest.mark.parametrize("thing", [Profile(), "an event", None, {"customer_id": "ana"}])
def test_what_is_no_touchpoint(thing: Any) -> None:
    """Something else altogether is refused by its type."""
    found = fault(thing)
    assert found.field == type(thing).__name__
    assert "is not a touchpoint" in found.problem


def test_a_reader_takes_ids_that_are_no_uuids() -> None:
    """What was published already is judged more mildly: an id is an id."""
    check_touchpoint(contact(event_id="evt_17"), now=NOON)
    with pytest.raises(InvalidEvent, match="event_id: is empty"):
        check_touchpoint(contact(event_id=""), now=NOON)


@pytest.mark.parametrize(
    "changes",
    [
        {"total": Decimal("1.005")},
        {"items": (OrderItem(item_id="lamp", description="lamp", unit_price=Decimal("0.001")),)},
        {"items": (OrderItem(item_id="lamp", description="lamp", quantity="two"),)},  # type: ignore[arg-type]
    ],
)
def test_a_fault_within(changes: dict[str, Any]) -> None:
    """Money has two places, and what a list holds is checked as well."""
    with pytest.raises(InvalidEvent):
        check_outgoing(order(**changes), now=NOON)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"total": Decimal("1.005")}, "total"),
        ({"items": (OrderItem(item_id="lamp", description="lamp", unit_price=Decimal("0.001")),)}, "items"),
        ({"items": (OrderItem(item_id="lamp", description="lamp", quantity="two"),)}, "items"),  # type: ignore[arg-type]
    ],
)
def test_a_fault_within_names_the_field(changes: dict[str, Any], field: str) -> None:
    """Also where the fault lies deep inside, the caller hears which field it is."""
    assert fault(order(**changes)).field == field


class Untold:
    """A value that Avro has nothing for."""


def deep(levels: int) -> Any:
    """A list in a list in a list."""
    value: Any = []
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("event", "field"),
    [
        (contact(summary="\ud83d"), "summary"),
        (contact(customer_id="ana\udc80"), "customer_id"),
        (contact(source="\udfff"), "source"),
        (contact(matter="a" * 1_000 + "\ud800"), "matter"),
        (contact(event_id="\ud83d"), "event_id"),
        (contact(summary=Untold()), "summary"),
        (contact(summary=deep(100_000)), "summary"),
        (contact(summary={"a": 1}), "summary"),
        (contact(summary=b"bytes"), "summary"),
        (contact(channel=10**5_000), "channel"),
        (contact(event_id=10**5_000), "event_id"),
        (contact(occurred_at=10**30), "occurred_at"),
        (order(items=(OrderItem(item_id="lamp", description="\ud83d"),)), "items.description"),
        (order(items=(OrderItem(item_id="lamp", description="d", quantity=1 << 31),)), "items"),
        (order(items=(OrderItem(item_id="lamp", description="d", quantity=10**5_000),)), "items"),
        (order(items=("lamp",)), "items"),
        (order(items=(None,)), "items"),
        (order(items=7), "items"),
        (order(total=Decimal("NaN")), "total"),
        (order(total=Decimal("-Infinity")), "total"),
        (order(total=Decimal("sNaN")), "total"),
        (order(total=Decimal("1E+999999")), "total"),
        (order(total=Decimal("9" * 100_000)), "total"),
        (order(total=Decimal("10000000000.00")), "total"),
        (order(total=float("nan")), "total"),
        (order(promised_at=NOON.replace(tzinfo=None)), "promised_at"),
        (FeedbackGiven(**FACTS, feedback_id="f", kind=FeedbackKind.CSAT, score=1 << 31), "score"),
        (FeedbackGiven(**FACTS, feedback_id="f", kind=FeedbackKind.CSAT, score=10**5_000), "score"),
        (FeedbackGiven(**FACTS, feedback_id="f", kind=FeedbackKind.CSAT, score=float("inf")), "score"),
    ],
)
def test_whatever_cannot_be_written_names_its_field(event: Any, field: str) -> None:
    """Half a character, a number without end, a value of another making: never another error than this one."""
    found = fault(event)
    assert found.field == field
    assert len(str(found)) < 1_000
    str(found).encode()


def test_a_zero_within_a_text_is_text() -> None:
    """Avro can carry it."""
    check_outgoing(contact(summary="a\0b"), now=NOON)
