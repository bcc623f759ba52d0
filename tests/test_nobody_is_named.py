"""A part of the demo's day through the roles at debug level: no log, metric or span says anything of a customer."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from ahocorasick import Automaton
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from prometheus_client import generate_latest
from pydantic import SecretStr

from processors.outreach.channels import Letter, Receipt
from processors.outreach.channels.recording import RecordingChannel
from processors.outreach.errors import Ambiguous, Refused, TryLater
from processors.playbook import load_playbook
from processors.roles import wiring
from processors.settings import Settings
from processors.simulator import STORM_DAY, StormDay, load_flights, storm_day
from streams import Publisher, set_up
from streams.broker.contract import TopicPartition
from streams.broker.memory import MemoryBroker
from streams.clock import ManualClock
from streams.config import TimeSource
from streams.events import OutreachChannel
from streams.metrics import REGISTRY
from streams.tracing import Tracing
from tests.drawn import SHARE
from tests.log_lines import entries
from tests.test_logs import logged
from tests.tracing.receiver import Span, spans_of
from tests.waiting import until

EVERY, OF = (1, 1) if SHARE > 1 else (6, 3) if SHARE == 1 else (24, 12)
"""Every so many of the day's flights, and of the customers. ``EXAMPLES=1000`` plays and searches all of the day, which
takes five minutes."""

SENTENCE = 16
"""Letters that a text has at least for being looked for; shorter ones are words like any other."""


class Forgetful(RecordingChannel):
    """A provider that fails often, and says whom it could not reach and what it was given."""

    async def send(self, letter: Letter) -> Receipt:
        """Keep the letter, or fail with all that it knows."""
        said = f"no mailbox for {letter.customer_id} <{letter.address}>: {letter.subject} {letter.text}"
        match len(self.calls) % 12:
            case 1:
                self.plan(Refused(said))
            case 3:
                self.plan(TryLater(said))
            case 5:
                self.plan(Ambiguous(said))
            case 7:
                self.plan(RuntimeError(said))
        return await super().send(letter)


class Bytes(SpanExporter):
    """Keeps what would be sent to a collector."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.sent.append(encode_spans(spans).SerializePartialToString())
        return SpanExportResult.SUCCESS


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """All that the roles said of the day, and what must not stand in it."""

    log: str
    metrics: str
    spans: list[bytes]
    words: dict[str, str]
    """What is looked for, and what it is."""


def played() -> StormDay:
    """The part of the day that is played."""
    day = storm_day(date=STORM_DAY, seed=1, flights=load_flights(STORM_DAY)[::EVERY])
    customers = day.customers[::OF]
    ids = {customer.customer_id for customer in customers}
    arrivals = tuple(arrival for arrival in day.arrivals if arrival.event.customer_id in ids)
    return replace(day, customers=customers, arrivals=arrivals)


def words_of(day: StormDay) -> dict[str, str]:
    """Ids, names, addresses and texts of everybody who has a touchpoint."""
    found: dict[str, str] = {}
    for arrival in day.arrivals:
        event: Any = arrival.event
        found[event.customer_id] = "an id"
        for name in event.__struct_fields__:
            said = getattr(event, name)
            if isinstance(said, str) and " " in said and (name == "name" or len(said) >= SENTENCE):
                found[said] = "a name" if name == "name" else "a text"
        for address in getattr(event, "addresses", None) or ():
            found[address.address] = "an address"
    return found


def leaks(said: Said) -> dict[str, str]:
    """The words that stand somewhere, with where."""
    places = {"log": said.log, "metrics": said.metrics}
    places["spans"] = b"\n".join(said.spans).decode("utf-8", "replace")
    automaton = Automaton()  # finds thousands of words in one pass, however long the text is
    for word in said.words:
        automaton.add_word(word, word)
    automaton.make_automaton()
    return {
        word: f"{said.words[word]} in the {where}" for where, text in places.items() for _, word in automaton.iter(text)
    }


