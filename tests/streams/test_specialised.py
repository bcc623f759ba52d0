"""The written functions against fastavro: the same bytes, the same records, the same refusals."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import schemas
from streams.avro.binary import Decoder, Encoder, read_count, read_number
from streams.avro.codec import expand, parse
from streams.avro.records import RECORDS, builder_of, to_values
from streams.avro.specialised import decoder_of, encoder_of
from streams.events import Channel, ContactOpened, OrderItem, OrderPlaced, replace
from tests.drawn import examples
from tests.streams.any_record import any_record

NOON = datetime(2026, 2, 9, 12, tzinfo=UTC)
OPENED = ContactOpened(
    event_id="e", customer_id="c", occurred_at=NOON, source="s", contact_id="k", channel=Channel.CALL, summary="?"
)
ORDER = OrderPlaced(event_id="e", customer_id="c", occurred_at=NOON, source="s", order_id="o", description="a book")


@cache
def functions(name: str) -> tuple[Encoder, Decoder, Any]:
    """The written functions of a record, and fastavro's schema."""
    schema = expand(schemas.latest(name))
    return encoder_of(schema), decoder_of(schema, RECORDS[name]), parse(schemas.latest(name))


def by_fastavro(name: str, record: Any) -> bytes:
    """The encoding as fastavro writes it."""
    out = io.BytesIO()
    fastavro.schemaless_writer(out, functions(name)[2], to_values(record), disable_tuple_notation=True)
    return out.getvalue()


def read_by_fastavro(name: str, value: bytes) -> Any:
    """The record as fastavro reads it, with nothing left over."""
    body = io.BytesIO(value)
    values: Any = fastavro.schemaless_reader(body, functions(name)[2], None)
    assert body.tell() == len(value), "bytes are left over"
    return builder_of(RECORDS[name])(values)


@pytest.mark.parametrize("name", sorted(RECORDS))
@settings(max_examples=examples(15), deadline=None)
@given(data=st.data())
def test_any_record_is_written_and_read_as_by_fastavro(name: str, data: st.DataObject) -> None:
    """Byte by byte there, and the same record back."""
    encode, decode, _ = functions(name)
    record = data.draw(any_record(RECORDS[name]))
    value = encode(record)
    assert value == by_fastavro(name, record)
    assert decode(b"head" + value, 4) == (record, len(value) + 4)
    assert read_by_fastavro(name, value) == record


@pytest.mark.parametrize("name", ["careline.touchpoint.DelayNoticed", "careline.journey.JourneyState"])
@settings(max_examples=examples(60), deadline=None)
@given(data=st.data())
def test_broken_bytes_are_refused_or_read_as_by_fastavro(name: str, data: st.DataObject) -> None:
    """Cut short, or with a byte changed: never a record that fastavro would not have read."""
    encode, decode, _ = functions(name)
    value = bytearray(encode(data.draw(any_record(RECORDS[name]))))
    if data.draw(st.booleans()):
        del value[data.draw(st.integers(0, len(value) - 1)) :]
    else:
        value[data.draw(st.integers(0, len(value) - 1))] = data.draw(st.integers(0, 255))
    try:
        record, end = decode(bytes(value), 0)
    except Exception:
        return
    if end == len(value):
        assert record == read_by_fastavro(name, bytes(value))


@pytest.mark.parametrize(
    "changes",
    [
        {"customer_id": 7},
        {"customer_id": None},
        {"occurred_at": NOON.replace(tzinfo=None)},
        {"occurred_at": "noon"},
        {"channel": "PIGEON"},
        {"summary": 7},
        {"summary": "\ud800"},
    ],
    ids=repr,
)
def test_what_does_not_fit_is_not_written(changes: dict[str, Any]) -> None:
    """A value of another type, a time without a zone, a symbol that is none."""
    encode = functions("careline.touchpoint.ContactOpened")[0]
    with pytest.raises((TypeError, ValueError, AttributeError, KeyError)):
        encode(replace(OPENED, **changes))


@pytest.mark.parametrize("total", ["0.001", "10000000000.00", "-10000000000", "NaN"])
def test_money_that_does_not_fit_is_not_written(total: str) -> None:
    """Too many places, too many digits, no number at all: an error, not another amount."""
    encode = functions("careline.touchpoint.OrderPlaced")[0]
    with pytest.raises((ValueError, ArithmeticError)):
        encode(replace(ORDER, total=Decimal(total)))


@pytest.mark.parametrize("total", ["0", "0.5", "1E+3", "-0.01", "9999999999.99", "1.10"])
def test_money_that_fits_is_the_same_amount(total: str) -> None:
    """However it is written."""
    encode, decode, _ = functions("careline.touchpoint.OrderPlaced")
    order, _ = decode(encode(replace(ORDER, total=Decimal(total))), 0)
    assert order.total == Decimal(total)


def test_more_items_than_one_byte_counts() -> None:
    """Seventy lines of an order."""
    name = "careline.touchpoint.OrderPlaced"
    encode, decode, _ = functions(name)
    order = replace(ORDER, items=(OrderItem(item_id="i", description="a book", unit_price=Decimal("9.90")),) * 70)
    assert encode(order) == by_fastavro(name, order)
    assert decode(encode(order), 0)[0] == order


@given(number=st.integers(-(1 << 63), (1 << 63) - 1))
def test_numbers_of_any_length(number: int) -> None:
    """One byte to ten, as fastavro writes them."""
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema("long"), number)
    assert read_number(b"?" + out.getvalue() + b"?", 1) == (number, len(out.getvalue()) + 1)


def test_a_number_without_end_is_refused() -> None:
    """It would cost the more the longer it is."""
    with pytest.raises(OverflowError):
        read_number(b"\xff" * 1_000_000, 0)
    with pytest.raises(IndexError):
        read_number(b"\xff" * 5, 0)


def test_a_block_may_tell_its_size() -> None:
    """A negative count is followed by the bytes of the block (Avro 1.12, arrays)."""
    assert read_count(b"\x03\x08rest", 0) == (2, 2)
