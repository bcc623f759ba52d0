"""Mention reply: a person answers what people say about us in public."""

from __future__ import annotations

from processors.policies.mention_reply.decisions import RESCUE, MentionReply
from processors.policies.mention_reply.rules import MentionRules
from processors.policies.mention_reply.section import MentionSection
from processors.policies.plugin import Plugin

POLICY = Plugin(
    policy=MentionReply(),
    package=__name__,
    rules=MentionRules,
    section=MentionSection,
    made=lambda section, currency: section.rules(),
    shown_task=RESCUE,
    rank=40,
    section_rank=40,
    when="the customer mentions us in public",
    what=(
        "praise: a personal thank-you; a complaint: a rescue task with an owner and a deadline, then an "
        "escalation to someone who can solve it"
    ),
)

__all__ = ["POLICY"]
