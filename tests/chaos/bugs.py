"""Planted bugs: each breaks one of the processor's rules, and the drive has to notice. For the oracle's own test."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from typing import Any

from aiokafka import AIOKafkaProducer

from streams.processor import recovery, tenure
from streams.processor.savepoint import Savepoint
from streams.processor.steps import Steps
from streams.processor.transaction import Outbox


class _NobodyWaits:
    """A producer whose sends seem to have arrived as soon as they are queued."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._producer, name)

    async def send_batch(self, *arguments: Any, **named: Any) -> asyncio.Future[None]:
        sent = await self._producer.send_batch(*arguments, **named)
        sent.add_done_callback(lambda done: done.cancelled() or done.exception())
        arrived: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        arrived.set_result(None)
        return arrived


def unawaited_send() -> None:
    """The commit does not wait for the sends: one that the broker refused is committed over."""
    real = Outbox.send

    async def send(self: Outbox, producer: AIOKafkaProducer, tx: Any) -> None:
        await real(self, _NobodyWaits(producer), tx)

    Outbox.send = send  # type: ignore[method-assign]


def skipped_fencing() -> None:
    """Every start takes a transactional id of its own, so nobody fences the owner before."""
    real = AIOKafkaProducer.__init__

    def init(self: AIOKafkaProducer, *arguments: Any, **named: Any) -> None:
        if "transactional_id" in named:
            named["transactional_id"] += f"-{uuid.uuid4()}"
        real(self, *arguments, **named)

    AIOKafkaProducer.__init__ = init


def early_merge() -> None:
    """State changes are taken over before the commit, and kept when it fails."""
    add_states, restore = Outbox.add_states, recovery.restore
    stores: dict[int, Any] = {}

    def merged(self: Outbox, tx: Any) -> None:
        add_states(self, tx)
        tx.overlay._store.merge(tx.changes)

    async def kept(store: Any, wakes: Any, *, partition: int, **named: Any) -> None:
        await restore(store, wakes, partition=partition, **named)
        vars(store).update(vars(stores.setdefault(partition, store)))

    Outbox.add_states = merged  # type: ignore[method-assign]
    tenure.restore = kept  # type: ignore[attr-defined]


def lost_timer() -> None:
    """Recovery rebuilds the states, but not when they want to be woken."""
    real = recovery.restore

    async def restore(store: Any, wakes: Any, **named: Any) -> None:
        await real(store, wakes, **named)
        for key in list(wakes.keys()):
            wakes.set(key, None)

    tenure.restore = restore  # type: ignore[attr-defined]


def lost_after_failure() -> None:
    """The record after one that was set aside is passed over with it."""
    set_aside, receive = Steps._set_aside, Steps._receive
    passed_over: set[int] = set()

    def set_aside_too_much(self: Steps[Any], tx: Any, what: Any, why: Any) -> None:
        set_aside(self, tx, what, why)
        passed_over.add(id(self))

    async def received(self: Steps[Any], tx: Any, record: Any) -> None:
        if id(self) in passed_over:
            passed_over.discard(id(self))
            return
        await receive(self, tx, record)

    Steps._set_aside = set_aside_too_much  # type: ignore[method-assign]
    Steps._receive = received  # type: ignore[method-assign]


def kept_of_failure() -> None:
    """What a step had sent when it failed is not taken back: its record is set aside, and half of it is committed."""
    restore = Savepoint.restore

    def restored(self: Savepoint) -> None:
        outgoing = {where: list(sent) for where, sent in self._tx.outgoing.items()}
        restore(self)
        for where, sent in outgoing.items():
            self._tx.outgoing[where][:] = sent

    Savepoint.restore = restored  # type: ignore[method-assign]


BUGS: dict[str, Callable[[], None]] = {
    "unawaited_send": unawaited_send,
    "skipped_fencing": skipped_fencing,
    "early_merge": early_merge,
    "lost_timer": lost_timer,
    "lost_after_failure": lost_after_failure,
    "kept_of_failure": kept_of_failure,
}
"""By name; called in the worker's process before it runs the role."""
