"""What becomes a span, what does not, and what may stand in one."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest
from aiokafka.errors import KafkaConnectionError
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from processors.letters.unsubscribe_links import Links
from streams.broker.memory import MemoryBroker
from streams.clock import SystemClock
from streams.errors import PartitionLost
from streams.events import Address, OutreachChannel
from streams.processor import Effect
from streams.processor.logic import Completion
from streams.processor.traces import HEADER, Traces
from streams.publishing.cloudevents import traceparent_of
from streams.tracing import ALLOWED, Tracing, allowed, is_sampled
from tests.outreach.given import request
from tests.streams.given import LATE, OPENED, TOPICS, contact, prepared, record
from tests.streams.owning import TOUCHPOINTS, broker_with_topics, committed, failing, handled, taken, worker
from tests.test_architecture import modules, top_imports
from tests.tracing.day import NOON, day, delayed
from tests.tracing.receiver import receiving

SAMPLED = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
UNSAMPLED = f"{SAMPLED[:-1]}0"
MAIL = Address(channel=OutreachChannel.EMAIL, address="ana@mail.example")


class Kept:
    """``tracing`` of a process that traces, and the spans that it exported."""

    def __init__(self, **given: Any) -> None:
        self._exporter = InMemorySpanExporter()
        provider = TracerProvider(shutdown_on_exit=False, **given)
        provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.tracing = Tracing(provider)

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        return self._exporter.get_finished_spans()

    def names(self) -> list[str]:
        return sorted(span.name for span in self.spans)


async def told(broker: MemoryBroker, codec: Any, *events: Any, traceparent: str = SAMPLED) -> None:
    """On the touchpoints topic, with that trace."""
    producer = broker.publishing(largest=2 << 20)
    await producer.start()
    for event in events:
        await producer.send(
            TOUCHPOINTS.topic,
            codec.encode(TOPICS.touchpoints, event),
            event.customer_id.encode(),
            headers=[("traceparent", traceparent.encode())],
        )


async def test_a_transaction_that_is_not_committed_leaves_no_span() -> None:
    """What was tried and came to nothing is not shown as if it had been; the repetition is shown once."""
    kept, broker, (codec, _) = Kept(), await broker_with_topics(), await prepared()
    await told(broker, codec, OPENED)
    shared = await worker(broker, codec, tracing=kept.tracing)
    tenure = await taken(shared)
    broker.before = failing("commit_transaction", KafkaConnectionError())
    with pytest.raises((KafkaConnectionError, PartitionLost)):
        await handled(tenure)
    assert kept.names() == []
    await tenure.release()
    await handled(await taken(shared))
    assert kept.names() == ["commit careline.touchpoints", "process careline.touchpoints"]


async def test_an_item_that_fails_is_a_failed_step_of_its_own() -> None:
    """Of a batch that is made again item by item each step is shown once, and the one set aside is marked."""
    kept, broker, (codec, _) = Kept(), await broker_with_topics(), await prepared()
    await told(broker, codec, OPENED, contact(event_id=str(uuid.uuid4()), contact_id="c2"))
    shared = await worker(broker, codec, tracing=kept.tracing)
    receive, failed = shared.logic.receive, []

    def receives(incoming: Any, *given: Any, **named: Any) -> Any:
        if incoming.record.contact_id == "c2":
            failed.append(incoming)
            raise RuntimeError("Ana Ruiz cannot be handled")
        return receive(incoming, *given, **named)

    shared.logic.receive = receives
    await handled(await taken(shared))
    assert len(failed) == 2, "once in the batch and once alone"
    steps = [span for span in kept.spans if span.name.startswith("process")]
    assert [span.status.is_ok for span in steps] == [True, False]
    assert (steps[1].attributes or {})["careline.reason"] == "unprocessable"
    assert "Ana" not in "".join(span.to_json() for span in kept.spans)


async def test_what_is_not_sampled_costs_no_span_and_is_passed_on() -> None:
    """The publisher decided: its trace context goes on as it came."""
    kept, broker, (codec, _) = Kept(), await broker_with_topics(), await prepared()
    await told(broker, codec, LATE, traceparent=UNSAMPLED)
    shared = await worker(broker, codec, tracing=kept.tracing)
    await handled(await taken(shared))
    assert kept.names() == []
    decisions = await committed(broker, "careline.decisions")
    assert {traceparent_of(one.headers) for one in decisions} == {UNSAMPLED}


async def test_outputs_name_the_step_that_wrote_them() -> None:
    """Whoever reads a decision goes on from the step that made it."""
    kept, broker, (codec, _) = Kept(), await broker_with_topics(), await prepared()
    await told(broker, codec, LATE)
    shared = await worker(broker, codec, tracing=kept.tracing)
    await handled(await taken(shared))
    [step] = [span for span in kept.spans if span.name.startswith("process")]
    named = {traceparent_of(one.headers) for one in await committed(broker, "careline.decisions")}
    assert step.context is not None
    ids = f"{step.context.trace_id:032x}-{step.context.span_id:016x}"
    assert named == {f"00-{ids}-01"}
    assert ids.startswith(SAMPLED[3:35])
    assert step.parent is not None
    assert f"{step.parent.span_id:016x}" == SAMPLED[36:52]


async def test_a_service_without_opentelemetry_publishes_as_before() -> None:
    """Nothing is begun, and the header that a caller gives is the one that is written."""
    assert not Tracing(trace.NoOpTracerProvider()).on
    assert not Tracing(trace.ProxyTracerProvider()).on


async def test_a_sampler_that_says_no_leaves_no_span() -> None:
    """OTEL_TRACES_SAMPLER=always_off: the role records nothing, whatever publishers say."""
    kept = Kept(sampler=ALWAYS_OFF)
    traces = Traces(kept.tracing, role="journeys", group="g", topic="t", partition=0)
    assert traces.received(record(b"", headers=[("traceparent", SAMPLED.encode())])) is None


@pytest.mark.parametrize(
    "value",
    [
        None, b"", b"\xff\xfe", UNSAMPLED.encode(), SAMPLED.encode() + b"-more", SAMPLED.upper().encode(),
        b"ff" + SAMPLED[2:].encode(), b"00-" + b"0" * 32 + b"-00f067aa0ba902b7-01", b"00-" + b"z" * 52,
    ],
)  # fmt: skip
def test_a_header_that_is_none_begins_nothing(value: bytes | None) -> None:
    """Whatever stands in it, the record is handled."""
    assert not is_sampled(value)
    assert is_sampled(SAMPLED.encode())


@pytest.mark.parametrize(
    "value", [b"", b";", SAMPLED.encode(), f"{SAMPLED};x".encode(), f"{SAMPLED};{'9' * 400}".encode(), b"\xff;1"]
)
def test_what_a_state_keeps_may_be_anything(value: bytes) -> None:
    """A header that somebody else wrote on a state begins nothing."""
    traces = Traces(Kept().tracing, role="journeys", group="g", topic="t", partition=0)
    traces.restored("ana", [(HEADER, value)])
    assert traces.kept == {}
    traces.restored("ana", [(HEADER, f"{SAMPLED};1770638400000".encode())])
    assert list(traces.kept) == ["ana"]
    traces.restored("ana", [])
    assert traces.kept == {}


@pytest.mark.parametrize(
    "attributes",
    [
        {"customer_id": "ana"}, {"messaging.kafka.message.key": "ana"}, {"careline.reason": "Ana Ruiz"},
        {"peer.service": "ana@mail.example"}, {"careline.outreach.ids": ("ana",)}, {"messaging.message.id": "ana"},
        {"cloudevents.event_id": None}, {"careline.policies": []}, {"careline.role": "x" * 1_000},
    ],
)  # fmt: skip
def test_what_is_not_allowed_is_left_out(attributes: dict[str, Any]) -> None:
    """Nobody can put a customer into a span by mistake: neither under a new name nor as a value of a known one."""
    assert allowed(attributes) == {}


def test_nobody_else_begins_spans() -> None:
    """What a span may say is decided in one place; a role's set-up of the SDK is the other module that knows it."""
    knows = {name for name in modules() if any(one.startswith("opentelemetry") for one in top_imports(name))}
    begins = {name for name in knows if any("start_span" in line for line in open_lines(name))}
    assert begins == {"streams.tracing"}
    assert {name for name in knows if any(one.startswith("opentelemetry.sdk") for one in top_imports(name))} == {
        "processors.roles.exporting"
    }
    assert {name.split(".")[0] for name in ALLOWED} == {"careline", "cloudevents", "error", "http", "messaging", "peer"}


