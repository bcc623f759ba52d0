"""The deadlines of a partition: one per key, ordered by time."""

from __future__ import annotations

import heapq

_FIRST_PAUSE = 60_000  # ms; before a failed deadline is retried, doubling up to the longest
_LONGEST_PAUSE = 86_400_000


class Deadlines:
    """When each key is to be woken, in milliseconds. Setting a key's deadline replaces its previous one.

    Unlike states, deadlines change in place while a transaction is built; after :meth:`begin`, :meth:`undo` reverts the
    changes. Without :meth:`begin` no history is kept.
    """

    def __init__(self, *, as_they_came: bool = False) -> None:
        """``as_they_came``: deadlines of the same time fire in the order they were set, else in the order of their
        keys."""
        self._due: dict[str, tuple[int, int]] = {}
        self._heap: list[tuple[int, int, str]] = []
        self._changes: list[tuple[str, tuple[int, int] | None]] | None = None
        self._as_they_came = as_they_came
        self._count = 0

    def __len__(self) -> int:
        return len(self._due)

    def keys(self) -> list[str]:
        """Return the keys with a deadline, sorted."""
        return sorted(self._due)

    def due(self, key: str) -> int | None:
        """Return the key's deadline, None if it has none."""
        due = self._due.get(key)
        return None if due is None else due[0]

    def set(self, key: str, millis: int | None) -> None:
        """Set the key's deadline; None removes it."""
        was = self._due.get(key)
        if millis == (None if was is None else was[0]):
            return
        if self._changes is not None:
            self._changes.append((key, was))
        self._count += self._as_they_came
        self._put(key, None if millis is None else (millis, self._count))

    def next(self) -> int | None:
        """Return the earliest deadline, None if there is none."""
        while self._heap:
            millis, place, key = self._heap[0]
            if self._due.get(key) == (millis, place):
                return millis
            heapq.heappop(self._heap)  # replaced since
        return None

    def due_by(self, millis: int) -> bool:
        """Return whether a deadline may have been reached; False is always right."""
        return bool(self._heap) and self._heap[0][0] <= millis

    def pop_due(self, millis: int) -> tuple[int, str] | None:
        """Remove and return the earliest deadline that ``millis`` has reached, None if there is none."""
        due = self.next()
        if due is None or due > millis:
            return None
        key = heapq.heappop(self._heap)[-1]
        was = self._due.pop(key)
        if self._changes is not None:
            self._changes.append((key, was))
        return due, key

    def begin(self) -> None:
        """Start recording changes for :meth:`undo`; earlier changes are final."""
        self._changes = []

    def mark(self) -> int:
        """Return the current position for :meth:`undo`."""
        return len(self._changes or ())

    def undo(self, mark: int = 0) -> None:
        """Revert every change since ``mark``; without one, since :meth:`begin`."""
        while self._changes is not None and len(self._changes) > mark:
            self._put(*self._changes.pop())

    def _put(self, key: str, due: tuple[int, int] | None) -> None:
        if due is None:
            self._due.pop(key, None)
            return
        self._due[key] = due
        heapq.heappush(self._heap, (*due, key))


class Pauses:
    """The pauses before failed deadlines are retried, in milliseconds; they grow with each failure."""

    def __init__(self) -> None:
        self._latest: dict[str, int] = {}

    def next(self, key: str) -> int:
        """Return the pause after another failure of the key."""
        pause = self._latest[key] = min(self._latest.get(key, _FIRST_PAUSE // 2) * 2, _LONGEST_PAUSE)
        return pause

    def forget(self, key: str) -> None:
        """Reset the key's pause after a success."""
        self._latest.pop(key, None)


class SetLate:
    """Deadlines that were due when they were set, as those of an event that comes late: they wait from then on only."""

    def __init__(self) -> None:
        self._set_at: dict[str, int] = {}

    def follow(self, key: str, due: int | None, now: int) -> None:
        """The key's deadline is ``due`` since ``now``, in ms; None: it has none."""
        if due is not None and due <= now:
            self._set_at[key] = now
        elif self._set_at:
            self._set_at.pop(key, None)

    def due(self, key: str, due: int) -> int:
        """From when on the deadline that fires now has waited, in ms."""
        return max(due, self._set_at.pop(key, due)) if self._set_at else due
