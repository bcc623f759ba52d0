"""Isolates failures: each costs one record, one deadline, or one result of an effect.

A transaction is first built at full speed. If anything in it fails that is not the infrastructure's fault, it is rolled
back and built again item by item, each behind a savepoint (:mod:`streams.processor.savepoint`). An item that fails is
rolled back alone and becomes a dead letter; the others continue in order.
"""

from __future__ import annotations

import traceback

from aiokafka.errors import InvalidMessageError, KafkaError, MessageSizeTooLargeError, RecordListTooLargeError

from streams.errors import (
    OutputTooLarge,
    PartitionLost,
    PartitionStopped,
    RefusedByServer,
    SchemaNotRegistered,
    Unavailable,
    Unreadable,
)
from streams.processor.logic import Stage
from streams.subscribing.dead_letters import UNPROCESSABLE

_MOST_OF_A_MESSAGE = 500


def is_infrastructure(error: BaseException) -> bool:
    """Return whether a retry may help: brokers, fencing, the registry. Any other error is the item's own."""
    return isinstance(error, _INFRASTRUCTURE)


REFUSALS = (MessageSizeTooLargeError, RecordListTooLargeError, InvalidMessageError, OutputTooLarge)
"""Errors that a broker returns for a record however often it is sent: its topic may accept less than the catalogue
says."""

_INFRASTRUCTURE = (KafkaError, Unavailable, SchemaNotRegistered, RefusedByServer, PartitionLost, PartitionStopped)


def blamed(stage: Stage, error: BaseException) -> Unreadable:
    """Return the dead letter's reason: ``<stage>: <error>: <message>``, and the innermost place in the code that raised
    it."""
    if isinstance(error, OutputTooLarge):
        stage = Stage.SIZE if stage is Stage.ENCODE else stage
    message = str(error)[:_MOST_OF_A_MESSAGE]
    frames = traceback.extract_tb(error.__traceback__)
    at = f" (at {frames[-1].name}, line {frames[-1].lineno})" if frames else ""
    return Unreadable(UNPROCESSABLE, f"{stage}: {type(error).__name__}: {message}{at}")


class Search:
    """Finds the item that the broker rejects. The broker rejects a whole transaction without naming the record, so each
    retry takes half of the items, down to the one that is rejected alone."""

    def __init__(self, batch: int) -> None:
        """``batch``: the maximum items of an ordinary transaction."""
        self._batch = batch
        self._tried = 0
        self.most: int | None = None
        """The maximum items of the next transaction; None for all."""
        self.refused: Exception | None = None
        """The broker's error for the next item alone."""

    def trying(self, items: int) -> None:
        """Record that a transaction of that many items is being sent."""
        self._tried = items

    def failed(self, why: BaseException) -> None:
        """Record that it failed. Only an error about the records themselves counts as a rejection."""
        refusal = why.__cause__ or why
        if isinstance(refusal, REFUSALS):
            self.most = max(self._tried // 2, 1)
            self.refused = refusal if self._tried <= 1 else None

    def accepted(self) -> None:
        """Record that it was committed, so that more items may be tried."""
        self.refused = None
        if self.most is not None:
            self.most = self.most * 2 if self.most < self._batch else None
