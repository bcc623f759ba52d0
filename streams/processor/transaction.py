"""A transaction being built: the state changes, output records and effects of one batch, for one commit."""

from __future__ import annotations

import asyncio
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Self, TypeVar

from streams.avro.codec import Codec
from streams.avro.records import NAMES
from streams.broker.contract import ConsumerRecord, TransactionalProducer
from streams.clock import PartitionClock, from_millis
from streams.config import Settings
from streams.errors import OutputTooLarge, Unreadable
from streams.events import Record, Value
from streams.processor.failpoints import Point, reached
from streams.processor.intake import partition_of
from streams.processor.logic import Completion, Effect, Incoming, Logic, Send, Step
from streams.processor.store import Changes, Overlay
from streams.processor.traces import Spans
from streams.publishing.cloudevents import Headers, headers_for, published_at_millis, source_of, told_by, traceparent_of
from streams.subscribing.dead_letters import FRAMING, kept_of, most_bytes
from streams.topics import Topic

S = TypeVar("S")

_IDENTITIES = ("event_id", "decision_id", "outreach_id", "customer_id")
_NO_HEADERS: list[tuple[str, bytes]] = []
_SURELY_ENOUGH = 16 << 10  # bytes; enough for the key and the headers of one of our outputs


class Outgoing(Value, frozen=True, gc=False):
    """An encoded record."""

    key: bytes | None
    value: bytes | None
    timestamp: int
    headers: list[tuple[str, bytes]]

    @property
    def most_bytes(self) -> int:
        """The maximum bytes that it adds to a batch."""
        return most_bytes(self.key, self.value, self.headers)


@dataclass(slots=True, kw_only=True)
class Transaction(Generic[S]):
    """Everything of one batch that takes effect atomically."""

    overlay: Overlay[S]
    clock: PartitionClock
    position: int
    room: int = sys.maxsize
    """How many effects it may request."""
    outgoing: dict[tuple[str, int], list[Outgoing]] = field(default_factory=lambda: defaultdict(list))
    effects: list[Effect] = field(default_factory=list)
    settled: list[Completion] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)
    """Keys whose effects are withdrawn."""
    handled: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    dead_letters: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    """By reason and publisher."""
    published_at: list[int] = field(default_factory=list)
    traced: list[tuple[int, bytes]] = field(default_factory=list)
    """Of records whose trace is kept: when they were published, and their trace context."""
    fired: list[int] = field(default_factory=list)
    """When the deadlines that fired were due, or were set if that was later, in ms."""
    sent: list[Send] = field(default_factory=list)
    taken: list[Record] = field(default_factory=list)
    """Input records that changed a state."""
    timers: int = 0
    resumed: int = 0
    changes: Changes = field(default_factory=dict)
    """The new states, set once it is complete."""
    items: int = 0
    """Records, deadlines and results so far."""
    spans: Spans | None = None
    """None where nothing is traced."""

    def took(self, incoming: Incoming, step: Step[S]) -> None:
        """An input record led to this step."""
        self.handled[step.handling] += 1
        if not step.unchanged:
            self.taken.append(incoming.record)
        published, trace = told_by(incoming.headers)
        if published is not None:
            self.published_at.append(published)
            if trace is not None:
                self.traced.append((published, trace))


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed(Generic[S]):
    """The changes of a committed transaction, and the effects it requests."""

    states: Changes
    position: int
    clock: PartitionClock
    resumed: int
    settled: Sequence[Completion]
    """The recorded results, in order."""
    withdrawn: Sequence[str]
    effects: Sequence[Effect]
    handled: Mapping[str, int]
    dead_letters: Mapping[tuple[str, str], int]
    """By reason and publisher."""
    written: Mapping[str, int]
    """Records by topic."""
    sent: Sequence[Send]
    taken: Sequence[Record]
    """Input records that changed a state."""
    published_at: Sequence[int]
    traced: Sequence[tuple[int, bytes]]
    fired: Sequence[int]
    timers: int

    @classmethod
    def of(cls, tx: Transaction[S]) -> Self:
        """Return the changes of the transaction."""
        written: dict[str, int] = defaultdict(int)
        for (topic, _), records in tx.outgoing.items():
            written[topic] += len(records)
        return cls(
            states=tx.changes,
            position=tx.position,
            clock=tx.clock,
            resumed=tx.resumed,
            settled=tx.settled,
            withdrawn=tx.withdrawn,
            effects=tx.effects,
            handled=tx.handled,
            dead_letters=tx.dead_letters,
            written=written,
            sent=tx.sent,
            taken=tx.taken,
            published_at=tx.published_at,
            traced=tx.traced,
            fired=tx.fired,
            timers=tx.timers,
        )


