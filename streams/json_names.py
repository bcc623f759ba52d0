"""JSON objects that say each name once. Where one stands twice, every reader may take another value for it."""

from __future__ import annotations

from collections import Counter
from typing import Any


class RepeatedName(ValueError):
    """``name`` stands twice in one object."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name[:100]!r} stands twice in one object")
        self.name = name


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object; to be given to ``json.loads`` as its ``object_pairs_hook``. Raises RepeatedName."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise RepeatedName(next(name for name, times in Counter(name for name, _ in pairs).items() if times > 1))
    return found
