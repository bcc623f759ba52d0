"""A receiver of OTLP over HTTP, as a collector is one: it takes spans and answers as OpenTelemetry says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1 import trace_pb2

from streams.http.serving import Bounds, served


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A span as it was received. Ids are hexadecimal; ``parent`` '' for the first of a trace; times in ns."""

    service: str
    name: str
    kind: str
    trace_id: str
    span_id: str
    parent: str
    links: tuple[str, ...]
    """Ids of spans."""
    attributes: dict[str, Any]
    failed: bool
    began: int
    ended: int


@dataclass(slots=True)
class Receiver:
    """``spans`` has all that was received, ``raw`` the messages; it answers with ``status``."""

    url: str = ""
    status: int = 200
    spans: list[Span] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    calls: int = 0

    def named(self, name: str) -> list[Span]:
        """The spans of that name, in the order in which they began."""
        return sorted((span for span in self.spans if span.name == name), key=lambda span: span.began)

    def one(self, name: str, trace_id: str | None = None) -> Span:
        """The one span of that name, in that trace."""
        found = [span for span in self.named(name) if trace_id in (None, span.trace_id)]
        assert len(found) == 1, (name, found)
        return found[0]

    async def take(self, call: web.Request) -> web.Response:
        """Keep what is sent."""
        self.calls += 1
        body = await call.read()  # aiohttp has unpacked it
        if self.status == 200:
            self.raw.append(body)
            self.spans += spans_of(body)
        answer = ExportTraceServiceResponse().SerializeToString()
        return web.Response(status=self.status, body=answer, content_type="application/x-protobuf")


def spans_of(message: bytes) -> list[Span]:
    """The spans of an export request."""
    request = ExportTraceServiceRequest.FromString(message)
    return [
        _span(span, service=str(_values(resource.resource.attributes)["service.name"]))
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """A receiver at ``url`` until the block ends."""
    receiver = Receiver()
    app = web.Application(client_max_size=64 << 20)
    app.router.add_post("/v1/traces", receiver.take)
    runner = await served(app, host="127.0.0.1", port=0, shutdown=timedelta(seconds=1), bounds=Bounds())
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield receiver
    finally:
        await runner.cleanup()


def _span(span: trace_pb2.Span, *, service: str) -> Span:
    return Span(
        service=service,
        name=span.name,
        kind=trace_pb2.Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        links=tuple(link.span_id.hex() for link in span.links),
        attributes=_values(span.attributes),
        failed=span.status.code == trace_pb2.Status.STATUS_CODE_ERROR,
        began=span.start_time_unix_nano,
        ended=span.end_time_unix_nano,
    )


def _values(pairs: Any) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: AnyValue) -> Any:
    if value.HasField("array_value"):
        return [_value(one) for one in value.array_value.values]
    return getattr(value, value.WhichOneof("value") or "string_value")
