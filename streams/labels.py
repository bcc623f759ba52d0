"""What a label of a metric may say: one of a closed set, or a bounded number of values. Every label declares which.

A value beyond its bound is shown as ``other``, so the number of series of a process has a limit whatever publishers
send. Removing a label set frees its values.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Protocol

OTHER = "other"


class Bound(Protocol):
    """Limits the values of one label."""

    @property
    def most(self) -> int:
        """How many values the label may have at once, not counting ``other``."""
        ...

    def shown(self, value: str, present: Collection[str]) -> str:
        """The value to show for ``value``, where ``present`` are those that the label has now."""
        ...


class Closed:
    """One of these values."""

    def __init__(self, *values: str) -> None:
        self.values = frozenset(values)

    @classmethod
    def of(cls, values: Iterable[object]) -> Closed:
        """The members of an enum, or the names of classes."""
        return cls(*(value.__name__ if isinstance(value, type) else str(value) for value in values))

    @property
    def most(self) -> int:
        """How many values there are."""
        return len(self.values)

    def shown(self, value: str, present: Collection[str]) -> str:
        """The value itself, or ``other``."""
        return value if value in self.values else OTHER


@dataclass(frozen=True, slots=True)
class AtMost:
    """The first ``most`` distinct values of this process."""

    most: int

    def shown(self, value: str, present: Collection[str]) -> str:
        """The value itself, or ``other`` if there are enough already."""
        return value if value in present or len(present) < self.most else OTHER
