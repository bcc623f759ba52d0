"""Planted bugs of the dispatcher: each breaks one of the ledger's rules, and the provider's side has to notice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from processors.outreach.delivery import Delivery
from processors.outreach.ledger import Delivered, LedgerLogic
from streams.processor import Effect
from streams.processor.effects import Effects
from streams.processor.partition import Partition
from streams.processor.tenure import Tenure

_LATER = 0.5  # seconds

_calls: set[asyncio.Task[Any]] = set()


def outcome_before_call() -> None:
    """A letter is told as sent first, and handed to the provider a moment later."""
    real = Delivery.perform

    async def perform(self: Delivery, effect: Effect) -> Any:
        async def later() -> None:
            await asyncio.sleep(_LATER)
            await real(self, effect)

        call = asyncio.create_task(later())
        _calls.add(call)
        call.add_done_callback(_calls.discard)
        return Delivered(channel=effect.task.request.addresses[0].channel, provider="none", message_id=None)

    Delivery.perform = perform  # type: ignore[method-assign]


def call_before_intent() -> None:
    """The provider is called while the intent's transaction is still open."""
    transact, real = Partition._transact, Tenure.commit
    running: ContextVar[Effects] = ContextVar("running")

    async def known(self: Partition[Any], *arguments: Any) -> None:
        assert self._effects is not None
        running.set(self._effects)
        await transact(self, *arguments)

    async def commit(self: Tenure[Any], tx: Any) -> Any:
        effects, tx.effects = tx.effects, []
        for effect in effects:
            running.get().start(effect)
        if effects:
            await asyncio.sleep(_LATER)
        return await real(self, tx)

    Partition._transact = known  # type: ignore[method-assign]
    Tenure.commit = commit  # type: ignore[method-assign]


def called_again() -> None:
    """After a crash every letter in doubt is sent again, also where the customer would see it twice."""
    LedgerLogic._twice_is_once = lambda self, request: True  # type: ignore[method-assign]


DISPATCH_BUGS: dict[str, Callable[[], None]] = {
    "outcome_before_call": outcome_before_call,
    "call_before_intent": call_before_intent,
    "called_again": called_again,
}
"""By name; called in the worker's process before it runs the role."""
