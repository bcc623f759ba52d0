"""Traces by OpenTelemetry: the one module that begins spans. Off unless the process has set up a tracer provider.

Libraries use the API alone, so the spans of a service that publishes go where its own SDK sends them. A span says
which event, outreach, topic, partition, offset, policy and provider it is about, and never anything of a customer:
:func:`allowed` leaves out every attribute that is not on the list, and every text that is not a name of ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Final, TypeAlias

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from streams.publishing.cloudevents import is_traceparent

Attribute: TypeAlias = str | int | bool | Sequence[str] | None
Attributes: TypeAlias = Mapping[str, Attribute]

ALLOWED: Final = frozenset(
    {
        "careline.effects",
        "careline.handling",
        "careline.items",
        "careline.outcome",
        "careline.outreach.ids",
        "careline.policies",
        "careline.reason",
        "careline.reasons",
        "careline.role",
        "cloudevents.event_id",
        "cloudevents.event_type",
        "error.type",
        "http.request.method",
        "http.response.status_code",
        "http.route",
        "messaging.batch.message_count",
        "messaging.consumer.group.name",
        "messaging.destination.name",
        "messaging.destination.partition.id",
        "messaging.kafka.offset",
        "messaging.message.id",
        "messaging.operation.name",
        "messaging.operation.type",
        "messaging.system",
        "peer.service",
    }
)
"""Every attribute that a span may have. None of them is about a customer."""

_NAME = re.compile(r"[A-Za-z0-9._:/{}+-]{1,249}")  # of ours: no space, no @
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_IDS = frozenset({"cloudevents.event_id", "messaging.message.id", "careline.outreach.ids"})
_MOST = 32  # values of one attribute
_ODD = frozenset(b"13579bdf")  # last digit of the flags of a trace that is sampled
_NOBODY = Context()


@lru_cache(4_096)
def _is_name(text: str) -> bool:
    return _NAME.fullmatch(text) is not None


def allowed(attributes: Attributes) -> dict[str, str | int | bool | Sequence[str]]:
    """Those attributes that are on the list, with values that can be no name, address or text of a customer.

    Texts are names of ours (letters, digits, ``._:/{}+-``); ids are UUIDs; anything else is left out.
    """
    found: dict[str, str | int | bool | Sequence[str]] = {}
    for name, value in attributes.items():
        if name not in ALLOWED:
            continue
        fits = _ID.fullmatch if name in _IDS else _is_name
        if isinstance(value, int):
            found[name] = value
        elif isinstance(value, str):
            if fits(value):
                found[name] = value
        elif value is not None and (kept := [one for one in value[:_MOST] if fits(one)]):
            found[name] = kept
    return found


def is_sampled(value: bytes | None) -> bool:
    """Whether the header ``traceparent`` is of a trace that is recorded."""
    return (
        value is not None
        and len(value) == 55
        and value[-1] in _ODD
        and is_traceparent(value)
        and not value.startswith((b"ff", b"00-00000000000000000000000000000000-"))
    )


def current_trace_id() -> str | None:
    """The id of the trace under way, 32 hexadecimal digits; None where there is none."""
    context = trace.get_current_span().get_span_context()
    return trace.format_trace_id(context.trace_id) if context.is_valid else None


class Traced:
    """A span that was begun. It is recorded when it is ended; one that is never ended is dropped."""

    __slots__ = ("_span", "recording", "traceparent")

    def __init__(self, span: Span) -> None:
        context = span.get_span_context()
        self._span = span
        self.recording = span.is_recording()
        """False: the trace is not sampled, and nothing of the span is kept but its ids."""
        self.traceparent = (
            f"00-{trace.format_trace_id(context.trace_id)}-{trace.format_span_id(context.span_id)}"
            f"-{context.trace_flags:02x}"
        )
        """For the header of what it leads to (W3C)."""

    @property
    def link(self) -> Link:
        """A link to it."""
        return Link(self._span.get_span_context())

    def note(self, attributes: Attributes) -> None:
        """Add attributes, those that are allowed."""
        self._span.set_attributes(allowed(attributes))

    def event(self, name: str) -> None:
        """Note that something happened now. ``name`` is a constant."""
        self._span.add_event(name)

    def failed(self, kind: str) -> None:
        """Mark it as failed; ``kind`` is a class of errors, never a message."""
        self._span.set_status(Status(StatusCode.ERROR))
        self.note({"error.type": kind})

    def end(self, at: int | None = None) -> None:
        """It is over: now, or ``at`` that time in nanoseconds."""
        self._span.end(at)

    @contextmanager
    def current(self) -> Iterator[None]:
        """What is begun within the block is its child. The span is not ended, and no exception is noted."""
        with trace.use_span(self._span, end_on_exit=False, record_exception=False, set_status_on_exception=False):
            yield


class Tracing:
    """Begins spans. ``on``: whether the process has a tracer provider; look at it once, before any work."""

    def __init__(self, provider: trace.TracerProvider | None = None) -> None:
        """``provider`` None: the process's own, as it is set up now."""
        provider = provider or trace.get_tracer_provider()
        self._tracer = provider.get_tracer("careline")
        off = (trace.ProxyTracerProvider, trace.NoOpTracerProvider)
        self.on = not isinstance(provider, off) and not isinstance(self._tracer, trace.NoOpTracer)

    def begin(
        self,
        name: str,
        attributes: Attributes,
        *,
        kind: SpanKind = SpanKind.INTERNAL,
        parent: str | None = None,
        links: Sequence[str | Link] = (),
        at: int | None = None,
    ) -> Traced:
        """A span, child of the ``parent`` whose traceparent that is; None: of the span under way, if there is one.

        ``links``: traceparents, or links of spans. ``at``: when it began, in nanoseconds; now if None.
        """
        return self._begun(name, attributes, kind, None if parent is None else _context(parent), links, at)

    def begin_root(
        self, name: str, attributes: Attributes, *, kind: SpanKind, links: Sequence[str | Link] = ()
    ) -> Traced:
        """A span that begins a trace of its own; the sampler decides."""
        return self._begun(name, attributes, kind, _NOBODY, links, None)

    def begin_within(self, name: str, attributes: Attributes, *, kind: SpanKind) -> Traced | None:
        """A child of the span under way; None where none is recorded."""
        if not self.on or not trace.get_current_span().is_recording():
            return None
        return self._begun(name, attributes, kind, None, (), None)

    def _begun(
        self,
        name: str,
        attributes: Attributes,
        kind: SpanKind,
        context: Context | None,
        links: Sequence[str | Link],
        at: int | None,
    ) -> Traced:
        linked = [Link(_span_context(one)) if isinstance(one, str) else one for one in links]
        return Traced(
            self._tracer.start_span(
                name,
                context=context,
                kind=kind,
                attributes=allowed(attributes),
                links=linked,
                start_time=at,
                record_exception=False,
                set_status_on_exception=False,
            )
        )


def _span_context(traceparent: str) -> SpanContext:
    return SpanContext(
        trace_id=int(traceparent[3:35], 16),
        span_id=int(traceparent[36:52], 16),
        is_remote=True,
        trace_flags=TraceFlags(int(traceparent[53:], 16)),
    )


def _context(traceparent: str) -> Context:
    return trace.set_span_in_context(NonRecordingSpan(_span_context(traceparent)), _NOBODY)
