"""Validates the playbook section on mention reply."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from processors.playbook.faults import refuse
from processors.playbook.sections import Section
from processors.playbook.values import Count, Slug, Some
from processors.policies.mention_reply.rules import MentionRules


class MentionSection(Section):
    """Mention reply."""

    thanks_by: Slug
    thanks_within: Some
    rescue_by: Slug
    rescue_within: Some
    wide_reach: Annotated[Count, Field(ge=1)]
    wide_within: Some
    escalate_to: Slug
    escalated_due: Some

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.wide_within > self.rescue_within:
            refuse([(("wide_within",), "is longer than rescue_within: what many read is not to wait longer")])
        return self

    def rules(self) -> MentionRules:
        """Return the policy's rules."""
        return MentionRules(**dict(self))
