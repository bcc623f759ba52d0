"""Bad input on a real role: each kind is put aside with its reason, or handled by a stated rule."""

from __future__ import annotations

import asyncio
import base64
import copy
import dataclasses
import io
import json
import random
import struct
import sys
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import fastavro
import httpx
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import MessageSizeTooLargeError

import schemas
from processors.republishing import all_kept, publish_again
from streams import Publisher, Subscriber, events
from streams.avro.binary import write_bytes, write_long
from streams.avro.codec import Codec, parse
from streams.avro.records import NAMES, to_values
from streams.broker.unpacking import HEAD
from streams.config import Settings
from streams.errors import InvalidEvent
from streams.events import OrderDelivered, replace
from streams.processor.intake import partition_of
from streams.registry.registry import ConfluentRegistry
from streams.topics import MAX_EVENT_BYTES
from tests.live.reading import dead_letters, raw_records, records, states, until
from tests.live.roles import Role
from tests.streams.batches import resealed

pytestmark = pytest.mark.live

Headers = list[tuple[str, bytes | None]]

NOW = datetime.now(UTC).replace(microsecond=0)
RAISED = 4 << 20
UNKNOWN_ID = 2_000_000_000


@dataclass(frozen=True, kw_only=True)
class Case:
    """One bad record. ``reason`` is what the dead letter says; None where it is to be folded all the same."""

    name: str
    value: bytes | None
    reason: str | None
    says: str = ""
    key: bytes | None = b"as its customer"
    headers: Headers = field(default_factory=list)
    misplaced: bool = False

    @property
    def customer(self) -> str:
        return f"c-{self.name}"

    @property
    def wire_key(self) -> bytes | None:
        return self.customer.encode() if self.key == b"as its customer" else self.key


def delivered(customer: str, order: str = "o-1", **other: Any) -> OrderDelivered:
    event = OrderDelivered(
        event_id=str(uuid.uuid4()), customer_id=customer, occurred_at=NOW, source="urn:test:shop", order_id=order
    )
    return replace(event, **other)


_END = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
_MICROS = {"type": "long", "logicalType": "timestamp-micros"}
_ENDLESS = {"type": "record", "name": "Endless", "fields": [{"name": "next", "type": ["null", "Endless"]}]}
_NOTHINGS = {"type": "array", "items": "null"}
_FLAGS = {"type": "array", "items": "boolean"}


def _money(**attributes: int) -> dict[str, Any]:
    return {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2} | attributes


def _amount(unscaled: int) -> bytes:
    return write_bytes(unscaled.to_bytes(8, "big", signed=True))


def given(customer: str) -> events.GestureGiven:
    return events.GestureGiven(
        event_id=str(uuid.uuid4()), customer_id=customer, occurred_at=NOW, source="urn:test:desk", gesture_id="g",
        agent_id="a", code="meal", cost=Decimal("12.50"), currency="USD",
    )  # fmt: skip


def rated(customer: str) -> events.FeedbackGiven:
    return events.FeedbackGiven(
        event_id=str(uuid.uuid4()), customer_id=customer, occurred_at=NOW, source="urn:test:survey", feedback_id="f",
        kind=events.FeedbackKind.CSAT, score=5,
    )  # fmt: skip


def late(customer: str) -> events.DelayNoticed:
    """An event that leads to a decision."""
    return events.DelayNoticed(
        event_id=str(uuid.uuid4()), customer_id=customer, occurred_at=NOW, source="urn:test:departures",
        subject_kind="flight", subject_id="F1", description="flight F 1", promised_at=NOW + timedelta(hours=1),
        expected_at=NOW + timedelta(hours=4),
    )  # fmt: skip


def home(settings: Settings, customer: str) -> int:
    return partition_of(customer.encode(), settings.partitions)


