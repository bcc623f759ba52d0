"""Delay care: customers who wait hear from us before they have to ask."""

from __future__ import annotations

from processors.journey.wait_rules import WaitRules
from processors.policies.delay_care.decisions import DelayCare, knows
from processors.policies.delay_care.page import page
from processors.policies.delay_care.section import Kinds, rules_of, section_of
from processors.policies.plugin import Plugin

POLICY = Plugin(
    policy=DelayCare(),
    package=__name__,
    rules=WaitRules,
    section=Kinds,
    made=rules_of,
    as_section=section_of,
    page=page,
    knows=knows,
    required=True,
    rank=10,
    section_rank=10,
    when="a wait grows longer than its threshold, changes, or ends in a cancellation",
    what=("a letter with a gesture that fits the wait; corrected when the wait changes, retracted when it ends"),
)

__all__ = ["POLICY"]
