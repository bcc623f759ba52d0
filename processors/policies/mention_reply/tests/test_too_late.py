"""Posts that arrive too late to be answered."""

from __future__ import annotations

from datetime import timedelta

import pytest

from streams.events import Channel, Sentiment
from tests.journey.care import answer, posts
from tests.journey.given import given, profile
from tests.journey.test_too_late import CARE, NOW, has_one_word_on_record


@pytest.mark.parametrize(
    ("tone", "days", "line"),
    [
        (Sentiment.NEGATIVE, 15, "suppress rescue: no_longer_useful"),
        (Sentiment.POSITIVE, 14, "suppress thank_you: no_longer_useful"),
    ],
)
def test_a_post_of_two_weeks_ago_has_one_word_on_record(tone: Sentiment, days: int, line: str) -> None:
    """A post of two weeks ago is not answered, and the reason is recorded once."""
    has_one_word_on_record(lambda when: posts(tone, when), timedelta(days=days), line)


def test_an_old_post_that_says_neither_leaves_no_word() -> None:
    """An old neutral post leaves no record."""
    ana = given(profile(NOW - timedelta(days=500)), playbook=CARE)
    ana.when(posts(Sentiment.NEUTRAL, NOW - timedelta(days=40)), now=NOW).then_nothing()


def test_a_backfill_is_told_in_a_few_words() -> None:
    """Of a backfill the first five posts of a day are recorded, then once that there are more."""
    ana = given(profile(NOW - timedelta(days=500)), playbook=CARE)
    for number in range(300):
        ana.when(posts(Sentiment.NEGATIVE, NOW - timedelta(days=20), f"m{number}"), now=NOW)
    lines = [f"{one.occasion}: {one.journey_id}" for one in ana.decisions]
    assert lines == [*(f"rescue: mention/m{number}" for number in range(5)), "too_late: "]
    assert ana.decisions[-1].explanation == "more touchpoints arrived too late; they are not recorded one by one today"
    ana.when(posts(Sentiment.NEGATIVE, NOW - timedelta(days=20), "m-next"), now=NOW + timedelta(days=1, seconds=1))
    ana.then("suppress rescue: no_longer_useful")


def test_a_post_that_was_answered_before_we_heard_of_it_is_no_loss() -> None:
    """A post that was answered before we heard of it leaves no record."""
    ana = given(profile(NOW - timedelta(days=500)), playbook=CARE)
    ana.when(answer(NOW - timedelta(days=19), "m1", channel=Channel.SOCIAL), now=NOW)
    ana.when(posts(Sentiment.NEGATIVE, NOW - timedelta(days=20)), now=NOW).then_nothing()
