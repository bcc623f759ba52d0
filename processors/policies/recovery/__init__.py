"""Recovery: follows up on bad experiences, and keeps and shares good ones."""

from __future__ import annotations

from processors.policies.plugin import Plugin
from processors.policies.recovery.decisions import Recovery
from processors.policies.recovery.rules import RecoveryRules
from processors.policies.recovery.section import RecoverySection

POLICY = Plugin(
    policy=Recovery(),
    package=__name__,
    rules=RecoveryRules,
    section=RecoverySection,
    made=lambda section, currency: section.rules(),
    rank=30,
    section_rank=50,
    when="a low CSAT, NPS or CES score, a complaint or a bad story; or a great one",
    what=("a task to make up for it, and one question days later; a great story is kept for years and passed on"),
)

__all__ = ["POLICY"]
