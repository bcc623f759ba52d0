"""What recovery goes by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from processors.journey.playbook import Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryRules(Rules):
    """What is a bad experience, who makes good on it, and when we ask how it was."""

    csat_at_most: int
    nps_at_most: int
    ces_at_most: int
    team: str
    within: timedelta
    follow_up_after: timedelta
    """From the recovery on, or from the feedback where nobody reports one; asked once."""
    follow_up_every: timedelta
    """Nobody is asked more often, however much went wrong."""
    share_with: str
    """The team that passes great stories on."""
