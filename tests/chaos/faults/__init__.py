"""The faults by name, in the order in which they are tried. Each sets up its own ground and returns a verdict."""

from __future__ import annotations

from tests.chaos.faults import clocks, inputs, kills, owners, servers, steps
from tests.chaos.faults.arena import Arena, Fault, Outcome

FAULTS: dict[str, Fault] = {
    "kill_at_points": kills.at_points,
    "kill_at_random": kills.at_random,
    "zombie": owners.zombie,
    "same_ids": owners.same_ids,
    "scaling": owners.scaling,
    "broker_kill": servers.broker_kill,
    "refused_sends": inputs.refused_sends,
    "registry_down": servers.registry_down,
    "redis_emptied": servers.redis_emptied,
    "full_disk": inputs.full_disk,
    "unreadable": inputs.unreadable,
    "failing_step": steps.failing_step,
    "disorder": inputs.disorder,
    "clock_jumps": clocks.clock_jumps,
    "timer_storm": clocks.timer_storm,
    "compaction": inputs.compaction,
}
"""By name; ``python -m tests.chaos --only NAME`` runs one alone."""

__all__ = ["FAULTS", "Arena", "Fault", "Outcome"]
