"""Reads what Redis has about one customer, and no more than was requested."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from processors.view.packing import unpack
from processors.view.projection import (
    PREFIX,
    TASK,
    TEAMS,
    customer_key,
    outreach_key,
    outreaches_key,
    queue_key,
    timeline_key,
)
from processors.view.store import Documents

ERASED_UNTIL = f"{PREFIX}erased"
"""The key with the times up to which nothing of a customer is shown any more."""


async def documents_of(redis: Any, customer_id: str, limit: int) -> Documents:
    """See :meth:`processors.view.store.ViewStore.customer`. Raises the client's exceptions."""
    last = max(limit, 1) - 1
    async with redis.pipeline(transaction=True) as pipe:
        pipe.get(customer_key(customer_id)).hget(ERASED_UNTIL, customer_id)
        pipe.zrange(timeline_key(customer_id), 0, last, desc=True).zcard(timeline_key(customer_id))
        pipe.zrange(outreaches_key(customer_id), 0, last, desc=True).zcard(outreaches_key(customer_id))
        pipe.smembers(TEAMS)
        state, erased, timeline, timeline_kept, ids, outreach_kept, teams = await pipe.execute()
    queued = await _queued(redis, customer_id, teams)
    async with redis.pipeline(transaction=False) as pipe:
        for one in ids:
            pipe.hgetall(outreach_key(one))
        for one in queued[:limit]:
            pipe.hget(outreach_key(one), TASK)
        found = await pipe.execute()
    hashes, tasks = found[: len(ids)], found[len(ids) :]
    return Documents(
        state=None if state is None else unpack(state),
        timeline=tuple(unpack(text) for text in timeline[:limit]),
        outreach={one: values_of(fields) for one, fields in zip(ids, hashes, strict=True)},
        erased=None if erased is None else int(erased),
        tasks=tuple(value_of(text) for text in tasks if text is not None),
        timeline_kept=timeline_kept,
        outreach_kept=outreach_kept,
        tasks_kept=len(queued),
    )


async def _queued(redis: Any, customer_id: str, teams: Iterable[str]) -> list[str]:
    """The customer's tasks in the teams' queues, soonest due first. Redis itself intersects the sets."""
    async with redis.pipeline(transaction=False) as pipe:
        for team in teams:
            pipe.zinter({queue_key(team): 1, outreaches_key(customer_id): 0}, withscores=True)
        queues = await pipe.execute()
    return [one for _, one in sorted((due, one) for queue in queues for one, due in queue)]


def value_of(text: str) -> str:
    """The value of an outreach's field, without its time."""
    return unpack(text.partition(":")[2])


def values_of(fields: Mapping[str, str]) -> dict[str, str]:
    """The values of an outreach's fields, without their times."""
    return {name: value_of(text) for name, text in fields.items()}
