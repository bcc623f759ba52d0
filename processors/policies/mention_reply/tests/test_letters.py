"""The content of the letters and tasks of mention_reply."""

from __future__ import annotations

import pytest

from tests.letters.test_letters import LOCALES, is_well_written, written


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize(
    ("template", "facts"),
    [
        (
            "mention_reply/thank_you",
            ("That is how it is done.", "https://chirper.example/ana/1300112", "310", "chirper"),
        ),
        ("mention_reply/rescue", ("Third hour at EWR", "https://chirper.example/ana/1299031", "1840", "chirper")),
        ("mention_reply/escalation", ("Third hour at EWR", "https://chirper.example/ana/1299031", "1840", "chirper")),
    ],
)
def test_a_task_holds_what_there_is_to_know(template: str, facts: tuple[str, ...], locale: str) -> None:
    """The task contains the customer's own words, what they are about, and where to find it."""
    text = written(template, locale).text
    for fact in facts:
        assert fact in text


@pytest.mark.parametrize("link", ["javascript:alert(1)", "not a link at all"])
def test_an_odd_link_to_a_post_does_not_stop_its_rescue(link: str) -> None:
    """A rescue task whose post has an invalid link is opened without the link."""
    one = written("mention_reply/rescue", "en-US", {"link": link})
    is_well_written(one)
    assert link not in one.text
