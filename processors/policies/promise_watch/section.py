"""Validates the playbook section on promise watch."""

from __future__ import annotations

from processors.playbook.sections import Section
from processors.playbook.values import Slug, Some
from processors.policies.promise_watch.rules import PromiseRules


class PromiseSection(Section):
    """Promise watch."""

    team: Slug
    within: Some

    def rules(self) -> PromiseRules:
        """Return the policy's rules."""
        return PromiseRules(team=self.team, within=self.within)
