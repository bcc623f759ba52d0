"""The rules of recovery."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from processors.journey.playbook import Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryRules(Rules):
    """What counts as a bad experience, which team follows it up, and when the customer is asked how things are."""

    csat_at_most: int
    nps_at_most: int
    ces_at_most: int
    team: str
    within: timedelta
    follow_up_after: timedelta
    """Counted from the recovery, or from its task if nobody reports one done; asked once."""
    follow_up_every: timedelta
    """The minimum time between two such questions to one customer."""
    share_with: str
    """The team that passes great stories on."""
