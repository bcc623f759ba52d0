"""The view in Redis: every batch is one transaction that also holds the positions it was read up to."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, WatchError
from redis.exceptions import TimeoutError as RedisTimeoutError

from processors.view.projection import (
    PREFIX,
    DropState,
    Forget,
    Put,
    PutField,
    Rank,
    Write,
    customer_key,
    outreach_key,
    outreaches_key,
    timeline_key,
)
from processors.view.store import Documents, Position, Standing, ViewChanged
from streams.config import Settings
from streams.errors import SettingsError, Unavailable

_GENERATION = f"{PREFIX}generation"
_POSITIONS = f"{PREFIX}positions"
_ERASED = f"{PREFIX}erased"


class RedisViewStore:
    """See :class:`processors.view.store.ViewStore`."""

    def __init__(self, settings: Settings) -> None:
        """Raises SettingsError for an address that is none."""
        url = settings.redis_url.get_secret_value()
        try:
            self._redis: Any = Redis.from_url(
                url, decode_responses=True, socket_connect_timeout=5, socket_timeout=10, health_check_interval=15
            )
        except ValueError as error:
            raise SettingsError(f"CARELINE_REDIS_URL: {error}") from error
        known = self._redis.connection_pool.connection_kwargs
        self.address = f"{known['host']}:{known.get('port', 6379)}" if "host" in known else str(known.get("path", ""))

    async def load(self) -> Standing:
        """See :meth:`ViewStore.load`."""
        async with self._answering(), self._redis.pipeline(transaction=True) as pipe:
            pipe.get(_GENERATION).hgetall(_POSITIONS).hgetall(_ERASED)
            generation, positions, erased = await pipe.execute()
        if generation is None:
            return Standing(generation=None)
        return Standing(
            generation=generation,
            positions=_positions(positions),
            erased={customer_id: int(until) for customer_id, until in erased.items()},
        )

    async def begin(self) -> Standing:
        """See :meth:`ViewStore.begin`."""
        async with self._answering():
            await self._redis.delete(_GENERATION)  # first: what is half emptied is not taken for a whole view
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
        return Standing(generation=generation)

    async def apply(self, standing: Standing, writes: Sequence[Write], positions: Mapping[Position, int]) -> Standing:
        """See :meth:`ViewStore.apply`."""
        async with self._answering(), self._redis.pipeline(transaction=True) as pipe:
            try:
                await pipe.watch(_GENERATION, _POSITIONS)
                generation, known = await pipe.get(_GENERATION), await pipe.hgetall(_POSITIONS)
                if generation is None or generation != standing.generation or _positions(known) != standing.positions:
                    raise ViewChanged("the view is not as it was left")
                kept = await self._outreach_of({write.customer_id for write in writes if isinstance(write, Forget)})
                pipe.multi()
                erased = _queue(pipe, writes, kept, dict(standing.erased))
                if positions:
                    pipe.hset(
                        _POSITIONS, mapping={f"{topic}/{number}": at for (topic, number), at in positions.items()}
                    )
                await pipe.execute()
            except WatchError as error:
                raise ViewChanged("the view was written by another, or emptied") from error
        return Standing(generation=standing.generation, positions={**standing.positions, **positions}, erased=erased)

    async def customer(self, customer_id: str, *, limit: int) -> Documents:
        """See :meth:`ViewStore.customer`."""
        async with self._answering():
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.get(customer_key(customer_id)).hget(_ERASED, customer_id)
                pipe.zrange(timeline_key(customer_id), 0, max(limit, 1) - 1, desc=True)
                pipe.zrange(outreaches_key(customer_id), 0, -1, desc=True)
                state, erased, timeline, ids = await pipe.execute()
            async with self._redis.pipeline(transaction=False) as pipe:
                for one in ids:
                    pipe.hgetall(outreach_key(one))
                hashes = await pipe.execute()
        outreach = {one: _values(fields) for one, fields in zip(ids, hashes, strict=True)}
        return Documents(
            state=state,
            timeline=tuple(timeline[:limit]),
            outreach=outreach,
            erased=None if erased is None else int(erased),
        )

    async def outreach(self, outreach_id: str) -> Mapping[str, str]:
        """See :meth:`ViewStore.outreach`."""
        async with self._answering():
            return _values(await self._redis.hgetall(outreach_key(outreach_id)))

    async def close(self) -> None:
        """See :meth:`ViewStore.close`."""
        await self._redis.aclose()

    async def _outreach_of(self, customers: set[str]) -> dict[str, dict[str, dict[str, int]]]:
        """By customer and outreach id, when each of its fields happened."""
        found: dict[str, dict[str, dict[str, int]]] = {}
        for customer_id in customers:
            ids = await self._redis.zrange(outreaches_key(customer_id), 0, -1)
            found[customer_id] = {
                one: {name: _at(text) for name, text in (await self._redis.hgetall(outreach_key(one))).items()}
                for one in ids
            }
        return found

    @asynccontextmanager
    async def _answering(self) -> AsyncIterator[None]:
        try:
            yield
        except (RedisConnectionError, RedisTimeoutError, OSError) as error:
            raise Unavailable(f"Redis at {self.address} does not answer: {error}") from error
        except WatchError:
            raise
        except RedisError as error:  # loading its data, out of memory, refusing our password: a person may mend it
            raise Unavailable(f"Redis at {self.address}: {error}") from error


def _queue(
    pipe: Any, writes: Sequence[Write], kept: dict[str, dict[str, dict[str, int]]], erased: dict[str, int]
) -> dict[str, int]:
    """Queue the writes; who is erased up to when, after them."""
    trimmed: dict[str, int] = {}
    for write in writes:
        match write:
            case Put(key, value):
                pipe.set(key, value)
            case PutField(key, name, value, at):
                pipe.hset(key, name, f"{at}:{value}")
                for outreaches in kept.values():
                    for one, fields in outreaches.items():
                        if outreach_key(one) == key:
                            fields[name] = at
            case Rank(key, member, score, keep):
                pipe.zadd(key, {member: score}, gt=True)
                if keep:
                    trimmed[key] = keep
                for customer_id, outreaches in kept.items():
                    if key == outreaches_key(customer_id):
                        outreaches.setdefault(member, {})
            case DropState(customer_id):
                pipe.delete(customer_key(customer_id))
            case Forget(customer_id, until):
                erased[customer_id] = max(until, erased.get(customer_id, until))
                pipe.hset(_ERASED, customer_id, erased[customer_id])
                _queue_forget(pipe, customer_id, until, kept[customer_id])
    for key, keep in trimmed.items():
        pipe.zremrangebyrank(key, 0, -keep - 1)
    return erased


def _queue_forget(pipe: Any, customer_id: str, until: int, outreaches: dict[str, dict[str, int]]) -> None:
    pipe.zremrangebyscore(timeline_key(customer_id), "-inf", until)
    for one, fields in list(outreaches.items()):
        gone = [name for name, at in fields.items() if at <= until]
        if gone:
            pipe.hdel(outreach_key(one), *gone)
        for name in gone:
            del fields[name]
        if not fields:
            pipe.zrem(outreaches_key(customer_id), one)
            del outreaches[one]


def _at(text: str) -> int:
    return int(text.partition(":")[0])


def _values(fields: Mapping[str, str]) -> dict[str, str]:
    return {name: text.partition(":")[2] for name, text in fields.items()}


def _positions(found: Mapping[str, str]) -> dict[Position, int]:
    positions: dict[Position, int] = {}
    for name, offset in found.items():
        topic, _, number = name.rpartition("/")
        positions[topic, int(number)] = int(offset)
    return positions
