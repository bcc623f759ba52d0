"""The view in Redis: each batch is one transaction that also writes the offsets up to which it was read."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from functools import partial

from redis.exceptions import WatchError

from processors.view.projection import (
    PREFIX,
    TASK,
    TEAMS,
    Forget,
    Queue,
    Unqueue,
    Write,
    is_erased,
    is_over,
    outreach_key,
    outreaches_key,
    queue_key,
)
from processors.view.redis_bounds import beyond, queue_end
from processors.view.redis_client import answering, client_of
from processors.view.redis_reads import ERASED_UNTIL, documents_of, value_of, values_of
from processors.view.redis_writes import Known, queue
from processors.view.settings import ViewSettings
from processors.view.store import Documents, Position, ViewChanged, ViewProgress

_CONNECT = timedelta(seconds=5)
_ANSWER = timedelta(seconds=10)
_GENERATION = f"{PREFIX}generation"
_POSITIONS = f"{PREFIX}positions"


class RedisViewStore:
    """See :class:`processors.view.store.ViewStore`."""

    def __init__(self, settings: ViewSettings) -> None:
        """Raises SettingsError for an invalid address."""
        self._redis, self.address = client_of(settings, connect=_CONNECT, answer=_ANSWER, decode=True)
        self._answering = partial(answering, self.address, settings)
        self._lives = timedelta(days=settings.view_days)

    async def load(self) -> ViewProgress:
        """See :meth:`ViewStore.load`."""
        async with self._answering(), self._redis.pipeline(transaction=True) as pipe:
            pipe.get(_GENERATION).hgetall(_POSITIONS).hgetall(ERASED_UNTIL)
            generation, positions, erased = await pipe.execute()
        if generation is None:
            return ViewProgress(generation=None)
        try:
            return ViewProgress(
                generation=generation,
                positions=_positions(positions),
                erased={customer_id: int(until) for customer_id, until in erased.items()},
            )
        except ValueError:  # somebody else wrote there: the view is not complete, and is rebuilt from the topics
            return ViewProgress(generation=None)

    async def begin(self) -> ViewProgress:
        """See :meth:`ViewStore.begin`."""
        async with self._answering():
            await self._redis.delete(_GENERATION)  # first, so that a half-emptied view is not taken for a complete one
            found: list[str] = []
            async for key in self._redis.scan_iter(match=f"{PREFIX}*", count=1_000):
                found.append(key)
                if len(found) >= 1_000:
                    await self._redis.unlink(*found)
                    found.clear()
            if found:
                await self._redis.unlink(*found)
            generation = uuid.uuid4().hex
            await self._redis.set(_GENERATION, generation)
        return ViewProgress(generation=generation)

    async def apply(
        self, progress: ViewProgress, writes: Sequence[Write], positions: Mapping[Position, int]
    ) -> ViewProgress:
        """See :meth:`ViewStore.apply`."""
        async with self._answering(), self._redis.pipeline(transaction=True) as pipe:
            try:
                await pipe.watch(_GENERATION, _POSITIONS)
                generation, known = await pipe.get(_GENERATION), await pipe.hgetall(_POSITIONS)
                if generation is None or generation != progress.generation or _positions(known) != progress.positions:
                    raise ViewChanged("the view changed since it was last written")
                kept = await self._outreach_of({write.customer_id for write in writes if isinstance(write, Forget)})
                old = await beyond(self._redis, writes)
                tasks = await self._tasks_of(writes, kept, old.outreaches)
                pipe.multi()
                erased = queue(pipe, writes, kept, dict(progress.erased), tasks, lives=self._lives)
                queue_end(pipe, old)
                if positions:
                    pipe.hset(
                        _POSITIONS, mapping={f"{topic}/{number}": at for (topic, number), at in positions.items()}
                    )
                await pipe.execute()
            except WatchError as error:
                raise ViewChanged("another writer changed the view, or it was emptied") from error
        return ViewProgress(
            generation=progress.generation, positions={**progress.positions, **positions}, erased=erased
        )

    async def positions(self) -> tuple[Mapping[Position, int] | None, float]:
        """Up to where the view was read, None if there is no view; and Redis's clock in Unix seconds. One short look,
        however large the view is. Raises Unavailable."""
        async with self._answering(), self._redis.pipeline(transaction=True) as pipe:
            pipe.exists(_GENERATION).hgetall(_POSITIONS).time()
            built, known, (seconds, micros) = await pipe.execute()
        try:
            return _positions(known) if built else None, seconds + micros / 1_000_000
        except ValueError:  # somebody else wrote there
            return None, seconds + micros / 1_000_000

    async def customer(self, customer_id: str, *, limit: int) -> Documents:
        """See :meth:`ViewStore.customer`."""
        async with self._answering():
            return await documents_of(self._redis, customer_id, limit)

    async def outreach(self, outreach_id: str) -> Mapping[str, str]:
        """See :meth:`ViewStore.outreach`."""
        async with self._answering():
            return values_of(await self._redis.hgetall(outreach_key(outreach_id)))

    async def outreaches(self, outreach_ids: Sequence[str]) -> Mapping[str, Mapping[str, str]]:
        """See :meth:`ViewStore.outreaches`."""
        async with self._answering(), self._redis.pipeline(transaction=False) as pipe:
            for one in outreach_ids:
                pipe.hgetall(outreach_key(one))
            found = await pipe.execute() if outreach_ids else []
        return {one: values_of(fields) for one, fields in zip(outreach_ids, found, strict=True)}

    async def tasks(self, team: str | None, *, limit: int) -> tuple[str, ...]:
        """See :meth:`ViewStore.tasks`."""
        async with self._answering():
            teams = sorted(await self._redis.smembers(TEAMS)) if team is None else [team]
            async with self._redis.pipeline(transaction=False) as pipe:
                for one in teams:
                    pipe.zrange(queue_key(one), 0, limit - 1, withscores=True)
                queues = await pipe.execute()
            due = sorted((at, member) for queue in queues for member, at in queue)[:limit]
            async with self._redis.pipeline(transaction=False) as pipe:
                for _, member in due:
                    pipe.hget(outreach_key(member), TASK)
                found = await pipe.execute()
        # a task that was done between the two reads is gone
        return tuple(value_of(text) for text in found if text is not None)

    async def close(self) -> None:
        """See :meth:`ViewStore.close`."""
        await self._redis.aclose()

    async def _tasks_of(
        self, writes: Sequence[Write], kept: Mapping[str, Mapping[str, Mapping[str, int]]], old: Collection[str]
    ) -> dict[str, Known]:
        """What Redis knows of every task whose place in a queue may change; outreaches in ``old`` are being dropped."""
        members = {write.member for write in writes if isinstance(write, Queue | Unqueue)} | set(old)
        members |= {one for outreaches in kept.values() for one in outreaches}
        async with self._redis.pipeline(transaction=False) as pipe:
            for member in members:
                pipe.hgetall(outreach_key(member))
            found = await pipe.execute() if members else []
        return {
            member: Known(
                team=_team(fields.get(TASK)),
                over=member in old or is_over(fields),
                erased=is_erased(values_of(fields).get("retraction")),
            )
            for member, fields in zip(members, found, strict=True)
        }

    async def _outreach_of(self, customers: set[str]) -> dict[str, dict[str, dict[str, int]]]:
        """The times of all fields, by customer and outreach id."""
        found: dict[str, dict[str, dict[str, int]]] = {}
        for customer_id in customers:
            ids = await self._redis.zrange(outreaches_key(customer_id), 0, -1)
            found[customer_id] = {
                one: {name: _at(text) for name, text in (await self._redis.hgetall(outreach_key(one))).items()}
                for one in ids
            }
        return found


def _at(text: str) -> int:
    return int(text.partition(":")[0])


def _team(task: str | None) -> str | None:
    """The team of a stored task; None if there is no task."""
    return None if task is None else str(json.loads(value_of(task))["record"]["team"])


def _positions(found: Mapping[str, str]) -> dict[Position, int]:
    positions: dict[Position, int] = {}
    for name, offset in found.items():
        topic, _, number = name.rpartition("/")
        positions[topic, int(number)] = int(offset)
    return positions
