"""Builds a transaction from a batch: applies each record, deadline and effect result to the state, in order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Generic, TypeAlias, TypeVar

import structlog
from aiokafka import ConsumerRecord

from streams.clock import Clock, PartitionClock, to_millis
from streams.config import Settings
from streams.errors import Unreadable
from streams.order import check_later, due_before, follow
from streams.processor import metrics
from streams.processor.deadlines import Deadlines, Pauses, SetLate
from streams.processor.intake import Intake, Misplaced
from streams.processor.isolation import blamed, is_infrastructure
from streams.processor.logic import Completion, Logic, Stage, Step
from streams.processor.savepoint import Savepoint
from streams.processor.times import Times
from streams.processor.transaction import Outbox, Transaction
from streams.publishing.cloudevents import Headers
from streams.subscribing.dead_letters import place_of, stand_in

log = structlog.get_logger()

S = TypeVar("S")

_Act = Callable[[], Awaitable[None]]
_Item: TypeAlias = ConsumerRecord | Completion | str


class Steps(Generic[S]):
    """Builds transactions. Nothing takes effect before the commit except ``wakes`` and the intake's window, which are
    reverted when a transaction is built again, and rebuilt when the partition is acquired again."""

    def __init__(
        self,
        *,
        settings: Settings,
        group: str,
        logic: Logic[S],
        intake: Intake,
        outbox: Outbox,
        wakes: Deadlines,
        busy: Callable[[str], bool],
        wall: Clock,
        timers: int,
        outside: bool = False,
    ) -> None:
        """``outside``: the logic requests effects. Live, these are requested in real time and only once every record is
        handled, so deadlines do not fire before records."""
        self._group = group
        self._logic = logic
        self._intake = intake
        self._outbox = outbox
        self._wakes = wakes
        self._busy = busy
        self._times = Times(settings.time_source, wall=wall, outside=outside)
        self._real = self._times.real
        self._timers = timers
        self._stand_in = partial(stand_in, settings.topics.full_name(logic.state_topic), outbox.same_partition)
        self._stage = Stage.STEP
        self._careful, self._most, self._pauses, self._set_late = False, 0, Pauses(), SetLate()
        self._refused: Exception | None = None

    async def make(
        self,
        begin: Callable[[], Transaction[S]],
        *,
        resuming: Sequence[str] = (),
        completions: Sequence[Completion] = (),
        records: Sequence[ConsumerRecord] = (),
        tick: int | None = None,
        most: int | None = None,
        refused: Exception | None = None,
    ) -> Transaction[S]:
        """Build a transaction: first effects that a crash interrupted, then results, records in order, and last the
        wall clock's ``tick`` in ms.

        At most ``timers`` deadlines fire, at most ``tx.room`` effects are requested, and at most ``most`` items are
        handled. If more are due, the transaction ends before the record that they precede: ``tx.position`` says how far
        it came, and the rest is left to the next one.

        An item that fails becomes a dead letter ``unprocessable`` and affects nothing else in the transaction. With
        ``refused``, the broker's error for the first item alone, that item becomes a dead letter without being tried.

        Raises PartitionStopped if most records fail, and any error of the infrastructure.
        """
        window = self._intake.mark()
        self._wakes.begin()
        self._most = sum((len(resuming), len(completions), len(records), self._timers)) if most is None else most
        for careful in (refused is not None, True):
            self._careful, self._refused = careful, refused
            tx = begin()
            try:
                await self._run(tx, resuming, completions, records, tick)
                self._outbox.add_states(tx)
            except Exception as error:
                if careful or is_infrastructure(error):
                    raise
                log.warning("transaction_repeated_by_item", exc_info=error)
                metrics.ISOLATIONS.labels(role=self._outbox.role).inc()
                self._wakes.undo()
                self._intake.undo(window)
            else:
                return tx
        raise AssertionError("a careful transaction is made or raises")

    async def _run(
        self,
        tx: Transaction[S],
        resuming: Sequence[str],
        completions: Sequence[Completion],
        records: Sequence[ConsumerRecord],
        tick: int | None,
    ) -> None:
        for key in resuming:
            if tx.items >= self._most:
                return
            tx.resumed += 1
            await self._attempt(tx, partial(self._resume, tx, key), Stage.RESUME, key)
        for completion in completions:
            if tx.items >= self._most:
                return
            await self._attempt(tx, partial(self._complete, tx, completion), Stage.RESULT, completion)
        for record in records:
            moment = max(self._times.stamp(record), tx.clock.millis)
            if self._real is None and self._wakes.due_by(moment) and not await self._fire(tx, moment):
                return
            if tx.items >= self._most or (self._real is None and len(tx.effects) >= tx.room):
                return
            tx.clock.observe(moment)
            tx.position = record.offset + 1
            if self._careful:
                await self._attempt(tx, partial(self._receive, tx, record), None, record)
            else:
                tx.items += 1
                await self._receive(tx, record)
        if tick is not None:
            moment = PartitionClock(tx.clock.millis).tick(tick)
            if await self._fire(tx, moment if self._real is None else tick):
                tx.clock.observe(moment)

    async def _attempt(self, tx: Transaction[S], item: _Act, stage: Stage | None, what: _Item) -> bool:
        """Apply one item; in careful mode behind a savepoint. ``stage`` None: the stage that the record reached.

        Return False if the item became a dead letter.
        """
        tx.items += 1
        if not self._careful:
            await item()
            return True
        await asyncio.sleep(0)  # a batch takes longer in this mode, and the worker must answer its group meanwhile
        before, window = Savepoint(tx, self._wakes), self._intake.mark()
        try:
            if self._refused is not None:
                refused, self._refused = self._refused, None
                self._stage = Stage.BROKER
                raise refused
            await item()
            self._stage = Stage.ENCODE
            self._outbox.check_states(tx, before.states)
        except Exception as error:
            if self._stage is not Stage.BROKER and is_infrastructure(error):
                raise
            before.restore()
            self._intake.undo(window)
            self._set_aside(tx, what, blamed(self._stage if stage is None else stage, error))
            return False
        return True

    def _set_aside(self, tx: Transaction[S], what: _Item, why: Unreadable) -> None:
        match what:
            case ConsumerRecord():
                self._intake.failed(what, why)
                self._dead_letter(tx, what, why)
            case Completion():
                # The effect is not repeated: the entry keeps its deadline, and ends like an interrupted one.
                tx.settled.append(what)
                self._dead_letter(tx, self._stand_in(what.effect.key), why)
            case key:
                self._dead_letter(tx, self._stand_in(key), why)

    async def _receive(self, tx: Transaction[S], record: ConsumerRecord) -> None:
        now = self._times.now(tx.clock.millis)
        if tx.spans is not None:
            tx.spans.received(record)
        try:
            incoming = await self._intake.read(record, now)
        except Unreadable as why:
            self._dead_letter(tx, record, why)
            return
        except Exception:
            self._stage = self._intake.stage
            raise
        if isinstance(incoming, Misplaced):
            self._stage = Stage.SIZE
            self._outbox.forward(tx, record, key=incoming.key, partition=incoming.partition)
            tx.handled["forwarded"] += 1
            return
        self._stage = Stage.STEP
        key = self._logic.key(incoming.record)
        if tx.spans is not None:
            tx.spans.about(incoming.record)
        step = self._logic.receive(incoming, await tx.overlay.get(key), now, busy=self._under_way(tx, key))
        tx.took(incoming, step)
        self._apply(tx, key, step, now=now, cause=incoming.headers)
        if step.refused is not None:
            self._keep(tx, record, step.refused)

    async def _fire(self, tx: Transaction[S], until: int) -> bool:
        """Wake the keys that are due by ``until``, in the order of their deadlines, each at its own time.

        Return False if some are left: firing too many at once would outlast the worker's session with its group.
        """
        deadlines = due_before(self._wakes, until)
        while tx.timers < self._timers and len(tx.effects) < tx.room and tx.items < self._most:
            due = next(deadlines, None)
            if due is None:
                return True
            millis, key = due
            tx.clock.observe(millis)
            if not await self._attempt(tx, partial(self._wake, tx, key, millis), Stage.DEADLINE, key):
                self._put_off(tx, key)
        return not self._wakes.due_by(until)

    async def _wake(self, tx: Transaction[S], key: str, millis: int) -> None:
        state = await tx.overlay.get(key)
        if state is None:
            return
        # an effect that this transaction requests counts as running: a deadline must not request it again
        busy = self._under_way(tx, key) or any(effect.key == key for effect in tx.effects)
        if tx.spans is not None:
            tx.spans.waited("deadline", key)
        step = self._logic.wake(key, state, now := self._times.now(millis), busy=busy)
        self._pauses.forget(key)
        tx.timers += 1
        tx.fired.append(self._set_late.due(key, millis))
        self._apply(tx, key, step, now=now)
        check_later(self._wakes, key, millis)

    def _put_off(self, tx: Transaction[S], key: str) -> None:
        """Reschedule a failed deadline after a pause; an event of its key may move it earlier."""
        tx.timers += 1
        self._wakes.set(key, to_millis(self._times.now(tx.clock.millis)) + self._pauses.next(key))

    def _under_way(self, tx: Transaction[S], key: str) -> bool:
        """Return whether an effect of the key has no result yet, not counting those whose result this transaction
        records."""
        return self._busy(key) and not any(done.effect.key == key for done in tx.settled)

    async def _resume(self, tx: Transaction[S], key: str) -> None:
        state = await tx.overlay.get(key)
        if state is None or self._busy(key):
            return
        step = self._logic.resume(key, state, now := self._times.now(tx.clock.millis))
        if step is not None:
            if tx.spans is not None:
                tx.spans.waited("resume", key)
            self._apply(tx, key, step, now=now)

    async def _complete(self, tx: Transaction[S], completion: Completion) -> None:
        key = completion.effect.key
        if tx.spans is not None:
            tx.spans.completed(completion)
        state = await tx.overlay.get(key)
        step = self._logic.completed(key, state, completion.result, now := self._times.now(tx.clock.millis))
        tx.settled.append(completion)
        self._apply(tx, key, step, now=now)

    def _apply(self, tx: Transaction[S], key: str, step: Step[S], *, now: datetime, cause: Headers = ()) -> None:
        at = to_millis(step.at or now)
        self._stage = Stage.ENCODE
        if not step.unchanged:
            tx.overlay.put(key, step.state)
            follow(self._wakes, key, step.state)
            self._set_late.follow(key, self._wakes.due(key), tx.clock.millis)
        for send in step.sends:
            self._outbox.add(tx, send, at=at, cause=cause)
        if step.withdraw_effects:
            tx.effects = [effect for effect in tx.effects if effect.key != key]
            tx.withdrawn.append(key)
        tx.effects.extend(step.effects if tx.spans is None else tx.spans.stepped(key, step))

    def _dead_letter(self, tx: Transaction[S], record: ConsumerRecord, why: Unreadable) -> None:
        self._stage = Stage.SIZE
        self._keep(tx, record, why)
        tx.handled["dead_letter"] += 1

    def _keep(self, tx: Transaction[S], record: ConsumerRecord, why: Unreadable) -> None:
        self._outbox.add_dead_letter(tx, record, why, reader=self._group)
        log.warning("dead_letter", **place_of(record), reason=why.reason)
