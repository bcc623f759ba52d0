"""Any history, cut into any batches, with transactions that fail anywhere: what is committed is what the core says.

In-process, without a broker: the processor's own steps, store, overlay, wake list and clock, against the oracle.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

import msgspec
from aiokafka import ConsumerRecord
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from processors.playbook import load_playbook
from processors.roles.journeys import JourneyLogic
from streams import events
from streams.avro.codec import Codec
from streams.clock import PartitionClock, SystemClock, to_millis
from streams.config import Settings, TimeSource
from streams.events import JourneyState
from streams.processor.intake import Intake
from streams.processor.steps import Steps
from streams.processor.store import Overlay, Store
from streams.processor.transaction import Outbox, Transaction
from streams.processor.wakes import Wakes
from tests.chaos.oracle import Oracle, identity_of
from tests.chaos.stories import closing
from tests.chaos.verdict import Verdict, judge
from tests.chaos.watching import Seen, Watcher
from tests.drawn import examples
from tests.journey.anything import lives
from tests.journey.given import NOON
from tests.streams.given import TOPICS, prepared

SETTINGS = Settings(time_source=TimeSource.EVENTS, partitions=1)


class End(Enum):
    """How a transaction ends."""

    COMMITTED = "committed"
    ABORTED = "aborted"
    """Nothing of it is true, the partition is taken afresh."""
    UNKNOWN = "unknown"
    """It was committed, but the worker died before it knew."""


@dataclass(slots=True)
class Broker:
    """What is committed on the only partition."""

    records: Watcher = field(default_factory=lambda: Watcher(SETTINGS))
    position: int = 0
    clock: int = 0

    def append(
        self,
        topic: str,
        key: str,
        value: bytes | None,
        at: int,
        life: str = "",
        headers: Iterable[tuple[str, bytes]] = (),
    ) -> None:
        """A record of a committed transaction, or of a publisher."""
        log = self.records.records[topic, 0]
        log.append(Seen(topic, 0, len(log), at, key, value, life, tuple(headers)))


class Worker:
    """The processor's parts around one partition, without a network between."""

    def __init__(self, broker: Broker, codec: Codec, life: str, *, timers: int) -> None:
        logic = JourneyLogic(topics=TOPICS, playbook=load_playbook())
        self._broker, self._life = broker, life
        self._store: Store[JourneyState] = Store(codec=codec, topic=TOPICS.journeys, cache_size=3)
        wakes = Wakes()
        for seen in broker.records.records["journeys", 0]:
            self._store.put_encoded(seen.key, seen.value)
            due = None if seen.value is None else codec.wake_at(TOPICS.journeys, JourneyState, seen.value)
            wakes.set(seen.key, due)
        self._outbox = Outbox(settings=SETTINGS, codec=codec, logic=logic, role="journeys", partition=0, partitions=1)
        self._steps: Steps[JourneyState] = Steps(
            settings=SETTINGS,
            group="journeys",
            logic=logic,
            intake=Intake(logic=logic, codec=codec, partition=0, partitions=1, window=200, share=0.5),
            outbox=self._outbox,
            wakes=wakes,
            busy=lambda _: False,
            wall=SystemClock(),
            timers=timers,
        )

    async def transact(self, batch: int, end: End) -> bool:
        """Take so many records; False where there are none left."""
        waiting = self._broker.records.records["touchpoints", 0][self._broker.position :][:batch]
        if not waiting:
            return False
        tx = await self._steps.make(
            lambda: Transaction(
                overlay=Overlay(self._store),
                clock=PartitionClock(self._broker.clock),
                position=self._broker.position,
            ),
            records=[_record(one) for one in waiting],
        )
        if end is not End.ABORTED:
            for (topic, _), sent in tx.outgoing.items():
                name = TOPICS.by_full_name(topic).name
                for out in sent:
                    key = (out.key or b"").decode()
                    self._broker.append(name, key, out.value, out.timestamp, self._life, out.headers)
            self._broker.position, self._broker.clock = tx.position, tx.clock.millis
        if end is End.COMMITTED:
            self._store.merge(tx.changes)
        self.timers = tx.timers
        return True


