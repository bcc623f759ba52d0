"""The rules of response watch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from processors.journey.playbook import Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseClock:
    """How long a contact on one channel may stay without a person's answer."""

    holding_after: timedelta
    """After this the customer is told that nobody has answered yet."""
    escalate_after: timedelta
    """After this a person is asked to step in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseRules(Rules):
    """How long contacts may stay unanswered, and who is asked to step in."""

    clocks: Mapping[str, ResponseClock]
    """By the contact's channel; ``default`` applies to all others."""
    holding_useful: timedelta
    escalate_to: str
    escalated_due: timedelta
    came_back_within: timedelta
    """A case that is reopened within this time of its end was not solved."""

    def clock(self, channel: str) -> ResponseClock:
        """Return the clock of that channel."""
        return self.clocks.get(channel) or self.clocks["default"]
