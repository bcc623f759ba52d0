"""The section on response watch in ``careline playbook show``: a table of its clocks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from processors.policies.pages import Block, Heading, Line, Rows
from processors.policies.response_watch.rules import ResponseRules
from streams.durations import spelled


def page(rules: ResponseRules, section: Mapping[str, Any], currency: str) -> Iterator[Block]:
    """Yield the blocks of the policy's section."""
    yield Heading("Response watch")
    yield Rows(
        ("a contact by", "unanswered, the customer is told after", f"and {rules.escalate_to} are asked after"),
        [(name, spelled(one.holding_after), spelled(one.escalate_after)) for name, one in rules.clocks.items()],
    )
    told = f"What the customer is told is of use for at most {spelled(rules.holding_useful)}."
    yield Line(f"They have {spelled(rules.escalated_due)}. {told}")
    yield Line(f"A case that comes back within {spelled(rules.came_back_within)} was not solved.")