class Stranger:
    """A producer that knows nothing of the contract and takes no care."""

    def __init__(self, settings: Settings, *, codec: Codec, registry: ConfluentRegistry) -> None:
        self.settings = settings
        self.codec = codec
        self.registry = registry
        # without compression what is 2 MB for the producer is 2 MB for the broker
        self.plain = AIOKafkaProducer(**settings.kafka_client(), max_request_size=16 << 20)
        self.compressing = AIOKafkaProducer(
            **settings.kafka_client(), max_request_size=16 << 20, compression_type="lz4"
        )

    def encode(self, event: Any) -> bytes:
        return self.codec.encode(self.settings.topics.touchpoints, event)

    async def foreign(self, schema: Any, value: Any) -> bytes:
        """A record of a schema of its own, registered under a subject of its own."""
        name = schema["name"] if isinstance(schema, dict) else str(schema)
        schema_id = await self.registry.register(f"{self.settings.topic_prefix}foreign-{name}", schema)
        out = io.BytesIO(struct.pack(">bI", 0, schema_id))
        out.seek(0, io.SEEK_END)
        fastavro.schemaless_writer(out, fastavro.parse_schema(schema), value)
        return out.getvalue()

    def raw(self, event: Any, **fields: bytes) -> bytes:
        """A record under our own schema, the bytes of some of its fields replaced."""
        values, name = to_values(event), NAMES[type(event)]
        out = self.encode(event)[:5]
        for one in parse(schemas.latest(name))["fields"]:
            part = io.BytesIO()
            fastavro.schemaless_writer(part, one["type"], values[one["name"]])
            out += fields.get(one["name"], part.getvalue())
        return out

    async def ours_but(self, record: str, event: Any, **kinds: Any) -> bytes:
        """A record written with a schema that the registry took under our subject, beside ours."""
        topics, name = self.settings.topics, f"careline.touchpoint.{record}"
        schema = copy.deepcopy(schemas.latest(name))
        for one in schema["fields"]:
            one["type"] = kinds.get(one["name"], one["type"])
        schema_id = await self.registry.register(topics.subject(topics.touchpoints, name), schema)
        return struct.pack(">bI", 0, schema_id) + self.encode(event)[5:]

    async def more(self, customer: str, kind: Any, value: bytes) -> bytes:
        """A delivery, and before everything else a field of that type, which we do not know."""
        schema = copy.deepcopy(schemas.latest("careline.touchpoint.OrderDelivered"))
        # with a default, so that the registry takes it under our own subject
        default = {"next": None} if kind is _ENDLESS else []
        field = {"name": f"theirs_{customer[2:]}", "type": kind, "doc": customer, "default": default}
        schema["fields"].insert(0, field)
        topics = self.settings.topics
        subject = topics.subject(topics.touchpoints, "careline.touchpoint.OrderDelivered")
        schema_id = await self.registry.register(subject, schema)
        return struct.pack(">bI", 0, schema_id) + value + self.encode(delivered(customer))[5:]

    async def put(self, case: Case, producer: AIOKafkaProducer | None = None) -> int:
        partition = home(self.settings, case.customer)
        place = await (producer or self.plain).send_and_wait(
            self.settings.topics.full_name(self.settings.topics.touchpoints),
            key=case.wire_key,
            value=case.value,
            headers=case.headers,
            partition=(partition + 1) % self.settings.partitions if case.misplaced else partition,
        )
        return int(place.offset)

    async def largest(self, size: int) -> None:
        admin = AIOKafkaAdminClient(**self.settings.kafka_client())
        await admin.start()
        topics = self.settings.topics
        await admin.alter_configs(
            [ConfigResource(ConfigResourceType.TOPIC, topics.full_name(topics.touchpoints),
                            configs={"max.message.bytes": str(size)})]
        )  # fmt: skip
        await admin.close()


@pytest.fixture
async def stranger(settings: Settings) -> AsyncIterator[Stranger]:
    registry = ConfluentRegistry(settings)
    codec = Codec(registry=registry, topics=settings.topics)
    await codec.prepare(settings.topics.touchpoints, settings.topics.decisions)
    made = Stranger(settings, codec=codec, registry=registry)
    await made.plain.start()
    await made.compressing.start()
    yield made
    await made.plain.stop()
    await made.compressing.stop()
    await registry.close()


