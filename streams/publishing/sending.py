"""The span of an event on its way from the publisher to the brokers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry.trace import SpanKind

from streams.avro.records import NAMES
from streams.events import Touchpoint
from streams.tracing import Traced, Tracing


class Sent:
    """One event's span: it ends when the brokers acknowledge the event, or do not."""

    def __init__(self, traced: Traced) -> None:
        self._traced = traced
        self.traceparent = traced.traceparent

    def acknowledged(self, done: asyncio.Future[Any]) -> None:
        """Called with the future of the event's place."""
        if done.cancelled() or (error := done.exception()) is not None:
            self.failed("KafkaTimeoutError" if done.cancelled() else type(error).__name__)
            return
        place = done.result()
        self._traced.note(
            {
                "messaging.destination.partition.id": str(place.partition),
                "messaging.kafka.offset": place.offset,
            }
        )
        self._traced.end()

    def failed(self, kind: str) -> None:
        """It was not sent, because of that kind of error."""
        self._traced.failed(kind)
        self._traced.end()


class Sending:
    """Begins the spans of one publisher."""

    def __init__(self, tracing: Tracing, *, topic: str) -> None:
        """``topic``: its full name."""
        self.on = tracing.on
        """Whether there are any."""
        self._tracing = tracing
        self._name = f"send {topic}"
        self._common = {
            "messaging.system": "kafka",
            "messaging.operation.name": "send",
            "messaging.operation.type": "send",
            "messaging.destination.name": topic,
        }

    def begun(self, event: Touchpoint, parent: str | None) -> Sent:
        """The span of an event: child of the ``parent`` whose traceparent that is, else of the caller's span."""
        described = {
            **self._common,
            "messaging.message.id": event.event_id,
            "cloudevents.event_id": event.event_id,
            "cloudevents.event_type": NAMES[type(event)],
        }
        return Sent(self._tracing.begin(self._name, described, kind=SpanKind.PRODUCER, parent=parent))


@contextmanager
def ended_by_failure(span: Sent | None) -> Iterator[None]:
    """Ends the span where the block raises, as failed by that kind of error."""
    try:
        yield
    except BaseException as error:
        if span is not None:
            span.failed(type(error).__name__)
        raise
