"""The section of the renewal reminder, as it is checked."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from processors.playbook.sections import Section
from processors.playbook.values import Some, Text
from renewal_reminder.rules import RenewalRules


class RenewalSection(Section):
    """Renewal reminder."""

    kinds: Annotated[list[Text], Field(min_length=1)]
    before: Some

    def rules(self) -> RenewalRules:
        """The policy's rules."""
        return RenewalRules(kinds=tuple(self.kinds), before=self.before)
