"""Named moments of a transaction, so that a test can end or stop its own process in exactly one of them.

In production nothing listens: a moment that is reached costs one comparison. Nothing outside of the process can arm
them; a test's worker does it in its own code, before it runs the role.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum


class Point(StrEnum):
    """Every moment that has a name, in the order in which a transaction passes them."""

    IN_RECOVERY = "in_recovery"
    """In the middle of reading the state topic."""
    BEFORE_FIRST_SEND = "before_first_send"
    AFTER_FIRST_SEND = "after_first_send"
    """The broker has the first batch; others are under way."""
    BEFORE_OFFSETS = "before_offsets"
    AFTER_OFFSETS = "after_offsets"
    BEFORE_INTENT = "before_intent"
    """Everything of a transaction is with the broker that asks for effects, but its commit."""
    BEFORE_OUTCOME = "before_outcome"
    """Everything of a transaction is with the broker that records what came of effects, but its commit."""
    BEFORE_COMMIT = "before_commit"
    AFTER_COMMIT = "after_commit"
    BEFORE_MERGE = "before_merge"
    AFTER_MERGE = "after_merge"
    AFTER_OUTCOME = "after_outcome"
    AFTER_INTENT = "after_intent"
    """The effect's turn in its lane has not come yet."""
    BEFORE_CALL = "before_call"
    AFTER_CALL = "after_call"
    """The provider was called; nobody else knows of it yet."""


_listener: Callable[[Point], None] | None = None


def reached(point: Point) -> None:
    """The process is at this point."""
    if _listener is not None:
        _listener(point)


def listen(listener: Callable[[Point], None] | None) -> None:
    """Have ``listener`` called at every point of this process; None for nobody. For tests."""
    global _listener
    _listener = listener
