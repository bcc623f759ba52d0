"""The wire: what is written is read again, and what cannot be read says why."""

from __future__ import annotations

import io
import itertools
import struct
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from typing import Any

import fastavro
import pytest

from streams.avro.codec import Codec, full_name, parse, schema_id_of
from streams.avro.records import to_values
from streams.clock import to_millis
from streams.errors import SchemaNotRegistered, Unreadable
from streams.events import (
    Channel,
    ContactOpened,
    JourneyState,
    OrderItem,
    OrderPlaced,
    Profile,
    ProfileUpdated,
    replace,
)
from streams.registry.registry import InMemoryRegistry
from tests.streams.given import EVENT_ID, LATE, NOON, OPENED, TOPICS, prepared, put, schema_of

_ids = itertools.count(1_000_000)


def framed(schema_id: int, schema: Any, values: dict[str, Any]) -> bytes:
    """A record as a client of another house writes it."""
    out = io.BytesIO(struct.pack(">bI", 0, schema_id))
    out.seek(0, io.SEEK_END)
    fastavro.schemaless_writer(out, fastavro.parse_schema(schema), values)
    return out.getvalue()


def values_of(event: Any) -> dict[str, Any]:
    return to_values(event)


async def written_with(schema: Any, values: dict[str, Any]) -> tuple[Codec, bytes]:
    """A value written with another version of a schema, and a codec that has to read it."""
    codec, registry = await prepared()
    schema_id = next(_ids)
    put(registry, schema_id, schema)
    return codec, framed(schema_id, schema, values)


async def refused(codec: Codec, value: bytes | None) -> Unreadable:
    with pytest.raises(Unreadable) as caught:
        await codec.decode(value)
    return caught.value


async def test_how_states_are_cut_is_worked_out_once() -> None:
    """Every partition that is taken asks for it."""
    codec, _ = await prepared()
    assert codec.layout(TOPICS.journeys) is codec.layout(TOPICS.journeys)


class TestFraming:
    async def test_zero_byte_schema_id_and_body(self) -> None:
        """As every Confluent client writes it: a zero, four bytes of id, the Avro body."""
        codec, registry = await prepared()
        value = codec.encode(TOPICS.touchpoints, OPENED)
        subject = "careline.touchpoints-careline.touchpoint.ContactOpened"
        assert value[0] == 0
        assert schema_id_of(value) == await registry.id_of(subject, schema_of("ContactOpened"))
        body = fastavro.schemaless_reader(io.BytesIO(value[5:]), parse(schema_of("ContactOpened")), None)
        assert isinstance(body, dict)
        assert body["contact_id"] == "c1"

    async def test_what_is_written_is_read_again(self) -> None:
        """Times to the millisecond, money to the cent, lists and absent values."""
        codec, _ = await prepared()
        order = OrderPlaced(
            event_id=EVENT_ID,
            customer_id="ana",
            occurred_at=NOON + timedelta(milliseconds=123),
            source="shop",
            order_id="o1",
            description="two lamps",
            total=Decimal("99.80"),
            currency="EUR",
            items=(OrderItem(item_id="lamp", description="lamp", quantity=2, unit_price=Decimal("49.90")),),
        )
        for event in (OPENED, LATE, order, replace(LATE, expected_at=None, cancelled=True)):
            assert await codec.decode(codec.encode(TOPICS.touchpoints, event)) == event

    async def test_no_addresses_and_none_said_are_two_things(self) -> None:
        """An empty list takes addresses away, an absent one leaves them."""
        codec, _ = await prepared()
        facts = {"event_id": EVENT_ID, "customer_id": "ana", "occurred_at": NOON, "source": "crm"}
        for addresses in (None, ()):
            event = ProfileUpdated(**facts, addresses=addresses)
            decoded = await codec.decode(codec.encode(TOPICS.touchpoints, event))
            assert isinstance(decoded, ProfileUpdated)
            assert decoded.addresses == addresses

    async def test_a_record_the_topic_does_not_carry(self) -> None:
        """A touchpoint cannot be written where decisions belong."""
        codec, _ = await prepared()
        with pytest.raises(KeyError):
            codec.encode(TOPICS.decisions, OPENED)

    async def test_schemas_that_are_not_registered(self) -> None:
        """Where nobody applied the schemas, the message says what to run."""
        codec = Codec(registry=InMemoryRegistry(), topics=TOPICS)
        with pytest.raises(SchemaNotRegistered, match="careline schemas apply"):
            await codec.prepare(TOPICS.touchpoints)

    async def test_an_id_that_is_no_uuid_is_still_an_id(self) -> None:
        """A publisher that names its events otherwise is read all the same."""
        codec, _ = await prepared()
        odd = replace(OPENED, event_id="evt_2026-02-09/17")
        assert await codec.decode(codec.encode(TOPICS.touchpoints, odd)) == odd


