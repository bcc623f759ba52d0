"""A failure costs one record, one deadline or one result; everything else is handled as without it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from aiokafka import ConsumerRecord
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from processors.roles.journeys import JourneyLogic
from streams.avro.codec import Codec
from streams.clock import PartitionClock, SystemClock, to_millis
from streams.config import Settings, TimeSource
from streams.errors import PartitionLost, PartitionStopped, Unavailable
from streams.events import JourneyState, replace
from streams.processor import Effect, Incoming, Send, Step
from streams.processor.deadlines import Deadlines
from streams.processor.intake import Intake
from streams.processor.isolation import Search
from streams.processor.logic import Completion
from streams.processor.steps import Steps
from streams.processor.store import Overlay, Store
from streams.processor.transaction import Outbox, Transaction
from streams.subscribing.dead_letters import DeadLetter
from tests.journey.given import PLAYBOOK
from tests.streams.given import LATE, NOON, TOPICS, contact, prepared, record

SETTINGS = Settings(time_source=TimeSource.EVENTS, partitions=1)
BAD = "bad-one"


class Broken(JourneyLogic):
    """The journeys' logic with a fault at one stage, for one customer."""

    def __init__(self, fault: str = "") -> None:
        super().__init__(topics=TOPICS, playbook=PLAYBOOK)
        self.fault = fault
        self.error: Exception = ZeroDivisionError("planted")

    def admit(self, record: Any, now: Any) -> None:
        """Fails at the stage ``admit``."""
        super().admit(record, now)
        self._fail("admit", record.customer_id)

    def receive(self, incoming: Incoming, state: JourneyState | None, now: Any, *, busy: bool) -> Step[JourneyState]:
        """Fails at the stage ``step``, or returns a state or an output that cannot be written."""
        customer = getattr(incoming.record, "customer_id", "")
        self._fail("step", customer)
        step = super().receive(incoming, state, now, busy=busy)
        if customer != BAD or step.state is None:
            return step
        match self.fault:
            case "encode":
                return replace(step, state=replace(step.state, touchpoints="many"))
            case "size":
                return replace(step, state=replace(step.state, playbook_version="v" * (2 << 20)))
            case "output":
                huge: Any = replace(incoming.record, summary="s" * (2 << 20))
                return replace(step, sends=(Send(topic=TOPICS.touchpoints, key=BAD, record=huge),))
            case _:
                return step

    def wake(self, key: str, state: JourneyState, now: Any, *, busy: bool) -> Step[JourneyState]:
        """Fails at the stage ``deadline``."""
        self._fail("deadline", key)
        return super().wake(key, state, now, busy=busy)

    def completed(self, key: str, state: JourneyState | None, result: Any, now: Any) -> Step[JourneyState]:
        """Fails at the stage ``result``."""
        self._fail("result", key)
        return Step(state=state, unchanged=True)

    def resume(self, key: str, state: JourneyState, now: Any) -> Step[JourneyState] | None:
        """Fails at the stage ``resume``."""
        self._fail("resume", key)
        return None

    def _fail(self, fault: str, customer: str) -> None:
        if fault == self.fault and customer == BAD:
            raise self.error


