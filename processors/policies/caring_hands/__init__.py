"""Caring hands: a small share of contacts is handled without a time limit."""

from __future__ import annotations

from processors.policies.caring_hands.decisions import CaringHands
from processors.policies.caring_hands.rules import CaringRules
from processors.policies.caring_hands.section import CaringSection
from processors.policies.plugin import Plugin

POLICY = Plugin(
    policy=CaringHands(),
    package=__name__,
    rules=CaringRules,
    section=CaringSection,
    made=lambda section, currency: section.rules(),
    rank=60,
    section_rank=70,
    when="a contact is opened",
    what=(
        "one in a hundred contacts goes to people who may take all the time it needs; the routing is in "
        "the journey state (`Contact.routed_to`)"
    ),
)

__all__ = ["POLICY"]
