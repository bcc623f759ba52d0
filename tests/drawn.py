"""How many examples a property is tried with: all of them, or the share of them that ``EXAMPLES`` says.

``make check`` tries a tenth, ``make test`` and CI try all; ``EXAMPLES=1000`` tries ten times as many.
"""

from __future__ import annotations

import os

SHARE = float(os.environ.get("EXAMPLES", "100")) / 100
"""Of the examples that a property asks for."""

_LEAST = 5


def examples(count: int) -> int:
    """So many examples, or the share of them that is asked for; at least five, or all where there are fewer."""
    return max(round(count * SHARE), min(count, _LEAST))