def open_lines(name: str) -> list[str]:
    """The lines of a module."""
    from tests.test_architecture import path

    return path(name).read_text(encoding="utf-8").splitlines()


async def test_a_completion_without_a_trace_has_no_span() -> None:
    """A letter that nobody traces costs nothing."""
    assert Completion(Effect(key="k", lane="l", task=None)).traceparent is None


async def test_a_call_of_the_gateway_is_a_span_and_what_it_publishes_is_its_child(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A link's token is in no span; and a stranger's trace is linked, and decides nothing."""
    async with receiving() as receiver, day(receiver, monkeypatch, begins=SystemClock().now()) as at:
        gateway = await at.start("gateway")
        url = f"http://127.0.0.1:{gateway.port}"
        async with httpx.AsyncClient(base_url=url, headers={"traceparent": UNSAMPLED}) as client:
            assert (await client.post("/unsubscribe/ana-ruiz")).status_code == 404
            assert (await client.get("/ana-ruiz")).status_code == 404
            links = Links.of(at.settings)
            assert links is not None
            link = links.unsubscribe(request(customer_id="ana"), MAIL).removeprefix("http://127.0.0.1:8090")
            assert (await client.post(link)).status_code == 200
        while len(receiver.spans) < 5:
            await at.flushed()
        first, last = receiver.named("POST /unsubscribe/{token}")
        assert (first.kind, first.parent, first.links) == ("SERVER", "", (UNSAMPLED[36:52],))
        assert first.attributes == {
            "http.request.method": "POST", "http.route": "/unsubscribe/{token}", "http.response.status_code": 404
        }  # fmt: skip
        assert first.trace_id not in (last.trace_id, UNSAMPLED[3:35])
        sent = [span for span in receiver.spans if span.kind == "PRODUCER"]
        assert sorted(span.name for span in sent) == ["send careline.outcomes", "send careline.touchpoints"]
        assert {(span.trace_id, span.parent) for span in sent} == {(last.trace_id, last.span_id)}
        assert not any(b"ana" in message or link.encode() in message for message in receiver.raw)


async def test_a_publisher_is_a_child_of_its_callers_span(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request to a service of yours and the event that it publishes are one trace."""
    async with receiving() as receiver, day(receiver, monkeypatch) as at:
        await at.publish(delayed(NOON)[0], parent=SAMPLED)
        while not receiver.spans:
            await at.flushed()
        [sent] = receiver.spans
        assert (sent.trace_id, sent.parent, sent.kind) == (SAMPLED[3:35], SAMPLED[36:52], "PRODUCER")
        assert sent.attributes["messaging.kafka.offset"] == 0
        assert sent.attributes["cloudevents.event_type"] == "careline.touchpoint.ProfileUpdated"
