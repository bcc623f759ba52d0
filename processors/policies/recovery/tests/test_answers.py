"""Survey answers that share an id, such as reviews of two orders or a score and its comment, are handled separately."""

from __future__ import annotations

import itertools

import pytest

from processors.journey.feedback import journey_id
from streams.events import FeedbackGiven, FeedbackKind, MergeSide, ProfilesMerged, Sentiment, replace
from tests.journey.care import done, everything, feedback
from tests.journey.given import Journey, at, facts, given, profile
from tests.journey.given import told as said

CARE = everything()
BAD = feedback(FeedbackKind.CSAT, score=1)
SHARED = {
    "two orders": (replace(BAD, about="order-1"), feedback(FeedbackKind.CSAT, at("12:01"), score=2), "order-2"),
    "a score and a complaint": (BAD, feedback(FeedbackKind.COMPLAINT, at("12:01"), text="Never again."), None),
    "two surveys": (BAD, feedback(FeedbackKind.NPS, at("12:01"), score=0), None),
}


def pair(name: str) -> tuple[FeedbackGiven, FeedbackGiven]:
    first, second, about = SHARED[name]
    return first, replace(second, about=about)


@pytest.mark.parametrize("name", SHARED)
@pytest.mark.parametrize("turned", [False, True])
def test_answers_that_share_an_id_are_each_made_good(name: str, turned: bool) -> None:
    """Each bad answer gets its own task, in either order of arrival, and each task is done separately."""
    answers = pair(name)[:: -1 if turned else 1]
    ana = given(profile(), playbook=CARE)
    for one in answers:
        assert sum(line.startswith("task recover") for line in said(ana.when(one).outputs)) == 1
    assert len(ana.known.moments) == 2
    assert len({one.journey_id for one in ana.known.settled}) == 2
    first = journey_id(ana.known.moments[0])
    ana.when(done(at("15:00"), "recovery", first, "recover"))
    assert sorted(one.recovered_at is not None for one in ana.known.moments) == [False, True]


def test_the_same_answer_told_again_is_one() -> None:
    """An answer that is published again, now with a text, replaces the first."""
    ana = given(profile(), BAD, playbook=CARE)
    ana.when(replace(feedback(FeedbackKind.CSAT, at("12:10"), score=1), text="It rained in.")).then_nothing()
    assert [one.text for one in ana.known.moments] == ["It rained in."]
    assert len([one for one in ana.known.settled if one.occasion == "recover"]) == 1


def test_names_of_answers_are_not_taken_for_each_other() -> None:
    """Different answers have different journey ids, whatever characters their ids contain."""
    parts = ("a", "a/CSAT", "a%2FCSAT", "CSAT", "/", "")
    told = [
        replace(BAD, feedback_id=one, kind=kind, about=about)
        for one, kind, about in itertools.product(parts, (FeedbackKind.CSAT, FeedbackKind.STORY), (None, *parts[:5]))
        if one
    ]
    names = set()
    for event in told:
        ana = given(profile(), event)
        names |= {journey_id(one) for one in ana.known.moments}
    assert len(names) == len(told)


def test_what_was_decided_under_an_older_name_is_not_decided_again() -> None:
    """An answer that was decided under its old journey id gets no second task under the new one."""
    ana = given(profile(), replace(BAD, about="order-1"), playbook=CARE)
    new = journey_id(ana.known.moments[0])

    def older(journey: Journey) -> None:
        known = journey.known
        journey.state = replace(
            known,
            settled=tuple(replace(one, journey_id="feedback/f1") for one in known.settled),
            outreach=tuple(replace(one, journey_id="feedback/f1") for one in known.outreach),
        )

    older(ana)
    ana.when_time_passes_to(at("13:00")).then_nothing()
    task = ana.known.outreach[0]
    event = done(at("15:00"), "recovery", new, "recover")
    ana.when(replace(event, task_id=task.outreach_id)).then_nothing()
    assert ana.known.moments[0].recovered_at == at("15:00")
    ana.when_time_passes_to(at("15:00", day=3)).then("send follow_up")
    ana.when(replace(feedback(FeedbackKind.CSAT, at("16:00", day=3), score=1), about="order-2"))
    assert len(ana.known.moments) == 2
    assert any(line.startswith("task recover") for line in said(ana.outputs)), "a new subject is a new answer"


def test_both_are_told_to_the_record_that_stays() -> None:
    """When two records are merged, answers that share an id are forwarded as two facts."""
    ana = given(profile(), *pair("two orders"), playbook=CARE)
    merge = ProfilesMerged(**facts(at("13:00")), other_customer_id="ben", told=False)
    ana.when(replace(merge, side=MergeSide.ABSORBED))
    told = [one for one in ana.outputs if isinstance(one, FeedbackGiven)]
    assert len({one.event_id for one in told}) == len(told) == 2
    assert {one.about for one in told} == {"order-1", "order-2"}


def test_a_score_of_before_that_is_off_its_scale_is_told_without_it() -> None:
    """An older state may hold an invalid score; its answer is forwarded without it."""
    ana = given(profile(), replace(BAD, score=0, sentiment=Sentiment.NEGATIVE, text="Cold."), playbook=CARE)
    ana.when(ProfilesMerged(**facts(at("13:00")), other_customer_id="ben", side=MergeSide.ABSORBED))
    (told,) = [one for one in ana.outputs if isinstance(one, FeedbackGiven)]
    assert (told.score, told.text) == (None, "Cold.")
