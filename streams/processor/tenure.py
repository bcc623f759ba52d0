"""A worker's ownership of a partition, from acquiring it to losing it: its state in memory, and its transactions."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Generic, Self, TypeVar

from streams.broker.closing import closed
from streams.broker.contract import ConsumerRecord, TopicPartition, TransactionalProducer
from streams.clock import PartitionClock
from streams.config import TimeSource
from streams.errors import PartitionLost
from streams.processor.census import Census
from streams.processor.deadlines import Deadlines
from streams.processor.effects import Effects
from streams.processor.failpoints import Point, reached
from streams.processor.intake import Intake
from streams.processor.isolation import Search
from streams.processor.logic import Completion
from streams.processor.progress import Progress
from streams.processor.recovery import committed, restore
from streams.processor.shared import Shared
from streams.processor.steps import Steps
from streams.processor.store import Overlay, Store
from streams.processor.traces import Spans, Traces
from streams.processor.transaction import Committed, Outbox, Transaction
from streams.processor.watchdog import CUT_SHORT, commit

S = TypeVar("S")


class Tenure(Generic[S]):
    """Valid from construction until the first failure; after that the owner acquires a new one.

    :meth:`make` a transaction, :meth:`commit` it, and :meth:`take_over` its changes.
    """

    def __init__(
        self,
        at: TopicPartition,
        *,
        shared: Shared[S],
        producer: TransactionalProducer,
        store: Store[S],
        wakes: Deadlines,
        position: int,
        clock: PartitionClock,
        census: Census[S],
        effects: Effects | None,
        traces: Traces | None,
    ) -> None:
        self.store = store
        """The committed states."""
        self.deadlines = wakes
        """When each key is to be woken; while a transaction is made, also what it changes."""
        self.position = position
        """The offset of the first record that is not handled."""
        self.resuming: list[str] = wakes.keys() if effects is not None else []
        """Keys whose effect a crash may have interrupted."""
        self._at = at
        self._shared = shared
        self._producer = producer
        self._clock = clock
        self._census = census
        self._traces = traces
        self._outbox = Outbox(
            settings=shared.settings,
            codec=shared.codec,
            logic=shared.logic,
            role=shared.role,
            partition=at.partition,
            partitions=shared.partitions,
        )
        self._steps = Steps(
            settings=shared.settings,
            group=shared.group,
            logic=shared.logic,
            intake=_intake(shared, at.partition),
            outbox=self._outbox,
            wakes=wakes,
            busy=_nothing_is_busy if effects is None else effects.busy,
            wall=shared.clock,
            timers=shared.limits.timers,
            outside=effects is not None,
        )

    @classmethod
    async def acquire(
        cls, at: TopicPartition, *, shared: Shared[S], effects: Effects | None, progress: Progress
    ) -> Self:
        """Fence the previous owner, and recover the partition's state, deadlines, offset and clock.

        It waits for ``effects`` of ours that are still running: their results go into the first transaction. Raises any
        error of the infrastructure, after closing the producer.
        """
        producer = shared.broker.transactional(
            f"{shared.group}-{at.partition}", within=shared.limits.transaction_timeout
        )
        try:
            # The order matters: starting the producer fences the previous owner and settles its last transaction; only
            # then is the end of the state topic final, and then the committed offset.
            await producer.start()
            if effects is not None:
                await effects.idle()
            store: Store[S] = Store(codec=shared.codec, topic=shared.logic.state_topic, cache_size=shared.limits.cache)
            wakes = Deadlines(as_they_came=shared.real)
            traces = shared.traces(at.partition)
            await restore(store, wakes, traces=traces, shared=shared, partition=at.partition, progress=progress)
            position, clock = await committed(at, shared=shared)
            census = Census(shared.classes, at.partition)
            await census.take(store, wakes)
        except BaseException:
            await closed(producer)
            raise
        return cls(
            at,
            shared=shared,
            producer=producer,
            store=store,
            wakes=wakes,
            position=position,
            clock=clock,
            census=census,
            effects=effects,
            traces=traces,
        )

    async def release(self) -> None:
        """Close the producer. The next owner aborts an open transaction."""
        await closed(self._producer)

    def due(self, tick: int | None) -> bool:
        """Return whether the wall clock's ``tick`` in ms has reached a deadline; None: the wall clock does not count
        now."""
        due = self.deadlines.next()
        until = tick if tick is None or self._shared.real else PartitionClock(self._clock.millis).tick(tick)
        return due is not None and until is not None and due <= until

    async def make(
        self,
        records: Sequence[ConsumerRecord],
        completions: Sequence[Completion],
        *,
        tick: int | None,
        room: int,
        search: Search,
    ) -> Transaction[S]:
        """Build a transaction, see :meth:`Steps.make`. ``room``: how many effects it may request."""
        tx = await self._steps.make(
            lambda: Transaction(
                overlay=Overlay(self.store),
                clock=PartitionClock(self._clock.millis),
                position=self.position,
                room=room,
                spans=None if self._traces is None else Spans(self._traces),
            ),
            resuming=self.resuming,
            completions=completions,
            records=records,
            tick=tick,
            most=search.most,
            refused=search.refused,
        )
        search.trying(tx.items)
        return tx

    async def commit(self, tx: Transaction[S]) -> Committed[S]:
        """Send and commit the transaction, and return its changes. Raises PartitionLost on failure; the outcome is then
        unknown."""
        began = 0 if tx.spans is None else time.time_ns()
        try:
            await self._producer.begin_transaction()
            await self._outbox.send(self._producer, tx)
            reached(Point.BEFORE_OFFSETS)
            await self._producer.send_offsets_to_transaction(
                {self._at: (tx.position, str(tx.clock.millis))}, self._shared.group
            )
        except CUT_SHORT as error:
            raise PartitionLost(repr(error)) from error
        reached(Point.AFTER_OFFSETS)
        await commit(self._producer, within=self._shared.limits.commit_hangs_after, what=str(self._at))
        if tx.spans is not None:
            tx.spans.committed(items=tx.items, messages=sum(tx.handled.values()), began=began)
        return Committed.of(tx)

    def take_over(self, changes: Committed[S]) -> None:
        """Apply the committed changes to the state in memory."""
        self.store.merge(changes.states)
        self._census.follow(changes.states)
        self._clock = changes.clock
        self.position = changes.position
        self.resuming = self.resuming[changes.resumed :]


def _intake(shared: Shared[S], partition: int) -> Intake:
    return Intake(
        logic=shared.logic,
        codec=shared.codec,
        partition=partition,
        partitions=shared.partitions,
        window=shared.limits.dead_letter_window,
        share=shared.limits.dead_letter_share,
        # in event time a record's time is the event's; only the touchpoints topic is written by others
        broker_time=shared.settings.time_source is TimeSource.WALL and shared.logic.input.name == "touchpoints",
    )


def _nothing_is_busy(_: str) -> bool:
    return False
