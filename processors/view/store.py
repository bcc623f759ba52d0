"""The store of the view: the protocol and its in-memory twin; Redis is in :mod:`processors.view.redis_store`."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from processors.view.projection import (
    OUTREACHES,
    TASK,
    DropState,
    Forget,
    Put,
    PutField,
    Queue,
    Rank,
    Unqueue,
    Write,
    customer_key,
    is_erased,
    is_over,
    outreach_key,
    outreaches_key,
    timeline_key,
    too_many,
)
from streams.errors import CarelineError

Position = tuple[str, int]
"""Topic and partition."""


class ViewChanged(CarelineError):
    """The view changed since this writer last wrote: emptied, restored, or written by another. Continue with
    :meth:`load`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewProgress:
    """How far the view has read. ``generation`` None: there is no view, or it is incomplete."""

    generation: str | None
    positions: Mapping[Position, int] = field(default_factory=dict)
    erased: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Documents:
    """What is stored about one customer, as it was written; ``timeline`` and ``outreach`` newest first.

    Each list has at most as many entries as were requested; ``timeline_kept``, ``outreach_kept`` and ``tasks_kept`` are
    the total numbers. ``tasks`` are the open ones, soonest due first.
    """

    state: str | None
    timeline: tuple[str, ...]
    outreach: Mapping[str, Mapping[str, str]]
    erased: int | None
    tasks: tuple[str, ...] = ()
    timeline_kept: int = 0
    outreach_kept: int = 0
    tasks_kept: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreFigures:
    """``bytes``: the memory that the server uses, None if it does not tell; ``open``, ``overdue``: tasks by team."""

    bytes: int | None
    open: Mapping[str, int]
    overdue: Mapping[str, int]


