"""The rules of mention reply."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from processors.journey.playbook import Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class MentionRules(Rules):
    """How public mentions of us are answered."""

    thanks_by: str
    thanks_within: timedelta
    rescue_by: str
    rescue_within: timedelta
    wide_reach: int
    """From this many readers on, ``wide_within`` is the deadline of a rescue."""
    wide_within: timedelta
    escalate_to: str
    escalated_due: timedelta
