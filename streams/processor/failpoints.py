"""Named points in a transaction at which a test can end or stop its own process.

In production there is no listener, and reaching a point costs one comparison. Nothing outside of the process can set
one; a test's worker does so in its own code, before it runs the role.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum


class Point(StrEnum):
    """All named points, in the order in which a transaction passes them."""

    IN_RECOVERY = "in_recovery"
    """While the state topic is being read."""
    BEFORE_FIRST_SEND = "before_first_send"
    AFTER_FIRST_SEND = "after_first_send"
    """The broker has the first batch; others are in flight."""
    BEFORE_OFFSETS = "before_offsets"
    AFTER_OFFSETS = "after_offsets"
    BEFORE_INTENT = "before_intent"
    """A transaction that requests effects is sent, but not committed."""
    BEFORE_OUTCOME = "before_outcome"
    """A transaction that records effects' results is sent, but not committed."""
    BEFORE_COMMIT = "before_commit"
    AFTER_COMMIT = "after_commit"
    BEFORE_MERGE = "before_merge"
    AFTER_MERGE = "after_merge"
    AFTER_OUTCOME = "after_outcome"
    AFTER_INTENT = "after_intent"
    """The effect is not queued in its lane yet."""
    BEFORE_CALL = "before_call"
    AFTER_CALL = "after_call"
    """The provider was called; nothing records it yet."""


_listener: Callable[[Point], None] | None = None


def reached(point: Point) -> None:
    """Report that the process has reached this point."""
    if _listener is not None:
        _listener(point)


def listen(listener: Callable[[Point], None] | None) -> None:
    """Have ``listener`` called at every point of this process; None removes it. For tests."""
    global _listener
    _listener = listener
