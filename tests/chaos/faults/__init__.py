"""The faults, by name, in the order in which they are tried. Each makes its own ground and ends in a verdict."""

from __future__ import annotations

from tests.chaos.faults import kills, owners
from tests.chaos.faults.arena import Arena, Fault, Outcome

FAULTS: dict[str, Fault] = {
    "kill_at_points": kills.at_points,
    "kill_at_random": kills.at_random,
    "zombie": owners.zombie,
    "same_ids": owners.same_ids,
    "scaling": owners.scaling,
}
"""By name; ``python -m tests.chaos --only NAME`` runs one alone."""

__all__ = ["FAULTS", "Arena", "Fault", "Outcome"]
