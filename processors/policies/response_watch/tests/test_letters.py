"""The content of the letters and tasks of response_watch."""

from __future__ import annotations

import pytest

from tests.letters.test_letters import LOCALES, written


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize(
    ("template", "facts"),
    [
        ("response_watch/escalation", ("Asks whether flight UA 571 leaves today.", "PNR-7Q2XKD")),
        ("response_watch/came_back", ("has not arrived after all.", "PNR-7Q2XKD")),
    ],
)
def test_a_task_holds_what_there_is_to_know(template: str, facts: tuple[str, ...], locale: str) -> None:
    """The task contains the customer's own words, what they are about, and where to find it."""
    text = written(template, locale).text
    for fact in facts:
        assert fact in text
