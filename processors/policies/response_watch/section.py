"""Validates the playbook section on response watch."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, model_validator

from processors.playbook.faults import refuse
from processors.playbook.sections import DEFAULT, Section, with_default
from processors.playbook.values import Slug, Some, Window
from processors.policies.response_watch.rules import ResponseClock, ResponseRules
from streams.events import Channel


class ClockSection(Section):
    """How long a contact may stay without a person's answer."""

    holding_after: Some
    escalate_after: Some

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.escalate_after <= self.holding_after:
            refuse([(("escalate_after",), "has to be longer than holding_after")])
        return self


def _clocks(clocks: dict[str, ClockSection]) -> dict[str, ClockSection]:
    channels = [one.value for one in Channel if one is not Channel.OTHER]
    refuse(
        ((name,), f"is not a channel of a contact; there are {', '.join(channels)}, and {DEFAULT} for the others")
        for name in clocks
        if name not in (*channels, DEFAULT)
    )
    return with_default(clocks)


class ResponseSection(Section):
    """Response watch."""

    clocks: Annotated[dict[str, ClockSection], AfterValidator(_clocks)]
    holding_useful: Some
    escalate_to: Slug
    escalated_due: Some
    came_back_within: Window

    def rules(self) -> ResponseRules:
        """Return the policy's rules."""
        clocks = {
            name: ResponseClock(holding_after=clock.holding_after, escalate_after=clock.escalate_after)
            for name, clock in self.clocks.items()
        }
        return ResponseRules(
            clocks=clocks,
            holding_useful=self.holding_useful,
            escalate_to=self.escalate_to,
            escalated_due=self.escalated_due,
            came_back_within=self.came_back_within,
        )
