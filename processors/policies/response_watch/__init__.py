"""Response watch: every contact gets an answer."""

from __future__ import annotations

from processors.policies.plugin import Plugin
from processors.policies.response_watch.decisions import ResponseWatch, knows
from processors.policies.response_watch.page import page
from processors.policies.response_watch.rules import ResponseRules
from processors.policies.response_watch.section import ResponseSection

POLICY = Plugin(
    policy=ResponseWatch(),
    package=__name__,
    rules=ResponseRules,
    section=ResponseSection,
    made=lambda section, currency: section.rules(),
    page=page,
    knows=knows,
    rank=20,
    section_rank=30,
    when="a contact has no answer from a person",
    what=(
        "an honest holding message, then a task that asks someone to step in; the task comes at once if "
        "the case had been closed and the customer came back within days"
    ),
)

__all__ = ["POLICY"]
