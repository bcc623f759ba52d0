"""What a batch does to a transaction: each record, deadline and result, one step of the logic after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

import structlog
from aiokafka import ConsumerRecord

from streams.clock import Clock, PartitionClock, from_millis, to_millis
from streams.cloudevents import Headers, published_at_millis
from streams.config import Settings, TimeSource
from streams.dead_letters import headers_of
from streams.errors import Unreadable
from streams.processor.intake import Intake, Misplaced
from streams.processor.logic import Completion, Logic, Step
from streams.processor.transaction import Outbox, Outgoing, Transaction
from streams.processor.wakes import Wakes

log = structlog.get_logger()

S = TypeVar("S")

_FUTURE_RECORD = 3_600_000  # ms; the broker's own bound, so that one wrong clock does not move everybody's


class Steps(Generic[S]):
    """Fills a transaction; nothing of it is true before its commit, but ``wakes`` is: after a failure it is rebuilt."""

    def __init__(
        self,
        *,
        settings: Settings,
        group: str,
        logic: Logic[S],
        intake: Intake,
        outbox: Outbox,
        wakes: Wakes,
        busy: Callable[[str], bool],
        wall: Clock,
        timers: int,
    ) -> None:
        self._settings = settings
        self._group = group
        self._logic = logic
        self._intake = intake
        self._outbox = outbox
        self._wakes = wakes
        self._busy = busy
        self._wall = wall if settings.time_source is TimeSource.WALL else None
        self._timers = timers

    async def run(
        self,
        tx: Transaction[S],
        *,
        resuming: Iterable[str],
        completions: Iterable[Completion],
        records: Iterable[ConsumerRecord],
        tick: int | None,
    ) -> None:
        """What was cut off by a crash, then results, records in their order, and last the wall clock's ``tick`` in ms.

        Of deadlines at most ``timers`` fire, and at most ``tx.room`` effects are asked for. Where more are due, the
        transaction ends before the record that they precede: ``tx.position`` says how far it came, and what is left
        is for the next one.

        Raises PartitionStopped, Unavailable, or whatever a fault in the logic raises.
        """
        for key in resuming:
            await self._resume(tx, key)
        for completion in completions:
            await self._complete(tx, completion)
        for record in records:
            moment = max(self._stamp(record), tx.clock.millis)
            if self._wakes.due_by(moment) and not await self._fire(tx, moment):
                return
            if len(tx.effects) >= tx.room:
                return
            tx.clock.observe(moment)
            await self._receive(tx, record)
        if tick is not None:
            moment = PartitionClock(tx.clock.millis).tick(tick)
            if await self._fire(tx, moment):
                tx.clock.observe(moment)

    def _stamp(self, record: ConsumerRecord) -> int:
        """The record's time in ms, as far as it is believed."""
        stamp: int = record.timestamp
        return stamp if self._wall is None else min(stamp, to_millis(self._wall.now()) + _FUTURE_RECORD)

    async def _receive(self, tx: Transaction[S], record: ConsumerRecord) -> None:
        tx.position = record.offset + 1
        now = from_millis(tx.clock.millis)
        try:
            incoming = await self._intake.read(record, now)
        except Unreadable as why:
            self._put_aside(tx, record, why)
            return
        if isinstance(incoming, Misplaced):
            out = Outgoing(incoming.key.encode(), record.value, record.timestamp, list(record.headers))
            tx.outgoing[record.topic, incoming.partition].append(out)
            tx.handled["forwarded"] += 1
            return
        key = self._logic.key(incoming.record)
        step = self._logic.receive(incoming, await tx.overlay.get(key), now, busy=self._under_way(tx, key))
        tx.handled[step.handling] += 1
        self._apply(tx, key, step, at=tx.clock.millis, cause=incoming.headers)
        if step.refused is not None:
            self._keep(tx, record, step.refused)
        published = published_at_millis(incoming.headers)
        if published is not None:
            tx.published_at.append(published)

    async def _fire(self, tx: Transaction[S], until: int) -> bool:
        """Wake the keys that are due by ``until``, in the order of their deadlines, each at its own time.

        False if some are left: a storm of them in one go would outlast the worker's session with its group.
        """
        while tx.timers < self._timers and len(tx.effects) < tx.room:
            due = self._wakes.pop_due(until)
            if due is None:
                return True
            millis, key = due
            tx.clock.observe(millis)
            state = await tx.overlay.get(key)
            if state is None:
                continue
            # one that this very transaction asks for counts as under way: a deadline must not ask for it again
            busy = self._under_way(tx, key) or any(effect.key == key for effect in tx.effects)
            step = self._logic.wake(key, state, from_millis(millis), busy=busy)
            tx.timers += 1
            self._apply(tx, key, step, at=millis, cause=[])
            again = self._wakes.due(key)
            if again is not None and again <= millis:
                raise RuntimeError(f"a deadline of {key} is not later than the one that fired")
        return not self._wakes.due_by(until)

    def _under_way(self, tx: Transaction[S], key: str) -> bool:
        """Whether an effect of the key has no result yet. One whose result this very transaction records has."""
        return self._busy(key) and not any(done.effect.key == key for done in tx.settled)

    async def _resume(self, tx: Transaction[S], key: str) -> None:
        state = await tx.overlay.get(key)
        if state is None or self._busy(key):
            return
        step = self._logic.resume(key, state, from_millis(tx.clock.millis))
        if step is not None:
            self._apply(tx, key, step, at=tx.clock.millis, cause=[])

    async def _complete(self, tx: Transaction[S], completion: Completion) -> None:
        key = completion.effect.key
        state = await tx.overlay.get(key)
        step = self._logic.completed(key, state, completion.result, from_millis(tx.clock.millis))
        tx.settled.append(completion)
        self._apply(tx, key, step, at=tx.clock.millis, cause=[])

    def _apply(self, tx: Transaction[S], key: str, step: Step[S], *, at: int, cause: Headers) -> None:
        if not step.unchanged:
            tx.overlay.put(key, step.state)
            wake_at = getattr(step.state, "wake_at", None)
            self._wakes.set(key, None if wake_at is None else to_millis(wake_at))
        for send in step.sends:
            self._outbox.add(tx, send, at=at, cause=cause)
        if step.withdraw_effects:
            tx.effects = [effect for effect in tx.effects if effect.key != key]
        tx.effects.extend(step.effects)

    def _put_aside(self, tx: Transaction[S], record: ConsumerRecord, why: Unreadable) -> None:
        tx.handled["dead_letter"] += 1
        self._keep(tx, record, why)

    def _keep(self, tx: Transaction[S], record: ConsumerRecord, why: Unreadable) -> None:
        topics = self._settings.topics
        out = Outgoing(
            record.key,
            b"" if record.value is None else record.value,
            tx.clock.millis,
            headers_of(record, why, reader=self._group),
        )
        partition = self._outbox.same_partition
        tx.outgoing[topics.full_name(topics.dead_letters), partition].append(out)
        tx.dead_letters[why.reason] += 1
        log.warning(
            "dead letter", topic=record.topic, partition=record.partition, offset=record.offset, why=str(why)[:300]
        )
