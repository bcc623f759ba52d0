"""The expected outputs: the pure core over each partition's input, in order of offsets, at the records' times.

It does not use the processor's own parts (deadlines, clock, overlay, :mod:`streams.order`), so that their bugs are not
repeated here; it shares only the core, the codec and the contract.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from processors.journey.core import advance, wake
from processors.journey.playbook import Playbook
from processors.playbook import load_playbook
from streams.avro.codec import Codec
from streams.clock import from_millis, to_millis
from streams.errors import InvalidEvent, Unreadable
from streams.events import Decision, ExperimentExposed, JourneyState, OutreachRequested, OutreachRetracted
from streams.http.destinations import STRICT, reachable
from streams.processor.intake import partition_of
from streams.publishing.validation import check_touchpoint
from streams.publishing.writers import DEFAULT
from streams.topics import MAX_EVENT_BYTES, Topic, Topics
from tests.chaos.watching import Seen, digest

GONE = b""
"""Stands for the digest of a state that was deleted."""


@dataclass(frozen=True, slots=True)
class Output:
    """A record that must be on a topic exactly once. ``identity`` distinguishes it from all others."""

    topic: str
    customer: str
    identity: str
    value: bytes


@dataclass(slots=True)
class Expected:
    """The expected results of the input, over all partitions."""

    events: int = 0
    states: dict[str, bytes] = field(default_factory=dict)
    """The last state of each customer, encoded."""
    history: dict[str, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    """Digests of all states that a customer ever had, in order."""
    outputs: list[Output] = field(default_factory=list)
    timers: int = 0


def identity_of(record: Any) -> str:
    """The identity of a decision or an outreach record."""
    match record:
        case Decision():
            return record.decision_id
        case OutreachRequested():
            return f"requested {record.outreach_id}"
        case OutreachRetracted():
            return f"retracted {record.outreach_id} {record.decision_id}"
        case ExperimentExposed():
            return record.event_id
        case _:
            raise TypeError(f"{type(record).__name__} is no output of the journeys role")


class Oracle:
    """Reads the input of all partitions, each in order."""

    def __init__(
        self,
        *,
        topics: Topics,
        partitions: int,
        codec: Codec,
        playbook: Playbook | None = None,
        fails: Callable[[Any], bool] = lambda event: False,
    ) -> None:
        """``fails``: whether the step of an event fails, so that its record must be a dead letter."""
        self.expected = Expected()
        self._topics = topics
        self._partitions = partitions
        self._codec = codec
        self._fails = fails
        self._playbook = playbook or load_playbook()
        self._states: dict[str, JourneyState] = {}
        self._clocks: dict[int, int] = defaultdict(int)
        self._due: dict[int, list[tuple[int, str]]] = defaultdict(list)

    async def read(self, raw: Seen) -> None:
        """Handle the next record of its partition's input."""
        self.expected.events += 1
        partition, now = raw.partition, max(self._clocks[raw.partition], raw.timestamp)
        self._clocks[partition] = now
        self.fire(partition, now)
        try:
            event: Any = await self._event(raw, now)
        except (Unreadable, InvalidEvent):
            self._out(self._topics.dead_letters, "", f"{partition}:{raw.offset}", raw.value or b"")
            return
        customer = event.customer_id
        if partition_of(customer.encode(), self._partitions) != partition:
            self._out(self._topics.touchpoints, customer, digest(raw.value).hex(), raw.value or b"")
            return
        event, refused = reachable(event, STRICT)
        step = advance(self._states.get(customer), event, now=from_millis(now), playbook=self._playbook)
        if not step.unchanged:
            if refused is not None:
                self._out(self._topics.dead_letters, "", f"{partition}:{raw.offset}", raw.value or b"")
            self._take(partition, customer, step.state, step.outputs)

    def fire(self, partition: int, until: int) -> None:
        """Fire every deadline up to ``until`` (ms), the earliest first, each at its own time."""
        due = self._due[partition]
        while due and due[0][0] <= until:
            millis, customer = heapq.heappop(due)
            self.wakes(partition, customer, millis)

    def wakes(self, partition: int, customer: str, millis: int) -> None:
        """Fire one deadline, if it is still due."""
        state = self._states.get(customer)
        if state is None or state.wake_at is None or to_millis(state.wake_at) != millis:
            return
        self.expected.timers += 1
        step = wake(state, now=from_millis(millis), playbook=self._playbook)
        self._take(partition, customer, step.state, step.outputs)

    async def _event(self, raw: Seen, now: int) -> Any:
        if raw.value is not None and len(raw.value) > MAX_EVENT_BYTES:
            raise Unreadable("too_large", "")
        event: Any = await self._codec.decode(raw.value)
        DEFAULT.check(event)
        check_touchpoint(event, now=from_millis(now))
        if self._fails(event):
            raise Unreadable("unprocessable", "")
        return event

    def _take(self, partition: int, customer: str, state: JourneyState | None, outputs: Iterable[Any]) -> None:
        if state is None:
            self._states.pop(customer, None)
            self.expected.states.pop(customer, None)
            self.expected.history[customer].append(GONE)
        else:
            self._states[customer] = state
            value = self._codec.encode(self._topics.journeys, state)
            self.expected.states[customer] = value
            self.expected.history[customer].append(digest(value))
            if state.wake_at is not None:
                heapq.heappush(self._due[partition], (to_millis(state.wake_at), customer))
        for record in outputs:
            match record:
                case Decision():
                    topic, identity = self._topics.decisions, identity_of(record)
                case OutreachRequested() | OutreachRetracted():
                    topic, identity = self._topics.outreach, identity_of(record)
                case ExperimentExposed():
                    topic, identity = self._topics.exposures, identity_of(record)
                case _:
                    topic, identity = self._topics.touchpoints, ""
            value = self._codec.encode(topic, record)
            self._out(topic, record.customer_id, identity or digest(value).hex(), value)

    def _out(self, topic: Topic, customer: str, identity: str, value: bytes) -> None:
        self.expected.outputs.append(Output(topic.name, customer, identity, value))
