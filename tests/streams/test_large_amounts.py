"""Amounts of more digits than are taken are refused by their length, before anything is counted with them."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

import schemas
from schemas.jsonform import JsonMismatch, from_json
from streams.avro.binary import read_length, write_bytes, write_money
from streams.errors import InvalidEvent
from streams.events import GestureGiven
from streams.publishing.validation import check_outgoing

NOON = datetime(2026, 2, 9, 12, 0, tzinfo=UTC)
GIVEN = GestureGiven(
    event_id="3f0c4d4e-6b1c-4b57-9f0e-0d3a1a5f7c11",
    customer_id="ana",
    occurred_at=NOON,
    source="desk",
    gesture_id="g",
    agent_id="a",
    code="meal",
    cost=Decimal("12.50"),
    currency="EUR",
)
LARGE = {
    "a million zeros, told by the exponent": "1E+999990",
    "less than nothing, as large": "-1E+999990",
    "a hundred thousand digits": "9" * 100_000,
    "a hundred thousand digits and cents": "9" * 100_000 + ".50",
    "a hundred thousand decimal places": "0." + "3" * 100_000,
    "hundred thousand zeros and a one": "1." + "0" * 100_000 + "1",
    "next to nothing": "1E-999990",
    "without end": "Infinity",
    "no number": "NaN",
    "no number that says so": "sNaN",
}


def quickly(call: Callable[[], Any]) -> None:
    began = time.perf_counter()
    call()
    assert time.perf_counter() - began < 10, "before, it took over a minute"


@pytest.mark.parametrize("amount", LARGE.values(), ids=LARGE)
def test_a_large_amount_is_not_written(amount: str) -> None:
    """An amount of a million digits is refused at once, and the message is short."""

    def refused() -> None:
        with pytest.raises((TypeError, ValueError, ArithmeticError)) as caught:
            write_money(Decimal(amount), 12, 2)
        assert len(str(caught.value)) < 300

    quickly(refused)


@pytest.mark.parametrize("amount", LARGE.values(), ids=LARGE)
def test_the_publisher_hears_of_it(amount: str) -> None:
    """Whoever publishes such an amount is told which field it is, at once."""

    def refused() -> None:
        with pytest.raises(InvalidEvent) as caught:
            check_outgoing(GIVEN.__class__(**{**_fields(), "cost": Decimal(amount)}), now=NOON)
        assert caught.value.field == "cost"
        assert len(str(caught.value)) < 500

    quickly(refused)


@pytest.mark.parametrize("amount", LARGE.values(), ids=LARGE)
def test_a_line_of_a_file_with_it(amount: str) -> None:
    """A file's line with such an amount is refused by its field."""
    schema = schemas.latest("careline.touchpoint.GestureGiven")
    line = dict(next(iter(schemas.examples("careline.touchpoint.GestureGiven")))) | {"cost": amount}

    def refused() -> None:
        with pytest.raises(JsonMismatch, match="cost"):
            from_json(schema, line)

    quickly(refused)


@pytest.mark.parametrize("amount", ["0", "0E+999990", "0E-999990", "-0", "9999999999.99", "-9999999999.99", "1E+9"])
def test_an_amount_that_fits(amount: str) -> None:
    """All that the digits hold is written, and nothing of any length."""
    written = write_money(Decimal(amount), 12, 2)
    length, at = read_length(written, 0)
    assert Decimal(int.from_bytes(written[at : at + length], "big", signed=True)).scaleb(-2) == Decimal(amount)
    assert written == write_bytes(written[at:])


def _fields() -> dict[str, Any]:
    return {name: getattr(GIVEN, name) for name in GIVEN.__struct_fields__}
