"""Facts that arrive too late are recorded with the reason why nothing was sent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from streams.events import ConsentStatus, Decision, FeedbackKind, Purpose, Sentiment, Touchpoint
from tests.journey.care import cannot_have, eager, everything, feedback, given_by_agent
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
    """A fact that arrives too late is recorded once."""
    has_one_word_on_record(*LATE[what])


def has_one_word_on_record(fact: Callable[[datetime], Touchpoint], late: timedelta, line: str) -> None:
    """Check that a fact that arrives so late is recorded with that line, and not again."""
    marketing = consent(ConsentStatus.GRANTED, NOW - timedelta(days=500), purpose=Purpose.MARKETING)
    ana = given(profile(NOW - timedelta(days=500)), marketing, playbook=CARE)
    ana.when(fact(NOW - late), now=NOW).then(line)
    (word,) = [one for one in ana.outputs if isinstance(one, Decision)]
    assert word.trigger_event_id is not None
    ana.when_time_passes_to(NOW + timedelta(days=90)).then_nothing()
    ana.when(profile(NOW + timedelta(days=91))).then_nothing()


def test_what_nobody_would_have_wanted_leaves_no_word() -> None:
    """A fair score that arrives late leaves no record."""
    ana = given(profile(NOW - timedelta(days=500)), playbook=CARE)
    ana.when(feedback(FeedbackKind.CSAT, NOW - timedelta(days=40), score=5), now=NOW).then_nothing()
