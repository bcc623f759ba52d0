"""What response watch goes by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from processors.journey.playbook import Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseClock:
    """How long a contact on one channel may stay without a person's answer."""

    holding_after: timedelta
    """Then the customer is told honestly that nobody has got to it yet."""
    escalate_after: timedelta
    """Then a person is asked to step in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseRules(Rules):
    """How response watch sees to it that nobody is left without an answer."""

    clocks: Mapping[str, ResponseClock]
    """By channel of the contact; ``default`` serves the others."""
    holding_useful: timedelta
    escalate_to: str
    escalated_due: timedelta
    came_back_within: timedelta
    """A case that comes back this soon after its end was not solved."""

    def clock(self, channel: str) -> ResponseClock:
        """The clock of that channel."""
        return self.clocks.get(channel) or self.clocks["default"]