def _record(seen: Seen) -> ConsumerRecord:
    return ConsumerRecord(
        topic="careline.touchpoints", partition=0, offset=seen.offset, timestamp=seen.timestamp, timestamp_type=0,
        key=seen.key.encode(), value=seen.value, checksum=None, serialized_key_size=0, serialized_value_size=0,
        headers=(),
    )  # fmt: skip


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[datetime, Any]]:
    """The lives of a few customers, interleaved; some told twice, some shuffled, some late."""
    told: list[tuple[datetime, Any]] = []
    for number in range(draw(st.integers(1, 4))):
        at = NOON
        for pause, event in draw(lives(12)):
            at += pause
            told.append((at, msgspec.structs.replace(event, customer_id=f"customer-{number}")))
    told.sort(key=lambda one: one[0])
    told += [told[at] for at in draw(st.lists(st.integers(0, len(told) - 1), max_size=4))] if told else []
    for source, target in draw(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)), max_size=6)):
        if told:
            told.insert(target % len(told), told.pop(source % len(told)))
    last = max((at for at, _ in told), default=NOON)
    return [*told, closing(last + timedelta(days=3), "closing")]


async def verdict_of(
    codec: Codec,
    told: list[tuple[datetime, Any]],
    cuts: list[tuple[int, End]],
    *,
    timers: int,
    fails: Callable[[Any], bool] = lambda event: False,
) -> Verdict:
    """What the oracle says of a history that was cut into these transactions, with these ends; the rest are committed.

    ``fails``: the events of which the step fails.
    """
    broker = Broker()
    for at, event in told:
        broker.append("touchpoints", event.customer_id, codec.encode(TOPICS.touchpoints, event), to_millis(at))
    worker, lives_lived = Worker(broker, codec, "1.1.0", timers=timers), 1
    for number in range(10_000):
        batch, end = cuts[number] if number < len(cuts) else (7, End.COMMITTED)
        if not await worker.transact(batch, end):
            break
        if end is not End.COMMITTED:
            lives_lived += 1
            worker = Worker(broker, codec, f"{lives_lived}.1.0", timers=timers)
    oracle = Oracle(topics=TOPICS, partitions=1, codec=codec, fails=fails)
    for seen in broker.records.of(TOPICS.touchpoints):
        await oracle.read(seen)

    async def identify(seen: Seen) -> str:
        return identity_of(await codec.decode(seen.value))

    async def recode(value: bytes) -> bytes:
        state: Any = await codec.decode(value)
        return codec.encode(TOPICS.journeys, state)

    return await judge(oracle.expected, broker.records, broker.records, topics=TOPICS, identify=identify, recode=recode)


CODEC, _ = asyncio.run(prepared())


@given(
    told=histories(),
    cuts=st.lists(st.tuples(st.integers(1, 9), st.sampled_from([End.COMMITTED, End.COMMITTED, *End])), max_size=30),
    timers=st.sampled_from([1, 2, 1_000]),
)
@settings(
    max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
def test_any_history_comes_to_the_same(
    told: list[tuple[datetime, Any]], cuts: list[tuple[int, End]], timers: int
) -> None:
    """However it is cut, repeated, shuffled and interrupted: each state and output once, in order, as the core says."""
    found = asyncio.run(verdict_of(CODEC, told, cuts, timers=timers))
    assert found.clean, found


async def test_deadlines_that_fall_due_together_share_no_one_transaction() -> None:
    """A hundred thousand at once would keep a worker from answering its group for longer than its session lasts: so
    many and no more fire in a transaction, and the record that they are due before waits for all of them."""
    broker = Broker()
    for number in range(10):
        delay = events.DelayNoticed(
            event_id=str(uuid.UUID(int=number)), customer_id=f"waiting-{number}", occurred_at=NOON, source="test",
            subject_kind="flight", subject_id="F1", description="flight F 1", promised_at=NOON + timedelta(hours=1),
        )  # fmt: skip
        broker.append("touchpoints", delay.customer_id, CODEC.encode(TOPICS.touchpoints, delay), to_millis(NOON))
    late, event = closing(NOON + timedelta(hours=1, minutes=31), "closing")
    broker.append("touchpoints", "closing", CODEC.encode(TOPICS.touchpoints, event), to_millis(late))
    worker = Worker(broker, CODEC, "1.1.0", timers=4)
    fired = []
    while await worker.transact(50, End.COMMITTED):
        fired.append((worker.timers, broker.position))
        assert broker.clock <= to_millis(NOON + timedelta(hours=1, minutes=30)) or broker.position == 11
    assert fired == [(4, 10), (4, 10), (2, 11)]
