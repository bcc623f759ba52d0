"""Validates the playbook section on caring hands."""

from __future__ import annotations

from processors.playbook.sections import Section
from processors.playbook.values import Seed, Share, Slug, Window
from processors.policies.caring_hands.rules import CaringRules


class CaringSection(Section):
    """Caring hands."""

    share: Share
    seed: Seed
    team: Slug
    useful: Window

    def rules(self) -> CaringRules:
        """Return the policy's rules."""
        return CaringRules(**dict(self))
