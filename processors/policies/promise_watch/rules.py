"""The rules of promise watch."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from processors.journey.wait_rules import FoundOut


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseRules(FoundOut):
    """The team that finds out about promises that passed in silence and settles waits without a reported end, and its
    deadline."""

    team: str
    within: timedelta
