"""Tests the oracle: runs each planted bug under the fault that reveals it, and says by what it was noticed."""

from __future__ import annotations

from dataclasses import replace

from tests.chaos.bugs import BUGS
from tests.chaos.faults import Arena, Fault, inputs, kills, owners, steps
from tests.chaos.summary import COUNTS

PLANTED: dict[str, Fault] = {
    "unawaited_send": inputs.refused_sends,
    "skipped_fencing": owners.zombie,
    "early_merge": inputs.refused_sends,
    "lost_timer": kills.at_points,
    "lost_after_failure": steps.failing_step,
    "kept_of_failure": steps.failing_step,
}
"""The fault for each bug; it is also tried without the bug."""

_KILLS = 4

if PLANTED.keys() != BUGS.keys():
    raise RuntimeError("every bug that can be planted is looked for")


async def noticed(bug: str, arena: Arena) -> str:
    """What the oracle found in a drive with the bug in every worker; "" for nothing."""
    outcome = await PLANTED[bug](replace(arena, bug=bug, kills=min(arena.kills, _KILLS)))
    counts = [(getattr(outcome.verdict, name), name) for name in COUNTS]
    return ", ".join(f"{count} {name.replace('_', ' ')}" for count, name in counts if count)
