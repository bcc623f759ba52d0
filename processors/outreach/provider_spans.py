"""The span of one call to a provider."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.trace import SpanKind

from processors.outreach.errors import ChannelError, NotNow
from streams.tracing import Tracing


@contextmanager
def provider_span(tracing: Tracing, provider: str, outreach_id: str) -> Iterator[None]:
    """A span around the block, where the effect that it belongs to is traced: ``careline.outcome`` says what came of
    the call, by the class of its error."""
    span = tracing.begin_within(
        f"send {provider}", {"peer.service": provider, "careline.outreach.ids": (outreach_id,)}, kind=SpanKind.CLIENT
    )
    if span is None:
        yield
        return
    try:
        with span.current():
            yield
        span.note({"careline.outcome": "Delivered"})
    except BaseException as error:
        span.note({"careline.outcome": type(error).__name__ if isinstance(error, ChannelError) else "Unexpected"})
        if not isinstance(error, NotNow):
            span.failed(type(error).__name__)
        raise
    finally:
        span.end()
