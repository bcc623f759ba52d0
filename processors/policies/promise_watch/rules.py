"""What promise watch goes by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from processors.journey.wait_rules import FoundOut


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseRules(FoundOut):
    """Who finds out what came of a promise of which nobody says a word, and settles what nobody knows the end of."""

    team: str
    within: timedelta
