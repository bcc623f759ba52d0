"""Turns a batch of writes into Redis commands, in the same transaction as the offsets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from processors.view.packing import pack
from processors.view.projection import (
    OUTREACHES,
    TASK,
    TEAMS,
    DropState,
    Forget,
    Put,
    PutField,
    Queue,
    Rank,
    Unqueue,
    Write,
    customer_key,
    outreach_key,
    outreaches_key,
    queue_key,
    timeline_key,
)
from processors.view.redis_reads import ERASED_UNTIL
from streams.durations import whole_millis


@dataclass(slots=True)
class Known:
    """What Redis knows of a task: its team (None if the task was not read yet), whether the task is over, and whether
    the customer was erased."""

    team: str | None = None
    over: bool = False
    erased: bool = False


def queue(
    pipe: Any,
    writes: Sequence[Write],
    kept: dict[str, dict[str, dict[str, int]]],
    erased: dict[str, int],
    tasks: dict[str, Known],
    *,
    lives: timedelta,
) -> dict[str, int]:
    """Queue the writes, and return the times up to which customers are erased after them. A key expires when nothing
    was written to it for ``lives``."""
    trimmed: dict[str, int] = {}
    touched: set[str] = set()
    for write in writes:
        match write:
            case Put(key, value):
                pipe.set(key, pack(value))
            case PutField(key, name, value, at, _):
                pipe.hset(key, name, f"{at}:".encode() + pack(value))
                touched.add(key)
                for outreaches in kept.values():
                    for one, fields in outreaches.items():
                        if outreach_key(one) == key:
                            fields[name] = at
            case Rank(key, member, score, keep):
                pipe.zadd(key, {pack(member): score}, gt=True)
                touched.add(key)
                if keep and not key.startswith(OUTREACHES):
                    trimmed[key] = keep
                for customer_id, outreaches in kept.items():
                    if key == outreaches_key(customer_id):
                        outreaches.setdefault(member, {})
            case DropState(customer_id):
                pipe.delete(customer_key(customer_id))
            case Forget(customer_id, until):
                erased[customer_id] = max(until, erased.get(customer_id, until))
                pipe.hset(ERASED_UNTIL, customer_id, erased[customer_id])
                _queue_forget(pipe, customer_id, until, kept[customer_id], tasks)
    for key, keep in trimmed.items():
        pipe.zremrangebyrank(key, 0, -keep - 1)
    for key in touched:
        pipe.expire(key, lives)
    _queue_tasks(pipe, writes, tasks, lives)
    return erased


def _queue_tasks(pipe: Any, writes: Sequence[Write], tasks: Mapping[str, Known], lives: timedelta) -> None:
    """Add each task to its team's queue or remove it, whatever the order of the batch's records."""
    for write in writes:
        if isinstance(write, Queue):
            tasks[write.member].team = write.team
        elif isinstance(write, Unqueue):
            tasks[write.member].over = True
            tasks[write.member].erased |= write.erased
    for write in writes:
        if isinstance(write, Queue) and not tasks[write.member].over:
            pipe.sadd(TEAMS, write.team).zadd(queue_key(write.team), {write.member: write.due})
            # a task that was due this long ago has expired, so its entry in the queue refers to nothing
            pipe.zremrangebyscore(queue_key(write.team), "-inf", write.due - whole_millis(lives))
    for member, task in tasks.items():
        if task.over and task.team is not None:
            pipe.zrem(queue_key(task.team), member)
        if task.erased:
            pipe.hdel(outreach_key(member), TASK)


def _queue_forget(
    pipe: Any, customer_id: str, until: int, outreaches: dict[str, dict[str, int]], tasks: Mapping[str, Known]
) -> None:
    pipe.zremrangebyscore(timeline_key(customer_id), "-inf", until)
    for one, fields in list(outreaches.items()):
        gone = [name for name, at in fields.items() if at <= until]
        if gone:
            pipe.hdel(outreach_key(one), *gone)
        for name in gone:
            del fields[name]
        if TASK in gone:
            tasks[one].over = True
        if not fields:
            pipe.zrem(outreaches_key(customer_id), one)
            del outreaches[one]