class ViewStore(Protocol):
    """Stores the view. Every method raises Unavailable while the server does not answer, and then has done nothing."""

    async def load(self) -> ViewProgress:
        """How far the view has read."""
        ...

    async def begin(self) -> ViewProgress:
        """Empty the view and begin a new one, without any offsets."""
        ...

    async def apply(
        self, progress: ViewProgress, writes: Sequence[Write], positions: Mapping[Position, int]
    ) -> ViewProgress:
        """Write everything together with the new offsets, or nothing.

        ``progress`` is the view as this writer last saw it. If the view has changed since, this raises ViewChanged and
        writes nothing.
        """
        ...

    async def customer(self, customer_id: str, *, limit: int) -> Documents:
        """What is stored about the customer: at most ``limit`` each of timeline entries, outreaches and tasks."""
        ...

    async def outreach(self, outreach_id: str) -> Mapping[str, str]:
        """The stored fields of one outreach; {} if there are none."""
        ...

    async def outreaches(self, outreach_ids: Sequence[str]) -> Mapping[str, Mapping[str, str]]:
        """The stored fields of several outreaches, by id."""
        ...

    async def tasks(self, team: str | None, *, limit: int) -> tuple[str, ...]:
        """The open tasks of the team, or of every team: documents as they were written, soonest due first."""
        ...

    async def figures(self, at: int) -> StoreFigures:
        """What operators see of it; overdue is what was due before ``at`` (ms)."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...


class InMemoryViewStore:
    """The view in this process's memory. ``lose`` empties it, like a server that restarts without its data."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self.lose()

    def lose(self) -> None:
        """Delete everything."""
        self._progress = ViewProgress(generation=None)
        self._documents: dict[str, str] = {}
        self._hashes: dict[str, dict[str, tuple[str, int]]] = {}
        self._ranks: dict[str, dict[str, int]] = {}
        self._queues: dict[str, dict[str, int]] = {}

    async def load(self) -> ViewProgress:
        """See :meth:`ViewStore.load`."""
        return self._progress

    async def begin(self) -> ViewProgress:
        """See :meth:`ViewStore.begin`."""
        self.lose()
        self._progress = ViewProgress(generation=f"memory-{next(self._numbers)}")
        return self._progress

    async def apply(
        self, progress: ViewProgress, writes: Sequence[Write], positions: Mapping[Position, int]
    ) -> ViewProgress:
        """See :meth:`ViewStore.apply`."""
        if progress.generation is None or progress != self._progress:
            raise ViewChanged("the view changed since it was last written")
        erased = dict(progress.erased)
        for write in writes:
            self._write(write, erased)
        for write in writes:  # after the whole batch is known, whatever its order
            match write:
                case Queue(team, member, due):
                    fields = self._hashes.get(outreach_key(member), {})
                    if TASK in fields and not is_over(fields):
                        self._queues.setdefault(team, {})[member] = due
                case Unqueue(member):
                    self._unqueue(member)
        for write in writes:
            self._bound(write)
            if isinstance(write, Queue | Unqueue):
                fields = self._hashes.get(outreach_key(write.member), {})
                if is_erased(fields.get("retraction", (None, 0))[0]):
                    fields.pop(TASK, None)
        self._progress = ViewProgress(
            generation=progress.generation, positions={**progress.positions, **positions}, erased=erased
        )
        return self._progress

    async def customer(self, customer_id: str, *, limit: int) -> Documents:
        """See :meth:`ViewStore.customer`."""
        ids, timeline = self._highest(outreaches_key(customer_id)), self._highest(timeline_key(customer_id))
        queued = sorted((at, one) for queue in self._queues.values() for one, at in queue.items() if one in set(ids))
        return Documents(
            state=self._documents.get(customer_key(customer_id)),
            timeline=tuple(timeline[:limit]),
            outreach={one: await self.outreach(one) for one in ids[:limit]},
            erased=self._progress.erased.get(customer_id),
            tasks=tuple(self._hashes[outreach_key(one)][TASK][0] for _, one in queued[:limit]),
            timeline_kept=len(timeline),
            outreach_kept=len(ids),
            tasks_kept=len(queued),
        )

    async def outreach(self, outreach_id: str) -> Mapping[str, str]:
        """See :meth:`ViewStore.outreach`."""
        return {name: value for name, (value, _) in self._hashes.get(outreach_key(outreach_id), {}).items()}

    async def outreaches(self, outreach_ids: Sequence[str]) -> Mapping[str, Mapping[str, str]]:
        """See :meth:`ViewStore.outreaches`."""
        return {one: await self.outreach(one) for one in outreach_ids}

    async def tasks(self, team: str | None, *, limit: int) -> tuple[str, ...]:
        """See :meth:`ViewStore.tasks`."""
        queues = self._queues.values() if team is None else [self._queues.get(team, {})]
        due = sorted((at, member) for queue in queues for member, at in queue.items())
        return tuple(self._hashes[outreach_key(member)][TASK][0] for _, member in due[:limit])

    async def figures(self, at: int) -> StoreFigures:
        """See :meth:`ViewStore.figures`; of the memory, the documents alone."""
        size = sum(map(len, self._documents.values()))
        size += sum(len(value) for fields in self._hashes.values() for value, _ in fields.values())
        return StoreFigures(
            bytes=size,
            open={team: len(queue) for team, queue in self._queues.items()},
            overdue={team: sum(due < at for due in queue.values()) for team, queue in self._queues.items()},
        )

    async def close(self) -> None:
        """Nothing to close."""

    def _write(self, write: Write, erased: dict[str, int]) -> None:
        match write:
            case Put(key, value):
                self._documents[key] = value
            case PutField(key, name, value, at, _):
                self._hashes.setdefault(key, {})[name] = (value, at)
            case Rank(key, member, score, keep):
                ranks = self._ranks.setdefault(key, {})
                ranks[member] = max(score, ranks.get(member, score))
                for low in self._highest(key)[keep:] if keep and not key.startswith(OUTREACHES) else ():
                    del ranks[low]
            case DropState(customer_id):
                self._documents.pop(customer_key(customer_id), None)
            case Forget(customer_id, until):
                erased[customer_id] = max(until, erased.get(customer_id, until))
                self._forget(customer_id, until)

    def _bound(self, write: Write) -> None:
        """Drop what exceeds the bounds, once the whole batch is written."""
        match write:
            case Rank(key, _, _, keep) if keep and key.startswith(OUTREACHES):
                for low in self._highest(key)[keep:]:
                    del self._ranks[key][low]
                    self._hashes.pop(outreach_key(low), None)
                    self._unqueue(low)
            case PutField(key, _, _, _, keep) if keep and key in self._hashes:
                fields = self._hashes[key]
                for name in too_many({name: at for name, (_, at) in fields.items()}, keep):
                    del fields[name]

    def _forget(self, customer_id: str, until: int) -> None:
        timeline = self._ranks.get(timeline_key(customer_id), {})
        for member in [member for member, score in timeline.items() if score <= until]:
            del timeline[member]
        ids = self._ranks.get(outreaches_key(customer_id), {})
        for one in list(ids):
            fields = self._hashes.get(outreach_key(one), {})
            for name in [name for name, (_, at) in fields.items() if at <= until]:
                del fields[name]
            if TASK not in fields:
                self._unqueue(one)
            if not fields:
                del ids[one]

    def _unqueue(self, member: str) -> None:
        for queue in self._queues.values():
            queue.pop(member, None)

    def _highest(self, key: str) -> list[str]:
        ranks = self._ranks.get(key, {})
        return sorted(ranks, key=lambda member: (ranks[member], member.encode()), reverse=True)
