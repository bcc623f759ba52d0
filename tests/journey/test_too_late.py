"""Nothing is passed over without a word: what we hear of too late has its answer to "why not", too."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from streams.events import Channel, ConsentStatus, Decision, FeedbackKind, Purpose, Sentiment
from tests.journey.care import answer, asks, cannot_have, eager, everything, feedback, given_by_agent, posts
from tests.journey.given import NOON, cancellation, consent, delay, given, profile

CARE = eager(everything())
NOW = NOON

LATE: dict[str, tuple[Callable[[datetime], Any], timedelta, str]] = {
    "a weekend's outage of whoever tells us of delays": (
        lambda when: delay(when, promised=when, minutes=60),
        timedelta(hours=50),
        "suppress notice: no_longer_useful",
    ),
    "a flight that was called off long ago": (
        lambda when: cancellation(when, promised=when + timedelta(hours=1)),
        timedelta(days=4),
        "suppress cancelled-0: no_longer_useful",
    ),
    "a low score of last month": (
        lambda when: feedback(FeedbackKind.CSAT, when, score=1),
        timedelta(days=31),
        "suppress recover: no_longer_useful",
    ),
    "a complaint of last year": (
        lambda when: feedback(FeedbackKind.COMPLAINT, when, text="Nobody came."),
        timedelta(days=400),
        "suppress recover: no_longer_useful",
    ),
    "a great story of last month": (
        lambda when: feedback(FeedbackKind.STORY, when, tone=Sentiment.POSITIVE),
        timedelta(days=31),
        "suppress share: no_longer_useful",
    ),
    "an angry post of two weeks ago": (
        lambda when: posts(Sentiment.NEGATIVE, when),
        timedelta(days=15),
        "suppress rescue: no_longer_useful",
    ),
    "praise of two weeks ago": (
        lambda when: posts(Sentiment.POSITIVE, when),
        timedelta(days=14),
        "suppress thank_you: no_longer_useful",
    ),
    "something that could not be had": (
        lambda when: cannot_have(when, "boots-42", "10.00"),
        timedelta(days=3),
        "suppress save: no_longer_useful",
    ),
    "a gift beyond the budget": (
        lambda when: given_by_agent(when, "70.00"),
        timedelta(days=20),
        "suppress over_budget: no_longer_useful",
    ),
}


@pytest.mark.parametrize("what", LATE)
def test_whatever_comes_too_late_has_one_word_on_record(what: str) -> None:
    """And only one: neither time nor the next touchpoint brings another."""
    fact, late, line = LATE[what]
    marketing = consent(ConsentStatus.GRANTED, NOW - timedelta(days=500), purpose=Purpose.MARKETING)
    ana = given(profile(NOW - timedelta(days=500)), marketing, playbook=CARE)
    ana.when(fact(NOW - late), now=NOW).then(line)
    (word,) = [one for one in ana.outputs if isinstance(one, Decision)]
    assert word.trigger_event_id is not None
    ana.when_time_passes_to(NOW + timedelta(days=90)).then_nothing()
    ana.when(profile(NOW + timedelta(days=91))).then_nothing()


def test_a_contact_that_is_heard_of_too_late_has_one_word_a_policy() -> None:
    """Response watch would have asked somebody to step in, caring hands would have taken the case."""
    ana = given(profile(NOW - timedelta(days=40)), playbook=CARE)
    ana.when(asks(NOW - timedelta(days=20)), now=NOW)
    ana.then("suppress assigned: no_longer_useful", "suppress escalation: no_longer_useful")
    ana.when_time_passes_to(NOW + timedelta(days=90)).then_nothing()


def test_what_nobody_would_have_wanted_leaves_no_word() -> None:
    """A fair score, a post that says neither, a short wait that is over: nothing was missed."""
    ana = given(profile(NOW - timedelta(days=500)), playbook=CARE)
    ana.when(feedback(FeedbackKind.CSAT, NOW - timedelta(days=40), score=5), now=NOW).then_nothing()
    ana.when(posts(Sentiment.NEUTRAL, NOW - timedelta(days=40)), now=NOW).then_nothing()


def test_a_backfill_is_told_in_a_few_words() -> None:
    """The first five of a day, then that there are more; the next day it is told again."""
    ana = given(profile(NOW - timedelta(days=500)), playbook=CARE)
    for number in range(300):
        ana.when(posts(Sentiment.NEGATIVE, NOW - timedelta(days=20), f"m{number}"), now=NOW)
    lines = [f"{one.occasion}: {one.journey_id}" for one in ana.decisions]
    assert lines == [*(f"rescue: mention/m{number}" for number in range(5)), "too_late: "]
    assert ana.decisions[-1].explanation == "more touchpoints arrived too late; they are not recorded one by one today"
    ana.when(posts(Sentiment.NEGATIVE, NOW - timedelta(days=20), "m-next"), now=NOW + timedelta(days=1, seconds=1))
    ana.then("suppress rescue: no_longer_useful")


def test_a_post_that_was_answered_before_we_heard_of_it_is_no_loss() -> None:
    """Somebody had replied where it stands."""
    ana = given(profile(NOW - timedelta(days=500)), playbook=CARE)
    ana.when(answer(NOW - timedelta(days=19), "m1", channel=Channel.SOCIAL), now=NOW)
    ana.when(posts(Sentiment.NEGATIVE, NOW - timedelta(days=20)), now=NOW).then_nothing()