class Outbox:
    """Encodes the records that the logic sends, and sends a transaction's records in batches."""

    def __init__(
        self, *, settings: Settings, codec: Codec, logic: Logic[Any], role: str, partition: int, partitions: int
    ) -> None:
        self._topics = settings.topics
        self._codec = codec
        self._logic = logic
        self.role = role
        self._source = f"careline/{role}"
        self.same_partition = partition
        """This partition's number, which holds for every topic that is partitioned alike."""
        self._partitions = partitions

    def add(self, tx: Transaction[Any], send: Send, *, at: int, cause: Headers) -> None:
        """Queue a record; ``cause`` are the headers of the input that led to it."""
        key = send.key.encode()
        partition = partition_of(key, self._partitions) if send.elsewhere else self.same_partition
        headers = self._headers(send.record, at, cause, None if tx.spans is None else tx.spans.traceparent)
        out = Outgoing(key, self._codec.encode(send.topic, send.record), at, headers)
        tx.outgoing[self._topics.full_name(send.topic), partition].append(self._fits(send.topic, out))
        tx.sent.append(send)

    def forward(self, tx: Transaction[Any], record: ConsumerRecord, *, key: str, partition: int) -> None:
        """Queue an input record unchanged for the partition of its key. Raises OutputTooLarge."""
        out = Outgoing(key.encode(), record.value, record.timestamp, list(record.headers))
        tx.outgoing[record.topic, partition].append(self._surely_fits(self._logic.input, out))

    def add_dead_letter(self, tx: Transaction[Any], record: ConsumerRecord, why: Unreadable, *, reader: str) -> None:
        """Queue a dead letter, shortened if its topic would not accept it whole."""
        topic = self._topics.dead_letters
        key, value, headers = kept_of(record, why, reader=reader, most=topic.max_bytes - 2 * FRAMING)
        out = Outgoing(key, value, tx.clock.millis, headers)
        tx.outgoing[self._topics.full_name(topic), self.same_partition].append(self._surely_fits(topic, out))
        tx.dead_letters[why.reason, source_of(record.headers)] += 1
        if tx.spans is not None:
            tx.spans.dead_letter(why.reason)

    def add_states(self, tx: Transaction[Any]) -> None:
        """Encode and queue the changed states; a deleted one becomes a tombstone."""
        if tx.spans is not None:
            tx.spans.over()
        tx.changes = tx.overlay.encode()
        topic = self._logic.state_topic
        tx.outgoing[self._topics.full_name(topic), self.same_partition] += self._states(tx, tx.changes)

    def check_states(self, tx: Transaction[Any], since: int) -> None:
        """Raise what :meth:`add_states` would raise for the states that changed since that mark."""
        self._states(tx, tx.overlay.encode_since(since))

    def _states(self, tx: Transaction[Any], changes: Changes) -> list[Outgoing]:
        topic, at = self._logic.state_topic, tx.clock.millis
        spans = tx.spans if tx.spans is not None and tx.spans.keeps else None
        return [
            self._fits(
                topic,
                Outgoing(
                    key.encode(),
                    None if change is None else change[1],
                    at,
                    _NO_HEADERS if spans is None else spans.headers_of(key, tx.overlay.changed[key]),
                ),
            )
            for key, change in changes.items()
        ]

    def _fits(self, topic: Topic, out: Outgoing) -> Outgoing:
        # our own keys and headers are short, so most outputs need no exact sum
        if len(out.value or b"") + _SURELY_ENOUGH > topic.max_bytes:
            self._surely_fits(topic, out)
        return out

    def _surely_fits(self, topic: Topic, out: Outgoing) -> Outgoing:
        if (size := out.most_bytes) > topic.max_bytes - FRAMING:
            raise OutputTooLarge(self._topics.full_name(topic), size, topic.max_bytes)
        return out

    async def send(self, producer: TransactionalProducer, tx: Transaction[Any]) -> None:
        """Send all records and wait until each is acknowledged. Raises the error of the first failed send."""
        reached(Point.BEFORE_FIRST_SEND)
        pending: list[asyncio.Future[Any]] = []
        for (topic, partition), records in tx.outgoing.items():
            room = self._topics.by_full_name(topic).max_bytes
            batch = producer.create_batch()
            used = 0
            for out in records:
                used += (most := out.most_bytes)
                # the broker limits the batch, not the record
                if used > room - FRAMING and batch.record_count():
                    pending.append(await producer.send_batch(batch, topic, partition=partition))
                    batch = producer.create_batch()
                    used = most
                if batch.append(key=out.key, value=out.value, timestamp=out.timestamp, headers=out.headers) is None:
                    raise OutputTooLarge(topic, out.most_bytes, room)
            if batch.record_count():
                pending.append(await producer.send_batch(batch, topic, partition=partition))
        if pending:
            pending[0].add_done_callback(lambda _: reached(Point.AFTER_FIRST_SEND))
        await asyncio.gather(*pending)
        if tx.effects:
            reached(Point.BEFORE_INTENT)
        if tx.settled:
            reached(Point.BEFORE_OUTCOME)

    def _headers(self, record: Any, at: int, cause: Headers, traceparent: str | None) -> list[tuple[str, bytes]]:
        identity = next(getattr(record, name) for name in _IDENTITIES if name in record.__struct_fields__)
        return headers_for(
            event_id=identity,
            record=NAMES[type(record)],
            source=self._source,
            occurred_at=from_millis(at),
            # latency is measured from the touchpoint that led to it; a timer's outputs have none
            published_at=published_at_millis(cause),
            traceparent=traceparent or traceparent_of(cause),
        )