async def cases(stranger: Stranger) -> list[Case]:
    """Everything that ends in the dead letters, or by a stated rule does not."""
    good = stranger.encode(delivered("c"))
    shop: dict[str, Any] = {
        "type": "record", "name": "OrderDelivered", "namespace": "careline.touchpoint",
        "fields": [
            {"name": "event_id", "type": {"type": "string", "logicalType": "uuid"}},
            {"name": "occurred_at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
            {"name": "source", "type": "string"},
            {"name": "order_id", "type": "string"},
        ],
    }  # fmt: skip
    elsewhere = await stranger.foreign(shop, to_values(delivered("c")))
    loyalty = {**shop, "name": "PointsGiven", "namespace": "com.example"}
    points = await stranger.foreign(loyalty, to_values(delivered("c")))
    number = await stranger.foreign({"type": "fixed", "name": "Sixteen", "size": 16}, b"0123456789abcdef")
    topics = stranger.settings.topics
    decision = stranger.codec.encode(topics.decisions, _decision())

    def of(name: str, **other: Any) -> bytes:
        return stranger.encode(delivered(f"c-{name}", order="o-bad", **other))

    past_all_years = bytearray(of("no-such-year"))
    at = 5 + 1 + 36 + 1 + len("c-no-such-year")  # frame, event_id, customer_id: then occurred_at
    stated = io.BytesIO()
    fastavro.schemaless_writer(stated, "long", int(NOW.timestamp() * 1000))
    beyond = io.BytesIO()
    fastavro.schemaless_writer(beyond, "long", 1 << 61)
    past_all_years[at : at + len(stated.getvalue())] = beyond.getvalue()

    return [
        Case(name="garbage", value=b"\xde\xad\xbe\xef" * 10, reason="not_avro", says="deadbeef"),
        Case(name="empty", value=b"", reason="not_avro", says="empty"),
        Case(name="short", value=b"\0\0\0", reason="not_avro"),
        Case(name="json", value=json.dumps({"customer_id": "c"}).encode(), reason="not_avro"),
        Case(name="id", value=struct.pack(">bI", 0, UNKNOWN_ID) + good[5:], reason="unknown_schema",
             says=str(UNKNOWN_ID)),
        Case(name="id-0", value=struct.pack(">bI", 0, 0) + good[5:], reason="unknown_schema"),
        Case(name="id-max", value=struct.pack(">bI", 0, 0xFFFFFFFF) + good[5:], reason="unknown_schema"),
        Case(name="truncated", value=good[:-3], reason="undecodable"),
        Case(name="trailing", value=good + b"!", reason="undecodable", says="1 bytes left over"),
        Case(name="elsewhere", value=elsewhere, reason="foreign_schema", says="is not registered under"),
        Case(name="unknown-type", value=points, reason="unknown_event_type", says="com.example.PointsGiven"),
        Case(name="no-record", value=number, reason="unknown_event_type", says="Sixteen"),
        Case(name="wrong-topic", value=decision, reason="wrong_topic", says="Decision"),
        Case(name="costly-decision", value=decision[:-1], reason="wrong_topic", says="Decision"),
        Case(name="forged-sent", value=stranger.encode(_outcome("c-forged-sent", "urn:test:shop")),
             reason="not_allowed", says="'urn:test:shop' may not write OutreachSent; allowed: careline/outreach"),
        Case(name="forged-report", value=stranger.encode(_outcome("c-forged-report", "careline/gateway/shop")),
             reason="not_allowed", says="may not write OutreachSent"),
        Case(name="tombstone", value=None, reason="tombstone"),
        Case(name="blank", value=stranger.encode(delivered("  ")), reason="invalid_customer_id"),
        Case(name="nobody", value=stranger.encode(delivered("")), reason="invalid_customer_id"),
        Case(name="long-id", value=stranger.encode(delivered("x" * 300)), reason="invalid_customer_id"),
        Case(name="no-event-id", value=of("no-event-id", event_id=""), reason="invalid_event_id"),
        Case(name="1970", value=of("1970", occurred_at=datetime(1970, 1, 17, tzinfo=UTC)),
             reason="invalid_occurred_at", says="1970-01-17"),
        Case(name="future", value=of("future", occurred_at=NOW + timedelta(days=400)), reason="invalid_occurred_at"),
        Case(name="no-such-year", value=bytes(past_all_years), reason="undecodable"),
        Case(name="thirteen-digits", value=stranger.raw(given("c-thirteen-digits"), cost=_amount(10**12)),
             reason="undecodable", says=" cost: "),
        Case(name="long-amount", value=stranger.raw(given("c-long-amount"), cost=write_bytes(b"\x7f" * 500_000)),
             reason="undecodable", says=" cost: "),
        Case(name="no-amount", value=stranger.raw(given("c-no-amount"), cost=b"\0"), reason="undecodable",
             says=" cost: "),
        Case(name="scale", value=await stranger.ours_but("GestureGiven", given("c-scale"), cost=_money(scale=4)),
             reason="foreign_schema", says="cost: is written as decimal of precision 12 and scale 4"),
        Case(name="micros", value=await stranger.ours_but("GestureGiven", given("c-micros"), occurred_at=_MICROS),
             reason="foreign_schema", says="occurred_at: is written as timestamp-micros"),
        Case(name="score", value=stranger.raw(rated("c-score"), score=b"\2" + write_long(1 << 31)),
             reason="undecodable", says=" score: "),
        Case(name="score-70", value=stranger.raw(rated("c-score-70"), score=b"\2" + b"\xff" * 9 + b"\x7f"),
             reason="undecodable", says=" score: "),
        Case(name="latin", value=stranger.raw(rated("c-latin"), text=b"\2" + write_bytes(b"caf\xe9")),
             reason="undecodable", says=" text: "),
        Case(name="surrogate", value=stranger.raw(rated("c-surrogate"), text=b"\2" + write_bytes(b"\xed\xa0\xbd")),
             reason="undecodable", says=" text: "),
        Case(name="endless", value=await stranger.more("c-endless", _ENDLESS, b"\2" * 900_000 + b"\0"),
             reason="foreign_schema", says="within itself"),
        Case(name="nothings", value=await stranger.more("c-nothings", _NOTHINGS, write_long(1 << 50) + b"\0"),
             reason="foreign_schema", says="take no bytes"),
        Case(name="flags", value=await stranger.more("c-flags", _FLAGS, write_long(1 << 50) + b"\0"),
             reason="undecodable", says="a block of"),
        Case(name="promised-9999", value=stranger.encode(replace(late("c-promised-9999"), promised_at=_END)),
             reason="invalid_promised_at", says="9999"),
        Case(name="bomb", value=good + bytes(2_000_000), reason="too_large", says="at most 1048576"),
        Case(name="odd-key", value=b"garbage", reason="not_avro", key=b"\xff\xfe\x00"),
        Case(name="no-key", value=b"garbage", reason="not_avro", key=None),
        Case(name="headers", value=b"garbage", reason="not_avro",
             headers=[("traceparent", b"\xff"), ("mine", None), ("mine", b"x" * 100_000), ("", b"")]),
        # by a stated rule these are no dead letters
        Case(name="trace", value=stranger.encode(late("c-trace")), reason=None,
             headers=[("traceparent", b"\xff\xfe"), ("ce_publishedat", b"-" + b"9" * 400), ("null", None)]),
        Case(name="null-trace", value=stranger.encode(late("c-null-trace")), reason=None,
             headers=[("traceparent", None), ("ce_publishedat", None)]),
        Case(name="key-differs", value=of("key-differs"), reason=None, key=b"\xff another"),
        Case(name="keyless", value=of("keyless"), reason=None, key=None),
        Case(name="nul", value=stranger.encode(replace(rated("c-nul"), text="a\0b\u202e")), reason=None),
        Case(name="expected-9999", reason=None,
             value=stranger.encode(replace(late("c-expected-9999"), expected_at=_END))),
        Case(name="misplaced", value=of("misplaced"), reason=None, misplaced=True),
        Case(name="no-uuid", value=of("no-uuid", event_id="order 17, second try"), reason=None),
    ]  # fmt: skip


def _outcome(customer: str, source: str) -> events.OutreachSent:
    return events.OutreachSent(
        event_id=str(uuid.uuid4()), customer_id=customer, occurred_at=NOW, source=source, outreach_id=str(uuid.uuid4()),
        channel=events.OutreachChannel.EMAIL, provider="smtp",
    )  # fmt: skip


def _decision() -> events.Decision:
    return events.Decision(
        decision_id=str(uuid.uuid4()), customer_id="c", decided_at=NOW, kind=events.DecisionKind.SEND, reason="due",
        explanation="because", policy="delay_care", playbook_version="v", journey_id="j", occasion="o",
        outreach_id=str(uuid.uuid4()),
    )  # fmt: skip


async def test_the_events_around_bad_input_are_unharmed(
    settings: Settings, role_env: Mapping[str, str], stranger: Stranger
) -> None:
    """Every kind of bad record, each among good ones of the same customer: its reason, its bytes, its place are kept,
    and the good ones are folded."""
    bad = await cases(stranger)
    offsets: dict[str, int] = {}
    async with Publisher(settings) as publisher:
        await publisher.enqueue_all(delivered(case.customer, "o-before") for case in bad)
        await publisher.flush()
        for case in bad:
            producer = stranger.compressing if case.name == "bomb" else stranger.plain
            offsets[case.name] = await stranger.put(case, producer)
        await publisher.enqueue_all(delivered(case.customer, "o-after") for case in bad)
    expected = {case.customer: 3 if case.reason is None else 2 for case in bad}
    async with Role("journeys", role_env) as journeys:
        await until(
            lambda: states(settings),
            lambda seen: {customer: state.touchpoints for customer, state in seen.items()} == expected,
        )
        assert (await journeys.ask("/livez"))[0] == 200
        metrics = await _metrics(journeys)
    assert metrics['careline_processor_records_total{handling="forwarded",role="journeys"}'] == 1.0
    letters = {letter.offset_of: letter for letter in map(_Placed, await dead_letters(settings))}
    topic = settings.topics.full_name(settings.topics.touchpoints)
    dead = [case for case in bad if case.reason is not None]
    assert len(letters) == len(dead)
    for case in dead:
        letter = letters[topic, home(settings, case.customer), offsets[case.name]].letter
        assert (letter.reason, letter.value, letter.key) == (case.reason, case.value, case.wire_key), case.name
        assert case.says in letter.detail, case.name
        assert list(letter.headers) == [(name, value) for name, value in case.headers], case.name
        assert letter.reader == f"{settings.topic_prefix}journeys"
    decisions = {one.customer_id: one for one in await records(settings, "decisions")}
    assert set(decisions) == {"c-trace", "c-null-trace", "c-expected-9999"}
    assert decisions["c-expected-9999"].reason == "below_threshold", "no wait of thousands of years"
    view = await states(settings)
    assert view["c-expected-9999"].delays[0].expected_at is None
    assert view["c-nul"].moments[0].text == "a\0b\u202e"
    assert {letter.letter.schema_id for letter in letters.values()} >= {UNKNOWN_ID, 0, 0xFFFFFFFF, None}


class _Placed:
    def __init__(self, letter: Any) -> None:
        self.letter = letter
        self.offset_of = (letter.topic, letter.partition, letter.offset)


async def _metrics(role: Role) -> dict[str, float]:
    async with httpx.AsyncClient() as client:
        text = (await client.get(f"http://127.0.0.1:{role.port}/metrics")).text
    lines = (line.rpartition(" ") for line in text.splitlines() if line and not line.startswith("#"))
    return {name: float(value) for name, _, value in lines}


async def test_a_value_of_two_megabytes(settings: Settings, role_env: Mapping[str, str], stranger: Stranger) -> None:
    """The broker refuses it at whoever sends it; where its topic was told to take more, several of them land in the
    dead letters untouched, and the role goes on."""
    noise = [random.Random(number).randbytes(2_000_000) for number in range(6)]
    first = Case(name="large", value=noise[0], reason="too_large")
    with pytest.raises(MessageSizeTooLargeError):
        await stranger.put(first)
    await stranger.largest(RAISED)
    async with Publisher(settings) as publisher:
        await publisher.publish(delivered("c-large", "o-before"))
        for value in noise:
            await stranger.put(dataclasses.replace(first, value=value))
        await publisher.publish(delivered("c-large", "o-after"))
    async with Role("journeys", role_env):
        await until(lambda: states(settings), lambda seen: "c-large" in seen and seen["c-large"].touchpoints == 2)
    letters = await dead_letters(settings)
    assert [letter.value for letter in letters] == noise
    assert {letter.reason for letter in letters} == {"too_large"}


async def test_batches_that_a_client_cannot_read(
    settings: Settings, role_env: Mapping[str, str], stranger: Stranger
) -> None:
    """2 KB that unpack to 64 MiB, and a header whose name is not UTF-8: everybody who reads the topic goes on behind
    them, and says what was left out."""
    customer = "c-batches"
    topic, partition = settings.topics.full_name(settings.topics.touchpoints), home(settings, customer)
    bombs = AIOKafkaProducer(**settings.kafka_client(), max_request_size=80 << 20, compression_type="zstd")
    await bombs.start()
    async with Publisher(settings) as publisher:
        await publisher.publish(delivered(customer, "o-before"))
        place = await bombs.send_and_wait(topic, bytes(64 << 20), key=customer.encode(), partition=partition)
        await publisher.publish(delivered(customer, "o-between"))
        value = stranger.encode(delivered(customer, "o-odd"))
        odd = stranger.plain.create_batch()
        odd.append(timestamp=None, key=customer.encode(), value=value, headers=[("NAME", b"1")])
        raw = bytes(odd._build())  # no client writes such a name, so its bytes are replaced
        odd._buffer = resealed(raw, raw[HEAD:].replace(b"NAME", b"\xff\xfe\xfd\xfc"), codec=0)
        await (await stranger.plain.send_batch(odd, topic, partition=partition))
        await publisher.publish(delivered(customer, "o-after"))
    await bombs.stop()
    async with Role("journeys", role_env) as journeys, Role("view", role_env) as view:
        seen = await until(lambda: states(settings), lambda seen: customer in seen and seen[customer].touchpoints == 4)
        await until(
            lambda: _metrics(view),
            lambda said: said.get(f'careline_view_skipped_total{{reason="unreadable_batch",topic="{topic}"}}') == 1.0,
        )
        assert (await journeys.ask("/livez"))[0] == 200
    assert {one.order_id for one in seen[customer].orders} == {"o-before", "o-between", "o-odd", "o-after"}
    [letter] = await dead_letters(settings)
    assert (letter.reason, letter.offset) == ("unreadable_batch", place.offset)
    assert "decompresses to more than 8,388,608 bytes" in letter.detail
    [(_, why)] = await publish_again(settings, await all_kept(settings))
    assert "its publisher has to send it again" in why
    async with Subscriber(settings, "touchpoints", until_end=True) as everything:
        read = [message.record.order_id async for message in everything if isinstance(message.record, OrderDelivered)]
    assert read == ["o-before", "o-between", "o-odd", "o-after"]


async def test_a_batch_of_large_states_is_committed(settings: Settings, role_env: Mapping[str, str]) -> None:
    """Many customers of one partition say much: their states together are more than the broker takes at once."""
    rng = random.Random(7)
    talkers = [name for name in (f"talker-{number}" for number in range(1_600)) if home(settings, name) == 0]
    turns = 12
    async with Publisher(settings) as publisher:
        for turn in range(turns):
            for talker in talkers:
                await publisher.enqueue(
                    events.FeedbackGiven(
                        event_id=str(uuid.UUID(int=rng.getrandbits(128))), customer_id=talker, occurred_at=NOW,
                        source="urn:test:survey", feedback_id=f"f-{turn}", kind=events.FeedbackKind.PRAISE,
                        text=base64.b85encode(rng.randbytes(450)).decode(),
                    )
                )  # fmt: skip
    async with Role("journeys", role_env):
        seen = await until(
            lambda: states(settings),
            lambda seen: [state.touchpoints for state in seen.values()] == [turns] * len(talkers),
        )
    assert sum(len(moment.text or "") for state in seen.values() for moment in state.moments) > 2 * MAX_EVENT_BYTES


async def test_an_event_that_fails_validation_raises_at_the_caller(settings: Settings) -> None:
    """The publisher names the field, and nothing is published."""
    wrong: list[tuple[str, Any]] = [
        ("customer_id", delivered("")),
        ("order_id", delivered("c", order_id=7)),
        ("occurred_at", delivered("c", occurred_at=NOW.replace(tzinfo=None))),
        ("occurred_at", delivered("c", occurred_at=datetime(1970, 1, 1, tzinfo=UTC))),
        ("occurred_at", delivered("c", occurred_at=NOW + timedelta(days=400))),
        ("event_id", delivered("c", event_id="17")),
        ("event", delivered("c", order="o" * (2 << 20))),
        ("Decision", _decision()),
    ]
    async with Publisher(settings) as publisher:
        for name, event in wrong:
            for call in (publisher.publish, publisher.enqueue):
                with pytest.raises(InvalidEvent) as raised:
                    await call(event)
                assert raised.value.field == name
        await publisher.publish(delivered("c-good"))
    assert [record.customer_id for record in await records(settings, "touchpoints")] == ["c-good"]


async def test_a_partition_full_of_garbage_stops_and_says_so(
    settings: Settings, role_env: Mapping[str, str], stranger: Stranger
) -> None:
    """When most of what arrives cannot be read the partition stops instead of draining into the dead letters; the
    others go on. A restart begins where the last commit left off and stops again; once the cause is gone (here the
    missing schema is registered) everything is folded and nothing was lost."""
    good = {number: _customer_on(settings, number) for number in range(settings.partitions)}
    victim = good[0]
    schema = {**schemas.latest("careline.touchpoint.OrderDelivered"), "doc": f"as house {uuid.uuid4()} writes it"}
    later = await _next_id(stranger)
    frame = struct.pack(">bI", 0, later)
    async with Publisher(settings) as publisher:
        await publisher.publish(delivered(victim, "o-before"))
        for number in range(150):
            value = frame + stranger.encode(delivered(victim, f"o-{number}"))[5:]
            await stranger.plain.send(
                settings.topics.full_name(settings.topics.touchpoints), value, key=victim.encode(), partition=0
            )
        await stranger.plain.flush()
        await publisher.publish(delivered(victim, "o-after"))
        await publisher.enqueue_all(delivered(customer, "o-other") for customer in good.values() if customer != victim)
    async with Role("journeys", role_env, wait=False) as journeys:
        for attempt in range(2):
            if attempt:
                await journeys.stop()
                await journeys.start()
            said = await journeys.until(lambda status, body: status == 503 and bool(body["wrong"]), "/livez", within=60)
            assert "partition 0 stopped" in said["wrong"][0]
            assert "unknown_schema" in said["wrong"][0]
            assert any("partition 0 stopped" in line for line in (await journeys.ask("/readyz"))[1]["waiting_for"])
            assert "partition_stopped" in journeys.log
            seen = await until(lambda: states(settings), lambda seen: set(good.values()) - {victim} <= set(seen))
            assert victim not in seen or seen[victim].touchpoints == 1
            aside = len(await dead_letters(settings))
            assert aside < 100
        registered = await stranger.registry.register(f"{settings.topic_prefix}foreign-late", schema)
        assert registered == later, "another wrote to the registry meanwhile"
        await journeys.stop()
        await journeys.start()
        await until(
            lambda: states(settings),
            lambda seen: victim in seen and seen[victim].touchpoints == 152 - aside,
        )
        assert (await journeys.ask("/livez"))[0] == 200


def _customer_on(settings: Settings, partition: int) -> str:
    return next(name for name in (f"c-{number}" for number in range(1_000)) if home(settings, name) == partition)


async def _next_id(stranger: Stranger) -> int:
    """The id that the registry will give to the next new schema."""
    name = f"N{uuid.uuid4().hex}"
    schema = {"type": "record", "name": name, "fields": []}
    return await stranger.registry.register(f"{stranger.settings.topic_prefix}foreign-{name}", schema) + 1


async def test_a_dead_letter_is_read_once_its_schema_is_known(
    settings: Settings, role_env: Mapping[str, str], stranger: Stranger
) -> None:
    """An event comes before its schema; the schema is registered, `careline dlq republish` publishes it again, and it
    is folded; doing so once more changes nothing."""
    schema = {**schemas.latest("careline.touchpoint.OrderDelivered"), "doc": f"as newcomer {uuid.uuid4()} writes it"}
    later = await _next_id(stranger)
    value = struct.pack(">bI", 0, later) + stranger.encode(delivered("c-early", "o-1"))[5:]
    early = Case(name="early", value=value, reason="unknown_schema", headers=[("mine", b"kept")])
    await stranger.put(early)
    async with Role("journeys", role_env):
        await until(lambda: dead_letters(settings), lambda letters: len(letters) == 1)
        registered = await stranger.registry.register(f"{settings.topic_prefix}foreign-early", schema)
        assert registered == later, "another wrote to the registry meanwhile"
        for _ in range(2):
            assert await _republish(role_env, "--reason", "unknown_schema") == {
                "republished": 1, "refused": 0, "of_no_topic_of_ours": 0
            }  # fmt: skip
        async with Publisher(settings) as publisher:
            await publisher.publish(delivered("c-early", "o-2"))
        seen = await until(
            lambda: states(settings), lambda seen: "c-early" in seen and len(seen["c-early"].orders) == 2
        )
    assert seen["c-early"].touchpoints == 2
    assert len(await dead_letters(settings)) == 1
    again = (await raw_records(settings, "touchpoints"))[1]
    assert (again.key, again.value, list(again.headers)) == (b"c-early", value, [("mine", b"kept")])


async def _republish(env: Mapping[str, str], *words: str) -> Any:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "processors.cli", "dlq", "republish", "--yes", "--json", *words,
        env=env, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, _ = await process.communicate()
    assert process.returncode == 0
    return json.loads(out)