@pytest.fixture(scope="module")
async def said() -> Said:
    """The day, played: publisher, journeys, outreach and gateway, with what is wrong among it."""
    day = played()
    name = str(uuid.uuid4())
    settings = Settings(
        kafka_bootstrap=f"memory://{name}", registry_url=f"memory://{name}", partitions=1, gateway_port=0,
        time_source=TimeSource.EVENTS, public_url="http://127.0.0.1:8090",
        link_secret=SecretStr("a secret of the tests' own, long enough"),
    )  # fmt: skip
    broker = MemoryBroker.named(name)
    broker.clock = ManualClock(day.closes_at + timedelta(days=1))
    exporter, provider = Bytes(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=1 << 20))
    tracing, playbook = Tracing(provider), load_playbook()
    with logged() as written:
        await set_up(settings)
        async with Publisher(settings, tracing=tracing, warn=lambda _: None) as publisher:
            for arrival in day.arrivals:
                await publisher.enqueue(arrival.event, at=arrival.at)
        await spoil(broker, day)
        channels = {OutreachChannel.EMAIL: Forgetful(provider="smtp")}
        journeys = wiring.journeys(settings, playbook=playbook, tracing=tracing)
        outreach = wiring.outreach(settings, playbook=playbook, channels=channels, tracing=tracing)
        gateway = wiring.gateway(settings, tracing=tracing)
        roles = (journeys, outreach, gateway)
        for role in roles:
            await role.start()
        await until(lambda: all(role.ready for role in roles))
        await quiet(broker, settings)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{gateway.port}", timeout=60) as client:
            for customer in day.customers[:20]:
                await client.post(f"/unsubscribe/{customer.customer_id}")
                await client.get(f"/{customer.customer_id}")
        for role in roles:
            await role.stop()
        await asyncio.to_thread(provider.shutdown)
    MemoryBroker.forget(name)
    assert channels[OutreachChannel.EMAIL].seen, "letters were written"
    return Said(
        log=written.getvalue(), metrics=generate_latest(REGISTRY).decode(), spans=exporter.sent, words=words_of(day)
    )


async def spoil(broker: MemoryBroker, day: StormDay) -> None:
    """Records that no role can read, full of what must not be told."""
    producer = broker.publishing(largest=2 << 20)
    await producer.start()
    trace = ("traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
    for arrival in day.arrivals[:: len(day.arrivals) // 40]:
        event: Any = arrival.event
        text = f"{event.customer_id} {getattr(event, 'name', '')} {getattr(event, 'addresses', '')}".encode()
        await producer.send(
            "careline.touchpoints",
            text,
            event.customer_id.encode(),
            headers=[trace, ("ce_source", text), ("ce_id", text)],
        )


async def quiet(broker: MemoryBroker, settings: Settings) -> None:
    """Everything is handled: both roles stand at the end of what they read, and stay there."""
    pairs = [("careline.journeys", "careline.touchpoints"), ("careline.outreach", "careline.outreach")]
    before: list[Any] = []
    same = 0
    while same < 5:
        found = []
        for group, topic in pairs:
            tp = TopicPartition(topic, 0)
            committed = await broker.admin().committed(group, tp)
            left, _ = broker.log(tp).read(0 if committed is None else committed[0], 1)
            found.append((committed, bool(left)))
        same = same + 1 if found == before and not any(left for _, left in found) else 0
        before = found
        await asyncio.sleep(0.2)


def test_a_day_was_played(said: Said) -> None:
    """There is something to be searched: letters, failures, dead letters, and a span for each step."""
    events = {entry["event"] for entry in entries(said.log)}
    assert {"partition_taken", "dead_letter", "channel_failed"} <= events, events
    assert all({"time", "level", "event", "role", "instance"} <= entry.keys() for entry in entries(said.log))
    dead = list(entries(said.log, "dead_letter"))
    assert {entry["trace_id"] for entry in dead} == {"4bf92f3577b34da6a3ce929d0e0e4736"}
    assert all(isinstance(entry["offset"], int) for entry in dead)
    spans: list[Span] = [span for message in said.spans for span in spans_of(message)]
    assert {span.name.split()[0] for span in spans} >= {"send", "process", "deadline", "effect", "result", "commit"}
    assert len(said.words) > 300
    assert "careline_decisions_total" in said.metrics


def test_nobody_is_named(said: Said) -> None:
    """Not one id, name, address or text of a customer of the day stands in a log, a metric or a span."""
    assert leaks(said) == {}
    left_out = {name for entry in entries(said.log) for name in entry.get("left_out", ())}
    assert left_out == set(), "and nothing had to be left out"


@pytest.mark.parametrize("what", ["an id", "a name", "an address", "a text"])
@pytest.mark.parametrize("where", ["log", "metrics", "spans"])
def test_a_leak_is_found(said: Said, what: str, where: str) -> None:
    """A planted one, of each kind in each place."""
    words = [word for word, kind in said.words.items() if kind == what]
    assert words, "the day has some"
    word = words[len(words) // 2]
    planted: Any = getattr(said, where)
    planted = [*planted, b"\x0a\x10" + word.encode() + b"\x12"] if where == "spans" else f"{planted} x='{word}'\n"
    found = leaks(replace(said, **{where: planted}))
    assert found.pop(word) == f"{what} in the {where}"
    assert all(one in word for one in found), "nothing else but what stands in it"
