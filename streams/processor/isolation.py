"""A failure costs what it belongs to and no more: one record, one deadline, one result of an effect.

A transaction is made at full speed first. If anything in it fails that is no fault of the infrastructure, all of it is
taken back and it is made again item by item, each behind a savepoint (:mod:`streams.processor.savepoint`). An item that
fails is taken back by itself and set aside; the others go on in order.
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
    """Whether trying again later may help: brokers, fencing, the registry. All else is the item's own failure."""
    return isinstance(error, _INFRASTRUCTURE)


REFUSALS = (MessageSizeTooLargeError, RecordListTooLargeError, InvalidMessageError, OutputTooLarge)
"""What a record makes a broker say however often it is sent: its topic may take less than the catalogue says."""

_INFRASTRUCTURE = (KafkaError, Unavailable, SchemaNotRegistered, RefusedByServer, PartitionLost, PartitionStopped)


def blamed(stage: Stage, error: BaseException) -> Unreadable:
    """What the dead letter says: ``<stage>: <error>: <message>``, and the innermost place in the code that raised."""
    if isinstance(error, OutputTooLarge):
        stage = Stage.SIZE if stage is Stage.ENCODE else stage
    message = str(error)[:_MOST_OF_A_MESSAGE]
    frames = traceback.extract_tb(error.__traceback__)
    at = f" (at {frames[-1].name}, line {frames[-1].lineno})" if frames else ""
    return Unreadable(UNPROCESSABLE, f"{stage}: {type(error).__name__}: {message}{at}")


class Search:
    """Finds the item that the broker refuses. It refuses a whole transaction and does not say for which of its records:
    half of the items are tried next time, down to the one that is refused alone."""

    def __init__(self, batch: int) -> None:
        """``batch``: the items of an ordinary transaction, at most."""
        self._batch = batch
        self._tried = 0
        self.most: int | None = None
        """The items to try next, at most; None: as many as there are."""
        self.refused: Exception | None = None
        """What the broker said to the next item alone."""

    def trying(self, items: int) -> None:
        """A transaction of so many items is being sent."""
        self._tried = items

    def failed(self, why: BaseException) -> None:
        """It failed. Only what the broker says of the records themselves is taken for a refusal."""
        refusal = why.__cause__ or why
        if isinstance(refusal, REFUSALS):
            self.most = max(self._tried // 2, 1)
            self.refused = refusal if self._tried <= 1 else None

    def accepted(self) -> None:
        """It was committed: more may be tried again."""
        self.refused = None
        if self.most is not None:
            self.most = self.most * 2 if self.most < self._batch else None
