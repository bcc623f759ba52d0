"""Validates the playbook section on recovery."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from processors.playbook.sections import Section
from processors.playbook.values import Count, Slug, Some, Window
from processors.policies.recovery.rules import RecoveryRules


class RecoverySection(Section):
    """Recovery and memorable moments. The scales are those of ``FeedbackGiven``: CSAT 1-5, NPS 0-10, CES 1-7."""

    csat_at_most: Annotated[Count, Field(ge=0, le=4)]
    nps_at_most: Annotated[Count, Field(ge=0, le=9)]
    ces_at_most: Annotated[Count, Field(ge=0, le=6)]
    team: Slug
    within: Some
    follow_up_after: Window
    follow_up_every: Window
    share_with: Slug

    def rules(self) -> RecoveryRules:
        """Return the policy's rules."""
        return RecoveryRules(**dict(self))
