"""The content of the letters and tasks of caring_hands."""

from __future__ import annotations

import pytest

from tests.letters.test_letters import LOCALES, written


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize(
    ("template", "facts"),
    [
        ("caring_hands/assigned", ("who uses a wheelchair", "PNR-7Q2XKD")),
    ],
)
def test_a_task_holds_what_there_is_to_know(template: str, facts: tuple[str, ...], locale: str) -> None:
    """The task contains the customer's own words, what they are about, and where to find it."""
    text = written(template, locale).text
    for fact in facts:
        assert fact in text
