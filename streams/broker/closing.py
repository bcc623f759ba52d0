"""Letting go of Kafka clients: a close of theirs must not look like a cancellation of ours."""

from __future__ import annotations

import asyncio
from typing import Any

import structlog

log = structlog.get_logger()


def is_cancelled() -> bool:
    """Whether the task that asks is being cancelled itself; else a CancelledError in it is somebody else's."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def closed(client: Any) -> None:
    """Stop an aiokafka consumer, producer or admin client, whatever state it is in.

    A consumer that is stopped while a fetch of its fails cancels that fetch, and lets the CancelledError out before its
    connections are closed (aiokafka 0.14, ``Fetcher.close``). It is taken for what it is, and the rest is closed too.
    Raises what stopping raises otherwise, CancelledError among it where the caller is being cancelled.
    """
    stop = client.stop if hasattr(client, "stop") else client.close
    try:
        await stop()
    except asyncio.CancelledError:
        if is_cancelled():
            raise
        log.debug("a request was in flight when its client was closed", client=type(client).__name__)
        connections = getattr(client, "_client", None) or getattr(client, "client", None)
        if connections is not None:
            await connections.close()
