"""Recovery and memorable moments: bad experiences are followed up, and good ones shared."""

from __future__ import annotations

import pytest

from streams.events import ConsentStatus, FeedbackKind, Sentiment
from tests.journey.care import done, everything, feedback
from tests.journey.given import at, consent, given, profile

CARE = everything()


@pytest.mark.parametrize(
    ("kind", "score"), [(FeedbackKind.CSAT, 2), (FeedbackKind.NPS, 6), (FeedbackKind.CES, 2), (FeedbackKind.CSAT, 1)]
)
def test_a_low_score_gets_a_personal_recovery(kind: FeedbackKind, score: int) -> None:
    """A low score opens a recovery task with a deadline of a day."""
    given(profile(), playbook=CARE).when(feedback(kind, score=score)).then("task recover for recovery by 10 Feb 12:00")


@pytest.mark.parametrize(("kind", "score"), [(FeedbackKind.CSAT, 3), (FeedbackKind.NPS, 7), (FeedbackKind.CES, 3)])
def test_a_fair_score_needs_none(kind: FeedbackKind, score: int) -> None:
    """A fair score causes nothing."""
    given(profile(), playbook=CARE).when(feedback(kind, score=score)).then_nothing()


@pytest.mark.parametrize(
    ("kind", "tone"), [(FeedbackKind.COMPLAINT, Sentiment.UNKNOWN), (FeedbackKind.STORY, Sentiment.NEGATIVE)]
)
def test_a_complaint_and_a_bad_story_get_one_too(kind: FeedbackKind, tone: Sentiment) -> None:
    """A complaint or a negative story opens a recovery task too."""
    ana = given(profile(), playbook=CARE).when(feedback(kind, tone=tone, text="Nobody came."))
    ana.then("task recover for recovery by 10 Feb 12:00")
    assert ana.requests[0].variables["text"] == "Nobody came."


def test_one_question_follows_some_days_after_the_recovery() -> None:
    """Three days after the recovery was done, the customer is asked once how things are now."""
    ana = given(profile(), feedback(FeedbackKind.CSAT, score=1), playbook=CARE)
    ana.when(done(at("15:00"), "recovery", "feedback/f1/CSAT", "recover")).then_nothing()
    assert ana.known.moments[0].recovered_at == at("15:00")
    ana.when_time_passes_to(at("14:59", day=3)).then_nothing()
    ana.when_time_passes_to(at("15:00", day=3)).then("send follow_up")
    ana.when_time_passes_to(at("15:00", day=25)).then_nothing()


def test_nobody_is_asked_twice_in_a_month() -> None:
    """Two bad experiences in a week open two recovery tasks and cause one question."""
    ana = given(profile(), feedback(FeedbackKind.CSAT, score=1), playbook=CARE)
    ana.when_time_passes_to(at("12:00", day=3)).then("send follow_up")
    ana.when(feedback(FeedbackKind.NPS, at("12:00", day=4), "f2", score=0)).then(
        "task recover for recovery by 14 Feb 12:00"
    )
    ana.when_time_passes_to(at("12:00", day=7)).then("suppress follow_up: asked_already")
    ana.when_time_passes_to(at("12:00", day=30)).then_nothing()


def test_two_bad_days_that_wait_for_the_same_morning_are_one_question() -> None:
    """If two questions were held for the same morning, only the first is sent."""
    ana = given(
        profile(),
        feedback(FeedbackKind.CSAT, at("23:10"), "f1", score=1),
        feedback(FeedbackKind.NPS, at("23:30"), "f2", score=0),
        playbook=CARE,
    )
    ana.when_time_passes_to(at("06:00", day=4))
    ana.when_time_passes_to(at("07:00", day=4)).then("send follow_up", "suppress follow_up: asked_already")
    assert [one.journey_id for one in ana.requests if one.occasion == "follow_up"] == ["feedback/f1/CSAT"]


def test_a_review_heard_of_late_is_followed_up_days_later_not_at_once() -> None:
    """For feedback that arrives late, the question follows three days after the task was opened."""
    ana = given(profile(), playbook=CARE)
    ana.when(feedback(FeedbackKind.CSAT, at("12:00"), score=1), now=at("12:00", day=5))
    ana.then("task recover for recovery by 15 Feb 12:00")
    ana.when_time_passes_to(at("11:59", day=8)).then_nothing()
    ana.when_time_passes_to(at("12:00", day=8)).then("send follow_up")


def test_the_question_waits_for_the_morning() -> None:
    """A question that is due at night is sent in the morning."""
    ana = given(profile(), feedback(FeedbackKind.CSAT, at("23:30"), score=1), playbook=CARE)
    ana.when_time_passes_to(at("06:00", day=4)).then("hold follow_up until 13 Feb 07:00: quiet_hours")
    ana.when_time_passes_to(at("07:00", day=4)).then("send follow_up")


@pytest.mark.parametrize("kind", [FeedbackKind.PRAISE, FeedbackKind.STORY])
def test_a_great_story_is_kept_and_shared(kind: FeedbackKind) -> None:
    """A great story is passed on, and stays in the state even after forty surveys."""
    ana = given(profile(), playbook=CARE)
    ana.when(feedback(kind, tone=Sentiment.POSITIVE, text="You held the door.")).then(
        "task share for storytellers by 11 Mar 12:00"
    )
    for number in range(40):
        ana.when(feedback(FeedbackKind.CSAT, at("13:00", day=number), f"survey-{number}", score=5))
    assert ana.known.moments[0].text == "You held the door."
    assert len(ana.known.moments) == 21


def test_telling_a_story_among_ourselves_needs_no_consent_making_good_does() -> None:
    """A customer who opted out is not contacted for a recovery, but their story may be shared among staff."""
    ana = given(profile(), consent(ConsentStatus.DENIED), playbook=CARE)
    ana.when(feedback(FeedbackKind.PRAISE)).then("task share for storytellers by 11 Mar 12:00")
    ana.when(feedback(FeedbackKind.CSAT, name="f2", score=1)).then("suppress recover: no_consent")
