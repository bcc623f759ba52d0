"""Stops the process if a commit hangs: its outcome is unknown, so the worker must not go on."""

from __future__ import annotations

import asyncio
import os
from datetime import timedelta
from typing import NoReturn

import structlog
from aiokafka.errors import IllegalOperation, KafkaError

from streams.broker.contract import TransactionalProducer
from streams.errors import PartitionLost
from streams.processor.failpoints import Point, reached

log = structlog.get_logger()

HUNG = 75
"""The exit code of a process that stopped itself because a commit hung."""

CUT_SHORT = (KafkaError, IllegalOperation, AssertionError)
"""The exceptions that aiokafka raises in a transaction that cannot continue: the reason, if the call itself is refused;
and IllegalOperation or an assertion, if it learned between two calls that it was fenced or has no transaction."""


async def commit(producer: TransactionalProducer, *, within: timedelta, what: str) -> None:
    """Commit the producer's transaction, or stop the process. Raises PartitionLost if it was not committed."""
    try:
        async with asyncio.timeout(within.total_seconds()):
            reached(Point.BEFORE_COMMIT)
            await producer.commit_transaction()
            reached(Point.AFTER_COMMIT)
    except TimeoutError:
        _stop_the_process(f"the commit of {what} hangs")
    except CUT_SHORT as error:
        raise PartitionLost(repr(error)) from error


def _stop_the_process(message: str) -> NoReturn:
    # the next start finds out whether the commit succeeded
    log.critical("commit_hangs", why=message)
    os._exit(HUNG)
