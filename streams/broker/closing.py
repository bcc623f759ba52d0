"""Closing Kafka clients, so that a CancelledError of theirs is not mistaken for a cancellation of our task."""

from __future__ import annotations

import asyncio
from typing import Any

import structlog

log = structlog.get_logger()


def is_cancelled() -> bool:
    """Whether the current task itself is being cancelled; otherwise a CancelledError in it comes from elsewhere."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def closed(client: Any) -> None:
    """Stop an aiokafka consumer, producer or admin client, whatever state it is in.

    A consumer that is stopped while one of its fetches fails cancels that fetch, and lets the CancelledError escape
    before its connections are closed (aiokafka 0.14, ``Fetcher.close``). That error is caught here, and the rest is
    closed too. Raises whatever else stopping raises, including CancelledError if the caller is being cancelled.
    """
    stop = client.stop if hasattr(client, "stop") else client.close
    try:
        await stop()
    except asyncio.CancelledError:
        if is_cancelled():
            raise
        log.debug("request_cut_off_by_closing", client=type(client).__name__)
        connections = getattr(client, "_client", None) or getattr(client, "client", None)
        if connections is not None:
            await connections.close()