@dataclass
class Bench:
    """One partition's parts without a network."""

    codec: Codec
    logic: Broken
    window: int = 200
    partitions: int = 1
    position: int = 0
    clock: int = 0
    committed: list[Transaction[JourneyState]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store: Store[JourneyState] = Store(codec=self.codec, topic=TOPICS.journeys, cache_size=100)
        self.wakes = Deadlines()
        outbox = Outbox(
            settings=SETTINGS, codec=self.codec, logic=self.logic, role="journeys", partition=0,
            partitions=self.partitions,
        )  # fmt: skip
        intake = Intake(
            logic=self.logic, codec=self.codec, partition=0, partitions=self.partitions, window=self.window, share=0.5
        )
        self.steps: Steps[JourneyState] = Steps(
            settings=SETTINGS, group="careline.journeys", logic=self.logic, intake=intake, outbox=outbox,
            wakes=self.wakes, busy=lambda key: False, wall=SystemClock(), timers=1_000,
        )  # fmt: skip

    def begin(self) -> Transaction[JourneyState]:
        """Return a transaction that follows the committed ones."""
        return Transaction(
            overlay=Overlay(self.store), clock=PartitionClock(self.clock), position=self.position, room=1_000
        )

    async def commit(self, records: Sequence[ConsumerRecord] = (), **others: Any) -> Transaction[JourneyState]:
        """Build a transaction and treat it as committed."""
        tx = await self.steps.make(self.begin, records=records, **others)
        self.store.merge(tx.changes)
        self.position, self.clock = tx.position, tx.clock.millis
        self.committed.append(tx)
        return tx

    def told(self, customer: str, offset: int) -> ConsumerRecord:
        """Return a record of a contact of the customer."""
        event = contact(event_id=f"event-{offset}", customer_id=customer, contact_id=f"c-{offset}")
        one = record(self.codec.encode(TOPICS.touchpoints, event), key=customer.encode(), offset=offset)
        return dataclasses.replace(one, timestamp=to_millis(NOON) + offset)

    def waits(self, customer: str, offset: int) -> ConsumerRecord:
        """Return a record of a delay without a known end, which sets a deadline."""
        event = replace(
            LATE,
            event_id=f"event-{offset}",
            customer_id=customer,
            promised_at=NOON + timedelta(hours=1),
            expected_at=None,
        )
        one = record(self.codec.encode(TOPICS.touchpoints, event), key=customer.encode(), offset=offset)
        return dataclasses.replace(one, timestamp=to_millis(NOON))

    @property
    def states(self) -> dict[str, bytes | None]:
        """The latest written states."""
        return {
            (out.key or b"").decode(): out.value
            for tx in self.committed
            for out in tx.outgoing.get(("careline.journeys", 0), ())
        }

    @property
    def dead(self) -> list[DeadLetter]:
        """The dead letters."""
        return [
            DeadLetter.of(record(out.value, key=out.key, headers=out.headers, topic="careline.dead-letters"))
            for tx in self.committed
            for out in tx.outgoing.get(("careline.dead-letters", 0), ())
        ]


async def bench(fault: str = "", *, window: int = 200, partitions: int = 1) -> Bench:
    """Return the parts, with a logic that has this fault."""
    codec, _ = await prepared()
    return Bench(codec=codec, logic=Broken(fault), window=window, partitions=partitions)


CUSTOMERS = ("ana", BAD, "ben", "ana", "cleo")


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("admit", "admit: ZeroDivisionError: planted"),
        ("step", "step: ZeroDivisionError: planted"),
        ("encode", "encode: "),
        ("size", "size: OutputTooLarge: "),
        ("output", "size: OutputTooLarge: "),
    ],
)
async def test_a_record_that_fails_stands_alone(fault: str, said: str) -> None:
    """A record that fails at any stage becomes a dead letter with its original bytes; all others are handled in
    order."""
    broken, well = await bench(fault), await bench()
    told = [broken.told(customer, offset) for offset, customer in enumerate(CUSTOMERS)]
    await broken.commit(told)
    await well.commit([one for one in told if one.key != BAD.encode()])
    [dead] = broken.dead
    assert (dead.reason, dead.offset, dead.value, dead.key) == ("unprocessable", 1, told[1].value, BAD.encode())
    assert dead.detail.startswith(said)
    assert broken.states == well.states
    assert (broken.position, broken.committed[0].dead_letters) == (5, {("unprocessable", "unknown"): 1})
    outputs = [tx.outgoing.get(("careline.decisions", 0)) for tx in (broken.committed[0], well.committed[0])]
    assert outputs[0] == outputs[1]


async def test_an_event_is_handled_once_the_fault_is_repaired() -> None:
    """A failed event that is republished after the fault is repaired is handled like any other."""
    broken = await bench("step")
    told = [broken.told(customer, offset) for offset, customer in enumerate(CUSTOMERS)]
    await broken.commit(told)
    broken.logic.fault = ""
    tx = await broken.commit([dataclasses.replace(told[1], offset=5)])
    assert tx.handled == {"folded": 1}
    assert BAD in broken.states


async def test_a_deadline_that_fails_costs_its_customer_and_is_tried_again() -> None:
    """A failed deadline becomes a dead letter and is retried after one minute, then two; other deadlines fire."""
    broken = await bench("deadline")
    await broken.commit([broken.waits(customer, offset) for offset, customer in enumerate(("ana", BAD))])
    due = broken.wakes.due(BAD)
    assert due is not None
    tx = await broken.commit(tick=due + 1_000)
    assert broken.wakes.due(BAD) == due + 60_000
    assert "ana" in tx.changes
    assert BAD not in tx.changes
    [dead] = broken.dead
    assert (dead.reason, dead.key, dead.value, dead.offset) == ("unprocessable", BAD.encode(), None, -1)
    assert dead.detail.startswith("deadline: ZeroDivisionError")
    await broken.commit(tick=due + 61_000)
    assert broken.wakes.due(BAD) == due + 180_000
    broken.logic.fault = ""
    tx = await broken.commit(tick=due + 181_000)
    assert BAD in tx.changes


