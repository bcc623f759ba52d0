"""Times each stage of the journeys' logic on a stream without Kafka, batch by batch, with timers at their own time.

The stages are those of the processor, called in the same way, with batches of a thousand records of one partition. So
a state that several events of a batch change is encoded once, like in the processor.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from processors.journey.playbook import Playbook
from processors.roles.journeys import JourneyLogic
from streams.avro.codec import Codec
from streams.avro.records import NAMES
from streams.clock import PartitionClock, from_millis
from streams.events import JourneyState
from streams.order import due_before, follow
from streams.processor import Incoming, Limits, Step
from streams.processor.deadlines import Deadlines
from streams.processor.intake import partition_of
from streams.processor.store import Overlay, Store
from streams.publishing.cloudevents import headers_for, published_at_millis, traceparent_of
from streams.topics import Topics
from tests.benchmarks.stream import Wire

BATCH = 1_000

STAGES = (
    "decode the event",
    "validate it",
    "find its partition",
    "fold, decide, guard",
    "fire deadlines",
    "encode the states",
    "encode decisions and outreach",
)


class Folding:
    """One partition's journeys.

    ``seconds`` is the processor time spent, by stage; ``states`` the encoded states by customer.
    """

    def __init__(self, *, topics: Topics, codec: Codec, playbook: Playbook, partitions: int) -> None:
        self._logic = JourneyLogic(topics=topics, playbook=playbook)
        self._topics = topics
        self._codec = codec
        self._partitions = partitions
        self._store: Store[JourneyState] = Store(codec=codec, topic=topics.journeys, cache_size=Limits().cache)
        self._wakes = Deadlines()
        self.clock = PartitionClock()
        self.states: dict[str, bytes] = {}
        self.seconds: dict[str, float] = dict.fromkeys(STAGES, 0.0)
        self.encoded: dict[str, int] = defaultdict(int)

    async def run(self, wires: Sequence[Wire]) -> None:
        """Handle one partition's events, with everything they lead to."""
        for begin in range(0, len(wires), BATCH):
            await self._batch(wires[begin : begin + BATCH])

    async def _batch(self, wires: Sequence[Wire]) -> None:
        with self._timed("decode the event"):
            events: list[Any] = [await self._codec.decode(wire.value) for wire in wires]
        with self._timed("validate it"):
            for wire, event in zip(wires, events, strict=True):
                self._logic.admit(event, from_millis(wire.at))
        with self._timed("find its partition"):
            for event in events:
                partition_of(event.customer_id.encode(), self._partitions)
        overlay = Overlay(self._store)
        steps: list[tuple[Step[JourneyState], Wire | None]] = []
        firing = 0.0
        began = time.process_time()
        for wire, event in zip(wires, events, strict=True):
            now_ms = self.clock.observe(wire.at)
            fired = time.process_time()
            for millis, customer in due_before(self._wakes, now_ms):
                known: Any = await overlay.get(customer)
                step = self._logic.wake(customer, known, from_millis(millis), busy=False)
                steps.append((step, None))
                self._keep(customer, step, overlay)
            firing += time.process_time() - fired
            key = self._logic.key(event)
            incoming = Incoming(record=event, value=wire.value, headers=wire.headers)
            step = self._logic.receive(incoming, await overlay.get(key), from_millis(now_ms), busy=False)
            steps.append((step, wire))
            self._keep(key, step, overlay)
        self.seconds["fire deadlines"] += firing
        self.seconds["fold, decide, guard"] += time.process_time() - began - firing
        with self._timed("encode the states"):
            changes = self._store.encode(overlay)
            self._store.merge(changes)
        with self._timed("encode decisions and outreach"):
            for step, cause in steps:
                for send in step.sends:
                    self._send(send.topic, send.record, cause)
        self.states |= {key: change[1] for key, change in changes.items() if change is not None}
        self.encoded["states"] += len(changes)
        self.encoded["outputs"] += sum(len(step.sends) for step, _ in steps)

    def _keep(self, key: str, step: Step[JourneyState], overlay: Overlay[JourneyState]) -> None:
        if step.unchanged:
            return
        overlay.put(key, step.state)
        follow(self._wakes, key, step.state)

    def _send(self, topic: Any, record: Any, cause: Wire | None) -> None:
        headers = cause.headers if cause is not None else []
        self._codec.encode(topic, record)
        headers_for(
            event_id=getattr(record, "decision_id", None) or "",
            record=NAMES[type(record)],
            source="careline/journeys",
            occurred_at=from_millis(self.clock.millis),
            published_at=published_at_millis(headers),
            traceparent=traceparent_of(headers),
        )

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        began = time.process_time()
        yield
        self.seconds[stage] += time.process_time() - began


def by_partition(wires: Sequence[Wire], partitions: int) -> list[list[Wire]]:
    """The events of each partition, in order."""
    found: list[list[Wire]] = [[] for _ in range(partitions)]
    for wire in wires:
        found[partition_of(wire.key, partitions)].append(wire)
    return found