class TestOtherVersions:
    async def test_a_newer_writer_with_a_field_we_do_not_know(self) -> None:
        """What a newer publisher says besides is passed over."""
        schema = schema_of("ContactOpened")
        schema["fields"].append({"name": "mood", "type": ["null", "string"], "default": None, "doc": "new"})
        codec, value = await written_with(schema, values_of(OPENED) | {"mood": "patient"})
        assert await codec.decode(value) == OPENED

    async def test_an_older_writer_without_an_optional_field(self) -> None:
        """What an older publisher did not say yet takes its default."""
        schema = schema_of("ContactOpened")
        schema["fields"] = [field for field in schema["fields"] if field["name"] != "summary"]
        values = {key: value for key, value in values_of(OPENED).items() if key != "summary"}
        codec, value = await written_with(schema, values)
        assert await codec.decode(value) == replace(OPENED, summary=None)

    async def test_a_word_we_do_not_know(self) -> None:
        """A channel that was invented since reads as OTHER."""
        schema = schema_of("ContactOpened")
        for field in schema["fields"]:
            if field["name"] == "channel":
                field["type"]["symbols"].append("HOLOGRAM")
        codec, value = await written_with(schema, values_of(OPENED) | {"channel": "HOLOGRAM"})
        decoded = await codec.decode(value)
        assert isinstance(decoded, ContactOpened)
        assert decoded.channel is Channel.OTHER

    async def test_without_a_customer(self) -> None:
        """A record that does not say whose it is cannot be read, and the reason names the field."""
        schema = schema_of("ContactOpened")
        schema["fields"] = [field for field in schema["fields"] if field["name"] != "customer_id"]
        values = {key: value for key, value in values_of(OPENED).items() if key != "customer_id"}
        codec, value = await written_with(schema, values)
        why = await refused(codec, value)
        assert why.reason == "undecodable"
        assert "customer_id" in why.detail

    async def test_a_field_of_another_type(self) -> None:
        """A time written as text is no time."""
        schema = schema_of("ContactOpened")
        for field in schema["fields"]:
            if field["name"] == "occurred_at":
                field["type"] = "string"
        codec, value = await written_with(schema, values_of(OPENED) | {"occurred_at": "noon"})
        assert (await refused(codec, value)).reason == "undecodable"


