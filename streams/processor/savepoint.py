"""Rolls a transaction that is being built back to before an item."""

from __future__ import annotations

from typing import Any

from streams.processor.deadlines import Deadlines
from streams.processor.transaction import Transaction


class Savepoint:
    """The contents of a transaction before an item."""

    def __init__(self, tx: Transaction[Any], wakes: Deadlines) -> None:
        self._tx, self._wakes = tx, wakes
        self._outgoing = {where: len(sent) for where, sent in tx.outgoing.items()}
        self._effects = list(tx.effects)
        self._settled, self._withdrawn = len(tx.settled), len(tx.withdrawn)
        self._handled, self._dead_letters = dict(tx.handled), dict(tx.dead_letters)
        self._published, self._sent, self._taken = len(tx.published_at), len(tx.sent), len(tx.taken)
        self._traced, self._fired, self._timers = len(tx.traced), len(tx.fired), tx.timers
        self._spans = None if tx.spans is None else tx.spans.mark()
        self.states = tx.overlay.mark()
        self._deadlines = wakes.mark()

    def restore(self) -> None:
        """Remove everything that the item added; only the advance of the clock stays."""
        tx = self._tx
        for where, sent in tx.outgoing.items():
            del sent[self._outgoing.get(where, 0) :]
        tx.effects[:] = self._effects
        del tx.settled[self._settled :], tx.withdrawn[self._withdrawn :]
        tx.handled.clear()
        tx.handled.update(self._handled)
        tx.dead_letters.clear()
        tx.dead_letters.update(self._dead_letters)
        del tx.published_at[self._published :]
        del tx.sent[self._sent :], tx.taken[self._taken :]
        del tx.traced[self._traced :], tx.fired[self._fired :]
        tx.timers = self._timers
        if tx.spans is not None and self._spans is not None:
            tx.spans.undo(self._spans)
        tx.overlay.undo(self.states)
        self._wakes.undo(self._deadlines)
