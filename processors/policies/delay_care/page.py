"""The sections on delay care in ``careline playbook show``: a table of gestures for each kind of subject."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from processors.journey.wait_rules import WaitRules
from processors.policies.pages import Block, Heading, Line, Rows, gesture
from streams.durations import spelled


def page(waits: WaitRules, section: Mapping[str, Any], currency: str) -> Iterator[Block]:
    """Yield the blocks of the policy's sections."""
    for kind, rules in waits.kinds.items():
        yield Heading(f"Delay care: {kind}")
        first = f"From a wait of {spelled(rules.threshold)} on customers are told, and again when it moves by "
        yield Line(f"{first}{spelled(rules.revise_after)}.")
        rows = [(f"from {spelled(stage.wait)} on", *gesture(stage.gesture)) for stage in rules.stages]
        rows += [("cancelled", *gesture(rules.cancelled))] if rules.cancelled else []
        yield Rows(("wait", "gesture", "code", "cost"), rows)