async def test_a_result_that_cannot_be_recorded_is_not_lost_in_silence() -> None:
    """A result that cannot be recorded becomes a dead letter and its effect is not repeated; other results are
    recorded."""
    broken = await bench("result")
    done = [Completion(Effect(key=key, lane=key, task=None), "sent") for key in ("ana", BAD, "ben")]
    tx = await broken.commit(completions=done)
    assert sorted(one.effect.key for one in tx.settled) == ["ana", BAD, "ben"]
    assert [dead.detail.split(":")[0] for dead in broken.dead] == ["result"]


async def test_what_cannot_be_resumed_is_told() -> None:
    """After a crash, a key that cannot be resumed becomes a dead letter, and the others resume."""
    broken = await bench("resume")
    await broken.commit([broken.waits(customer, offset) for offset, customer in enumerate(("ana", BAD))])
    tx = await broken.commit(resuming=["ana", BAD])
    assert tx.resumed == 2
    assert [dead.detail.split(":")[0] for dead in broken.dead] == ["resume"]


@pytest.mark.parametrize("error", [Unavailable("the registry is away"), KafkaError(), PartitionLost("fenced")])
async def test_what_the_infrastructure_does_is_nobodys_failure(error: Exception) -> None:
    """An error of the infrastructure makes no dead letter; the partition is acquired again."""
    broken = await bench("step")
    broken.logic.error = error
    with pytest.raises(type(error)):
        await broken.commit([broken.told(BAD, 0)])


async def test_most_records_failing_stops_the_partition() -> None:
    """If most records fail, the partition stops; each record counts once."""
    broken = await bench("step", window=10)
    with pytest.raises(PartitionStopped, match="could not be handled"):
        await broken.commit([broken.told(BAD, offset) for offset in range(10)])
    some = await bench("step", window=10)
    await some.commit([some.told(BAD if offset % 2 else "ana", offset) for offset in range(10)])
    assert len(some.dead) == 5


async def test_an_oversized_forwarded_event_is_a_dead_letter() -> None:
    """A record that is too large to forward uncompressed is a dead letter."""
    one = await bench(partitions=50)
    told = [dataclasses.replace(one.told("ana", 0), headers=(("x", b"y" * (3 << 20)),)), one.told("ben", 1)]
    tx = await one.commit(told)
    [dead] = one.dead
    assert (dead.reason, dead.detail.split(":")[0]) == ("unprocessable", "size")
    assert tx.handled["forwarded"] == 1


async def test_an_oversized_dead_letter_keeps_its_beginning() -> None:
    """A dead letter of twenty megabytes keeps the first 64 KiB, with length, hash and offset, and the first headers."""
    one = await bench()
    large = dataclasses.replace(record(b"\0" * (20 << 20), offset=0), headers=(("a", b"b"), ("big", b"h" * (9 << 20))))
    await one.commit([large, one.told("ana", 1)])
    [dead] = one.dead
    assert (dead.reason, dead.truncated, dead.length, dead.offset) == (
        "too_large", ("headers", "value"), 20 << 20, 0,
    )  # fmt: skip
    assert dead.value == b"\0" * (64 << 10)
    assert dead.headers == (("a", b"b"),)
    assert dead.is_original(large)
    assert not dead.is_original(record(b"\0" * (19 << 20)))


async def test_a_dead_letter_with_an_endless_key_fits() -> None:
    """A dead letter with a very long key keeps the key's beginning."""
    one = await bench()
    await one.commit([record(b"garbage", key=b"k" * (12 << 20), offset=0)])
    [dead] = one.dead
    assert (dead.truncated, len(dead.key or b""), dead.value) == (("key",), 64 << 10, b"garbage")


def test_the_item_that_the_broker_refuses_is_found_by_halves() -> None:
    """The rejected item among a thousand is found in ten attempts, and soon full batches are tried again."""
    search = Search(1_000)
    tries = 0
    while search.refused is None:
        search.trying(1_000 if search.most is None else search.most)
        lost = PartitionLost("refused")
        lost.__cause__ = MessageSizeTooLargeError()
        search.failed(lost)
        tries += 1
    assert (search.most, tries) == (1, 10)
    for _ in range(12):
        search.accepted()
    assert (search.most, search.refused) == (None, None)


async def test_the_item_that_the_broker_refuses_alone_is_set_aside() -> None:
    """An item that the broker rejects becomes a dead letter with the broker's error."""
    one = await bench()
    tx = await one.commit([one.told("ana", 0), one.told("ben", 1)], most=1, refused=MessageSizeTooLargeError())
    assert (tx.position, tx.items) == (1, 1)
    [dead] = one.dead
    assert dead.detail.startswith("broker: MessageSizeTooLargeError")
    await one.commit([one.told("ben", 1)])
    assert "ben" in one.states
