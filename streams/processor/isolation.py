"""A failure costs what it belongs to and no more: one record, one deadline, one result of an effect.

A transaction is made at full speed first. If anything in it fails that is no fault of the infrastructure, all of it is
taken back and it is made again, one item after the other, each behind a :class:`Savepoint`: an item that fails is taken
back by itself and set aside, the others go on in order.
"""

from __future__ import annotations

import traceback
from typing import Any

from aiokafka.errors import InvalidMessageError, KafkaError, MessageSizeTooLargeError, RecordListTooLargeError

from streams.errors import (
    OutputTooLarge,
    PartitionLost,
    PartitionStopped,
    Refused,
    SchemaNotRegistered,
    Unavailable,
    Unreadable,
)
from streams.processor.logic import Stage
from streams.processor.transaction import Transaction
from streams.processor.wakes import Wakes

UNPROCESSABLE = "unprocessable"
"""The reason of a dead letter that could be read, but not handled. Its detail is ``<stage>: <error>: <message>``."""

_MOST_OF_A_MESSAGE = 500


def is_infrastructure(error: BaseException) -> bool:
    """Whether trying again later may help: brokers, fencing, the registry. All else is the item's own failure."""
    return isinstance(error, _INFRASTRUCTURE)


REFUSALS = (MessageSizeTooLargeError, RecordListTooLargeError, InvalidMessageError, OutputTooLarge)
"""What a record makes a broker say however often it is sent: its topic may take less than the catalogue says."""

_INFRASTRUCTURE = (KafkaError, Unavailable, SchemaNotRegistered, Refused, PartitionLost, PartitionStopped)


def blamed(stage: Stage, error: BaseException) -> Unreadable:
    """What the dead letter says: the stage, the error, and the innermost place in the code that raised it."""
    if isinstance(error, OutputTooLarge):
        stage = Stage.SIZE if stage is Stage.ENCODE else stage
    message = str(error)[:_MOST_OF_A_MESSAGE]
    frames = traceback.extract_tb(error.__traceback__)
    at = f" (at {frames[-1].name}, line {frames[-1].lineno})" if frames else ""
    return Unreadable(UNPROCESSABLE, f"{stage}: {type(error).__name__}: {message}{at}")


class Savepoint:
    """A transaction in the making, as it was before an item."""

    def __init__(self, tx: Transaction[Any], wakes: Wakes) -> None:
        self._tx, self._wakes = tx, wakes
        self._outgoing = {where: len(sent) for where, sent in tx.outgoing.items()}
        self._effects = list(tx.effects)
        self._settled = len(tx.settled)
        self._handled, self._dead_letters = dict(tx.handled), dict(tx.dead_letters)
        self._published, self._sent = len(tx.published_at), len(tx.sent)
        self._timers = tx.timers
        self.states = tx.overlay.mark()
        self._deadlines = wakes.mark()

    def restore(self) -> None:
        """As if the item had not been: nothing of it is left but the time it has told."""
        tx = self._tx
        for where, sent in tx.outgoing.items():
            del sent[self._outgoing.get(where, 0) :]
        tx.effects[:] = self._effects
        del tx.settled[self._settled :]
        for counts, before in ((tx.handled, self._handled), (tx.dead_letters, self._dead_letters)):
            counts.clear()
            counts.update(before)
        del tx.published_at[self._published :]
        del tx.sent[self._sent :]
        tx.timers = self._timers
        tx.overlay.undo(self.states)
        self._wakes.undo(self._deadlines)
