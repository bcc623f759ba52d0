"""The deadlines of a partition: one per key, the earliest first."""

from __future__ import annotations

import heapq


class Wakes:
    """When each key wants to be woken, in milliseconds. A later word on a key replaces the earlier one.

    Unlike states, deadlines change in place while a transaction is made; from :meth:`begin` on :meth:`undo` can take
    that back. Whoever never begins keeps no history.
    """

    def __init__(self) -> None:
        self._due: dict[str, int] = {}
        self._heap: list[tuple[int, str]] = []
        self._changes: list[tuple[str, int | None]] | None = None

    def __len__(self) -> int:
        return len(self._due)

    def keys(self) -> list[str]:
        """The keys that have a deadline, in an order that does not depend on how they came."""
        return sorted(self._due)

    def due(self, key: str) -> int | None:
        """When the key is to be woken, None: not at all."""
        return self._due.get(key)

    def set(self, key: str, millis: int | None) -> None:
        """Wake the key then; None: not at all."""
        was = self._due.get(key)
        if was == millis:
            return
        if self._changes is not None:
            self._changes.append((key, was))
        self._put(key, millis)

    def next(self) -> int | None:
        """The earliest deadline."""
        while self._heap:
            millis, key = self._heap[0]
            if self._due.get(key) == millis:
                return millis
            heapq.heappop(self._heap)  # replaced since
        return None

    def due_by(self, millis: int) -> bool:
        """Whether a deadline may have been reached: never a wrong no."""
        return bool(self._heap) and self._heap[0][0] <= millis

    def pop_due(self, millis: int) -> tuple[int, str] | None:
        """Take out the earliest deadline that ``millis`` has reached; by key where several are at once."""
        due = self.next()
        if due is None or due > millis:
            return None
        _, key = heapq.heappop(self._heap)
        del self._due[key]
        if self._changes is not None:
            self._changes.append((key, due))
        return due, key

    def begin(self) -> None:
        """What has changed so far is final; what changes from here on can be taken back."""
        self._changes = []

    def mark(self) -> int:
        """The point that :meth:`undo` goes back to."""
        return len(self._changes or ())

    def undo(self, mark: int = 0) -> None:
        """Take back every change since ``mark``; without one, since :meth:`begin`."""
        while self._changes is not None and len(self._changes) > mark:
            self._put(*self._changes.pop())

    def _put(self, key: str, millis: int | None) -> None:
        if millis is None:
            self._due.pop(key, None)
            return
        self._due[key] = millis
        heapq.heappush(self._heap, (millis, key))
