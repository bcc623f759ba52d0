"""The content of the letters and tasks of agent_gestures."""

from __future__ import annotations

import pytest

from tests.letters.test_letters import LOCALES, written


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize(
    ("template", "facts"),
    [
        ("agent_gestures/over_budget", ("agent-07", "hotel-room", "60", "call-771204", "66", "50", "24")),
    ],
)
def test_a_task_holds_what_there_is_to_know(template: str, facts: tuple[str, ...], locale: str) -> None:
    """The task contains the customer's own words, what they are about, and where to find it."""
    text = written(template, locale).text
    for fact in facts:
        assert fact in text
