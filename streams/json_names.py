"""Refuses JSON objects that repeat a name, because readers disagree on which value of it counts."""

from __future__ import annotations

from collections import Counter
from typing import Any


class RepeatedName(ValueError):
    """``name`` appears twice in one object."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name[:100]!r} appears twice in one object")
        self.name = name


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the object; pass this to ``json.loads`` as ``object_pairs_hook``. Raises RepeatedName."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise RepeatedName(next(name for name, times in Counter(name for name, _ in pairs).items() if times > 1))
    return found
