"""What mention reply goes by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from processors.journey.playbook import Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class MentionRules(Rules):
    """How what people say of us in public is answered."""

    thanks_by: str
    thanks_within: timedelta
    rescue_by: str
    rescue_within: timedelta
    wide_reach: int
    """From so many readers on, a rescue has ``wide_within``."""
    wide_within: timedelta
    escalate_to: str
    escalated_due: timedelta
