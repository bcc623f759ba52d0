"""Publish touchpoints from any service: ``from streams import Publisher, events``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Self

import structlog
from aiokafka.errors import KafkaError, KafkaTimeoutError, MessageSizeTooLargeError

from streams import metrics
from streams.avro.codec import Codec
from streams.avro.records import NAMES
from streams.broker.answering import kafka_answers
from streams.broker.choice import broker_of
from streams.broker.closing import closed
from streams.broker.contract import Broker, Producer
from streams.broker.retention import Aged
from streams.clock import Clock, SystemClock, to_millis
from streams.config import Settings
from streams.errors import InvalidEvent, Unavailable
from streams.events import Touchpoint
from streams.http.destinations import reachable
from streams.publishing.cloudevents import headers_for, is_traceparent
from streams.publishing.sending import Sending, ended_by_failure
from streams.publishing.validation import check_outgoing
from streams.registry.choice import registry_of
from streams.registry.registry import Registry
from streams.topics import MAX_EVENT_BYTES, Topic
from streams.tracing import Tracing

log = structlog.get_logger()


def _logged(warning: str) -> None:
    log.warning("records_older_than_retention", why=warning)


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """Where an event is stored."""

    topic: str
    partition: int
    offset: int


class Publisher:
    """Publishes touchpoints, each once, in order per customer.

    ::

        async with Publisher(Settings.from_environment()) as publisher:
            await publisher.publish(event)

    :meth:`publish` returns once the brokers have acknowledged the event. :meth:`enqueue` returns as soon as there is
    room in the buffer; use it for throughput. Leaving the context (or :meth:`flush`) waits for every enqueued event
    and raises if one failed. An event that breaks the contract raises InvalidEvent at the caller, naming the field,
    and nothing is sent. If the brokers acknowledge nothing for ``patience``, every waiting call raises Unavailable.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        registry: Registry | None = None,
        broker: Broker | None = None,
        clock: Clock | None = None,
        max_in_flight: int = 5_000,
        patience: timedelta = timedelta(seconds=30),
        topic: Topic | None = None,
        warn: Callable[[str], None] | None = None,
        tracing: Tracing | None = None,
    ) -> None:
        """``topic``: touchpoints if None; pass outcomes to report what became of an outreach.

        ``warn`` is called at most once, on leaving the context, if records were published that are older than the
        topic's retention; the log if None. ``tracing``: if None, by the tracer provider that the process has now.
        """
        self._settings = settings
        self._destinations = settings.destinations
        self._topic = topic or settings.topics.touchpoints
        self._own_registry = registry is None
        self._registry = registry or registry_of(settings)
        self._broker = broker or broker_of(settings)
        self._clock = clock or SystemClock()
        self._room = asyncio.Semaphore(max_in_flight)
        self._in_flight: set[asyncio.Future[Any]] = set()
        self._patience = patience.total_seconds()
        self._failures: list[BaseException] = []
        self._aged = Aged(settings, self._topic, broker=self._broker)
        self._warn = warn or _logged
        self._sending = Sending(tracing or Tracing(), topic=settings.topics.full_name(self._topic))
        self._codec = Codec(registry=self._registry, topics=settings.topics)
        self._producer: Producer | None = None

    async def __aenter__(self) -> Self:
        producer = self._broker.publishing(largest=2 * MAX_EVENT_BYTES)
        try:
            await self._codec.prepare(self._topic)
            with kafka_answers(self._settings):
                async with asyncio.timeout(self._patience):
                    await producer.start()
        except BaseException:
            await closed(producer)
            await self._close_registry()
            raise
        self._producer = producer
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._settle()
        finally:
            producer, self._producer = self._producer, None
            if producer is not None:
                await self._stop(producer)
            await self._close_registry()
        if (warning := await self._aged.told(wall_millis=to_millis(self._clock.now()))) is not None:
            self._warn(warning)
        if error is None:
            self._raise_failures()

    async def publish(
        self, event: Touchpoint, *, at: datetime | None = None, traceparent: str | None = None
    ) -> Published:
        """Publish one event and wait until the brokers acknowledge it. Returns its topic, partition and offset.

        ``at`` is the record's Kafka timestamp, now if None; only a replay of another day needs it.
        Raises InvalidEvent, or Unavailable if the brokers did not acknowledge it in time (publishing it again is safe).
        """
        future = await self._send(event, at=at, traceparent=traceparent)
        async with self._within(event):
            place = await future
        return Published(topic=place.topic, partition=place.partition, offset=place.offset)

    async def enqueue(
        self, event: Touchpoint, *, at: datetime | None = None, traceparent: str | None = None
    ) -> asyncio.Future[Any]:
        """Publish one event as soon as there is room; :meth:`flush` or leaving the context raises its failure.

        The future need not be awaited; its result has ``topic``, ``partition`` and ``offset``.
        Raises InvalidEvent, or Unavailable if there was no room in time.
        """
        if self._room.locked():
            async with self._within(event):
                await self._room.acquire()
        else:
            await self._room.acquire()
        try:
            future = await self._send(event, at=at, traceparent=traceparent)
        except BaseException:
            self._room.release()
            raise
        self._in_flight.add(future)
        future.add_done_callback(self._settled)
        return future

    async def enqueue_all(self, events: Iterable[Touchpoint]) -> None:
        """:meth:`enqueue` each event, in order."""
        for event in events:
            await self.enqueue(event)

    async def flush(self) -> None:
        """Wait until the brokers have acknowledged everything enqueued. Raises Unavailable with the first failure."""
        await self._settle()
        self._raise_failures()

    async def _send(self, event: Touchpoint, *, at: datetime | None, traceparent: str | None) -> asyncio.Future[Any]:
        if self._producer is None:
            raise RuntimeError(
                "use the publisher as an async context manager: async with Publisher(settings) as publisher"
            )
        now = self._clock.now()
        try:
            check_outgoing(event, now=at or now)
            if (refused := reachable(event, self._destinations)[1]) is not None:
                raise refused
            if traceparent is not None and not is_traceparent(traceparent.encode()):
                raise InvalidEvent("traceparent", f"{traceparent!r} is not a W3C trace context")
            value = self._codec.encode(self._topic, event)
            if len(value) > MAX_EVENT_BYTES - 1024:  # room for key, headers and framing
                raise InvalidEvent("event", f"is {len(value)} bytes long; at most {MAX_EVENT_BYTES - 1024} are allowed")
        except InvalidEvent:
            metrics.EVENTS_REFUSED.labels(record=type(event).__name__).inc()
            raise
        span = self._sending.begun(event, traceparent) if self._sending.on else None
        headers = headers_for(
            event_id=event.event_id,
            record=NAMES[type(event)],
            source=event.source,
            occurred_at=event.occurred_at,
            published_at=to_millis(now),
            traceparent=traceparent if span is None else span.traceparent,
        )
        with ended_by_failure(span):
            async with self._within(event):
                future: asyncio.Future[Any] = await self._producer.send(
                    self._settings.topics.full_name(self._topic),
                    key=event.customer_id.encode(),
                    value=value,
                    timestamp_ms=to_millis(at or now),
                    headers=headers,
                )
        if span is not None:
            future.add_done_callback(span.acknowledged)
        self._aged.note(to_millis(at or now), wall_millis=to_millis(now))
        record = type(event).__name__
        future.add_done_callback(
            lambda done: (
                None
                if done.cancelled() or done.exception() is not None
                else metrics.EVENTS_PUBLISHED.labels(record=record).inc()
            )
        )
        return future

    @asynccontextmanager
    async def _within(self, event: Touchpoint) -> AsyncIterator[None]:
        """Bounds the wait for the brokers by ``patience``; an idempotent producer itself retries for ever."""
        try:
            async with asyncio.timeout(self._patience):
                yield
        except MessageSizeTooLargeError as error:
            raise InvalidEvent("event", "is larger than the broker takes") from error
        except (KafkaError, TimeoutError) as error:
            why = str(error) or f"no answer within {self._patience:g} s"
            raise Unavailable(f"event {event.event_id} was not acknowledged: {why}") from error

    def _settled(self, future: asyncio.Future[Any]) -> None:
        self._in_flight.discard(future)
        self._room.release()
        error = KafkaTimeoutError() if future.cancelled() else future.exception()
        if error is not None:
            self._failures.append(error)

    async def _settle(self) -> None:
        while waiting := set(self._in_flight):
            await asyncio.wait(waiting, timeout=self._patience)
            if waiting <= self._in_flight:  # none of them was acknowledged
                for future in waiting:
                    future.cancel()
                await asyncio.sleep(0)

    async def _stop(self, producer: Producer) -> None:
        stopping = asyncio.create_task(closed(producer))
        _, late = await asyncio.wait({stopping}, timeout=1 if self._failures else self._patience)
        if late:
            # it would wait for its brokers for ever: fail the batches it still holds
            producer.give_up(KafkaTimeoutError())
        await stopping

    def _raise_failures(self) -> None:
        if self._failures:
            first, failed = self._failures[0], len(self._failures)
            self._failures.clear()
            raise Unavailable(f"{failed} event(s) were not acknowledged; the first: {first}") from first

    async def _close_registry(self) -> None:
        if self._own_registry:
            await self._registry.close()
