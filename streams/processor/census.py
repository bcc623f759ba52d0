"""How many of a partition's states there are of each class, for a role that shows it: what waits, and for what.

It is kept as the states are committed, and made anew where a partition is taken. States are copied as bytes then, so
only those with a deadline are decoded, and only those count: a state without one has no class.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from streams.clock import to_millis
from streams.errors import Unreadable
from streams.events import Value
from streams.processor.deadlines import Deadlines
from streams.processor.store import Changes, Store

S = TypeVar("S")
C = TypeVar("C", contravariant=True)

_AT_ONCE = 100  # states decoded before others have their turn: the worker answers its group meanwhile


class Class(Value, frozen=True, kw_only=True):
    """What a state counts as. ``due``: the moment from which on it is overdue; None where it never is."""

    name: str
    due: datetime | None = None


class Figures(Value, frozen=True, kw_only=True):
    """Of one partition: how many states there are of each class, and when the earliest of them was due, in ms."""

    counts: Mapping[str, int]
    oldest: int | None = None


class Classes(Protocol[C]):
    """What a role gives the processor that wants its states counted."""

    def class_of(self, state: C) -> Class | None:
        """The class of a state with a deadline, None where it does not count. Pure."""
        ...

    def show(self, partition: int, figures: Figures | None) -> None:
        """The partition's figures from now on; None once this worker has let go of it. For metrics and nothing else."""
        ...


class Census(Generic[S]):
    """Of one partition, from taking it on."""

    def __init__(self, classes: Classes[S] | None, partition: int) -> None:
        """``classes`` None: nothing is counted, and it costs nothing."""
        self._classes = classes
        self._partition = partition
        self._names: dict[str, str] = {}
        self._counts: Counter[str] = Counter()
        self._due = Deadlines()

    async def take(self, store: Store[S], wakes: Deadlines) -> None:
        """Count what is there. A state that cannot be read has no class; going on with it says why."""
        if self._classes is None:
            return
        for number, key in enumerate(wakes.keys()):
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
            try:
                self._put(self._classes, key, await store.get(key))
            except Unreadable:
                continue
        self._show(self._classes)

    def follow(self, changes: Changes) -> None:
        """These states are committed."""
        if self._classes is None or not changes:
            return
        for key, change in changes.items():
            self._put(self._classes, key, None if change is None else change[0].record)
        self._show(self._classes)

    def _put(self, classes: Classes[S], key: str, state: S | None) -> None:
        found = None if state is None or state.wake_at is None else classes.class_of(state)  # type: ignore[attr-defined]
        before = self._names.pop(key, None)
        if before is not None:
            self._counts[before] -= 1
        if found is not None:
            self._names[key] = found.name
            self._counts[found.name] += 1
        self._due.set(key, None if found is None or found.due is None else to_millis(found.due))

    def _show(self, classes: Classes[S]) -> None:
        classes.show(self._partition, Figures(counts=dict(self._counts), oldest=self._due.next()))
