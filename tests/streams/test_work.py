"""The codec limits the work of decoding: a few bytes never cost much time, whatever their schema."""

from __future__ import annotations

import copy
import struct
from typing import Any

import pytest

import schemas
from processors.journey.evolve.limits import MAX_PARTS
from processors.journey.evolve.parcels import MOST
from processors.journey.state import KEEP_AT_MOST, KEEP_OPEN, KEEP_SETTLED, KEEP_WAITS, begin
from streams.avro.binary import MOST_WORK, read_count, read_length, write_long
from streams.avro.codec import Codec
from streams.errors import Unreadable
from streams.events import (
    Channel,
    Consent,
    ConsentStatus,
    Contact,
    Delay,
    DelayReason,
    JourneyState,
    Order,
    OrderPlaced,
    OutreachChannel,
    Parcel,
    ProfilesMerged,
    Purpose,
    Settled,
    Suppression,
    replace,
)
from streams.events.sources import JOURNEYS
from tests.fuzz.hostile import HOSTILE, LIST_WITHIN, order_of, under
from tests.streams.given import NOON, OPENED, TOPICS, prepared, put


async def read(codec: Codec, value: bytes) -> str:
    """Return why the value is unreadable; "read" if it is not."""
    try:
        await codec.decode(value)
    except Unreadable as why:
        return f"{why.reason}: {why.detail}"
    return "read"


@pytest.mark.parametrize("case", HOSTILE.values(), ids=HOSTILE)
async def test_a_hostile_record_ends_as_it_should(case: Any) -> None:
    """A record with too many values in lists, too deep a schema or too many types is unreadable, and the error says
    so."""
    codec, registry = await prepared()
    schema, body = case.made()
    schema_id = 7_000_000
    put(registry, schema_id, schema)
    said = await read(codec, struct.pack(">bI", 0, schema_id) + body)
    assert said == "read" if case.says == "read" else case.says in said


@pytest.mark.parametrize("blocks", [1, 100, 5_000])
async def test_an_order_of_too_many_lines(blocks: int) -> None:
    """Thirty thousand lines are too many, in one block or in thousands; the detail names the field."""
    codec, _ = await prepared()
    header = codec.encode(TOPICS.touchpoints, order_of(1))[:5]
    said = await read(
        codec, header + _in_blocks(codec.encode(TOPICS.touchpoints, order_of(30_000)), 30_000, blocks)[5:]
    )
    assert "items: ValueError" in said
    assert f"{MOST_WORK:,} values" in said


async def test_an_order_of_a_thousand_lines_is_an_order() -> None:
    """An order of 1,500 lines is read."""
    codec, _ = await prepared()
    decoded = await codec.decode(codec.encode(TOPICS.touchpoints, order_of(1_500)))
    assert isinstance(decoded, OrderPlaced)
    assert len(decoded.items) == 1_500


async def test_a_state_at_all_its_limits_is_read() -> None:
    """A state at all its limits is read, by the current and by an earlier version of its schema."""
    codec, registry = await prepared()
    state = at_all_limits()
    value = codec.encode(TOPICS.journeys, state)
    assert await codec.decode(value, among={JourneyState}) == state
    older = copy.deepcopy(schemas.latest("careline.journey.JourneyState"))
    older["doc"] = "an earlier version"  # so that it is read by another function
    put(registry, 7_000_000, older)
    assert await codec.decode(struct.pack(">bI", 0, 7_000_000) + value[5:]) == state


async def test_a_merge_at_all_its_limits_is_read() -> None:
    """A merge event at all its limits is read."""
    codec, _ = await prepared()
    state = at_all_limits()
    told = ProfilesMerged(
        event_id="e", customer_id="ana", occurred_at=NOON, source=JOURNEYS, other_customer_id="bo", told=True,
        consents=state.consents, suppressions=state.suppressions, settled=state.settled,
    )  # fmt: skip
    assert await codec.decode(codec.encode(TOPICS.touchpoints, told)) == told


def at_all_limits() -> JourneyState:
    """Return a state with as much of everything as a state keeps."""
    parcel = Parcel(parcel_id="p" * 36, shipped_at=NOON, delivered_at=NOON, pieces=3)
    order = Order(order_id="o", kind="order", description="d", opened_at=NOON, as_of=NOON, parcels=(parcel,) * MOST)
    consent = Consent(channel=OutreachChannel.EMAIL, purpose=Purpose.SERVICE, status=ConsentStatus.GRANTED, as_of=NOON)
    closed = Suppression(channel=OutreachChannel.EMAIL, address="a@b.example", reason="bounced", as_of=NOON)
    waiting = Delay(
        subject_kind="order", subject_id="o", description="d", opened_at=NOON, as_of=NOON, reason=DelayReason.WEATHER,
        expected_at=NOON, promised_at=NOON, cancelled=False,
    )  # fmt: skip
    contact = Contact(contact_id="c", channel=Channel.EMAIL, opened_at=NOON, as_of=NOON)
    done = Settled(policy="delay_care", journey_id="j", occasion="s", reason="sent", as_of=NOON)
    return replace(
        begin("ana", NOON),
        orders=(order,) * (KEEP_OPEN + KEEP_AT_MOST),
        consents=(consent,) * MAX_PARTS["consents"],
        suppressions=(closed,) * MAX_PARTS["suppressions"],
        settled=(done,) * KEEP_SETTLED,
        delays=(waiting,) * (KEEP_WAITS + KEEP_AT_MOST),
        contacts=(contact,) * (KEEP_OPEN + KEEP_AT_MOST),
    )


async def test_each_record_begins_anew() -> None:
    """The work of one record does not count towards the next, even if it was rejected."""
    codec, _ = await prepared()
    large, too_large = (codec.encode(TOPICS.touchpoints, order_of(lines)) for lines in (1_500, 30_000))
    for _ in range(5):
        assert await read(codec, large) == "read"
        assert await read(codec, too_large) != "read"


async def test_lists_within_lists_count_together() -> None:
    """The values of nested lists are added up."""
    codec, registry = await prepared()
    put(registry, 7_000_000, under(LIST_WITHIN))
    few, many = ((write_long(n) + (write_long(50) + bytes(50) + b"\0") * n + b"\0") for n in (500, 1_500))
    rest = codec.encode(TOPICS.touchpoints, OPENED)[5:]
    assert await read(codec, struct.pack(">bI", 0, 7_000_000) + few + rest) == "read"
    assert "values" in await read(codec, struct.pack(">bI", 0, 7_000_000) + many + rest)


def _in_blocks(value: bytes, lines: int, blocks: int) -> bytes:
    """Return the order with its equal lines in that many blocks."""
    at = value.index(write_long(lines))
    count, start = read_count(value, at)
    assert (count, read_length(value, start)[0]) == (lines, 0)
    one = len(value[start:].rpartition(b"\0\0")[0]) // lines
    lines_each = lines // blocks
    block = write_long(lines_each) + value[start : start + one * lines_each]
    return value[:at] + block * blocks + value[start + one * lines :]