class TestUnreadable:
    async def test_a_tombstone(self) -> None:
        """A null where an event belongs has its own name."""
        codec, _ = await prepared()
        assert (await refused(codec, None)).reason == "tombstone"

    @pytest.mark.parametrize("value", [b"", b"\x00\x00", b"{}", b'{"customer_id": "ana"}', b"\x01\x00\x00\x00\x01abc"])
    async def test_not_avro(self, value: bytes) -> None:
        """JSON, garbage and nothing at all do not start as our records do."""
        codec, _ = await prepared()
        why = await refused(codec, value)
        assert why.reason == "not_avro"
        assert value[:8].hex() in why.detail or not value

    async def test_an_unknown_schema(self) -> None:
        """An id the registry has never heard of is named; registered later, it is read."""
        codec, registry = await prepared()
        schema = schema_of("ContactOpened") | {"doc": "ours, a version on"}
        value = framed(999, schema, values_of(OPENED))
        why = await refused(codec, value)
        assert why.reason == "unknown_schema"
        assert "999" in why.detail
        registry._schemas[999] = schema
        assert await codec.decode(value) == OPENED

    async def test_a_record_of_somebody_else(self) -> None:
        """A record that is not of this contract is named by its type, each time anew."""
        schema = {"type": "record", "name": "Invoice", "namespace": "acme", "fields": [{"name": "n", "type": "int"}]}
        codec, value = await written_with(schema, {"n": 1})
        for _ in range(2):
            why = await refused(codec, value)
            assert why.reason == "unknown_event_type"
            assert "acme.Invoice" in why.detail

    async def test_a_schema_that_is_no_record(self) -> None:
        """A bare string under a schema id is no event."""
        registry = InMemoryRegistry()
        codec = Codec(registry=registry, topics=TOPICS)
        registry._schemas[5] = "string"  # type: ignore[assignment]
        assert (await refused(codec, b"\x00\x00\x00\x00\x05\x02a")).reason == "unknown_event_type"

    async def test_bytes_left_over(self) -> None:
        """A record with something behind it was not written by anybody who knew what they wrote."""
        codec, _ = await prepared()
        why = await refused(codec, codec.encode(TOPICS.touchpoints, OPENED) + b"\x00")
        assert why.reason == "undecodable"
        assert "1 bytes left over" in why.detail

    async def test_cut_off_anywhere(self) -> None:
        """A record that breaks off, wherever it does, is unreadable and nothing worse."""
        codec, _ = await prepared()
        value = codec.encode(TOPICS.touchpoints, LATE)
        for length in range(5, len(value)):
            assert (await refused(codec, value[:length])).reason == "undecodable"

    async def test_any_byte_changed(self) -> None:
        """A body with one byte changed is read as something or refused; nothing else comes of it."""
        codec, _ = await prepared()
        value = codec.encode(TOPICS.touchpoints, LATE)
        read = 0
        for at in range(5, len(value)):
            for byte in (0, 0x7F, 0x80, 0xFF):
                with suppress(Unreadable):
                    await codec.decode(value[:at] + bytes([byte]) + value[at + 1 :])
                    read += 1
        assert 0 < read < 4 * (len(value) - 5)


class TestWakeAt:
    def state(self, wake_at: Any) -> JourneyState:
        return JourneyState(
            wake_at=wake_at,
            customer_id="ana",
            revision=1,
            updated_at=NOON,
            profile=Profile(),
            touchpoints=0,
            recent_events=b"",
        )

    async def test_is_peeked_at(self) -> None:
        """When a state is to be woken is known without reading the rest of it."""
        codec, _ = await prepared()
        value = codec.encode(TOPICS.journeys, self.state(NOON))
        assert codec.wake_at(TOPICS.journeys, JourneyState, value[:13]) == to_millis(NOON)

    async def test_none(self) -> None:
        """A state that waits for nothing has no such moment."""
        codec, _ = await prepared()
        assert codec.wake_at(TOPICS.journeys, JourneyState, codec.encode(TOPICS.journeys, self.state(None))) is None

    async def test_of_another_version(self) -> None:
        """Of a version we do not write ourselves nobody may guess where it stands."""
        codec, _ = await prepared()
        with pytest.raises(Unreadable, match="other_version"):
            codec.wake_at(TOPICS.journeys, JourneyState, b"\x00\x00\x00\xff\xff\x02\x02")


@pytest.mark.parametrize(
    ("schema", "name"),
    [
        ({"name": "A", "namespace": "x.y"}, "x.y.A"),
        ({"name": "x.A", "namespace": "other"}, "x.A"),
        ({"name": "A"}, "A"),
        ({"type": "string"}, ""),
    ],
)
def test_full_names(schema: Any, name: str) -> None:
    """A record's name with its namespace, as Avro counts it."""
    assert full_name(schema) == name
