"""The content of the letters and tasks of recovery."""

from __future__ import annotations

import pytest

from streams.events import FeedbackKind
from tests.letters.test_letters import LOCALES, is_well_written, said, written


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize(
    ("template", "facts"),
    [
        ("recovery/recover", ("Four hours on the floor", "CSAT 1", "UA571-2026-02-08-LGA")),
        ("recovery/share", ("Denise at gate 12", "UA571-2026-02-08-LGA")),
    ],
)
def test_a_task_holds_what_there_is_to_know(template: str, facts: tuple[str, ...], locale: str) -> None:
    """The task contains the customer's own words, what they are about, and where to find it."""
    text = written(template, locale).text
    for fact in facts:
        assert fact in text


@pytest.mark.parametrize("locale", LOCALES)
def test_the_follow_up_asks_one_question(locale: str) -> None:
    """The follow-up asks how things are now and nothing else, and does not repeat the complaint."""
    one = written("recovery/follow_up", locale)
    question = {
        "en-US": "How are things now?",
        "de-DE": "Wie steht es jetzt?",
        "es-MX": "¿Cómo están las cosas ahora?",
        "pt-BR": "Como estão as coisas agora?",
        "fr-FR": "Où en sont les choses maintenant\xa0?",
    }
    assert question[locale] in said(one).split("\n\n")
    assert said(one).count("?") == 1
    assert (one.short or "").count("?") == 1
    assert "Four hours on the floor" not in one.text


@pytest.mark.parametrize("kind", [*FeedbackKind, "FROM_THE_FUTURE"])
@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("template", ["recovery/recover", "recovery/share"])
def test_every_kind_of_feedback_has_a_name(template: str, locale: str, kind: str) -> None:
    """A task names every kind of feedback, with or without a score, and handles an unknown kind."""
    for score in ("", "0", "3"):
        one = written(template, locale, {"kind": kind, "score": score})
        is_well_written(one)
        assert "FROM_THE_FUTURE" not in one.text
