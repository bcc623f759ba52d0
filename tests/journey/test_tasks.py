"""Tasks: their deadline, what they are about, how to reach the customer, and what an escalation escalates."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given as for_any
from hypothesis import settings

from processors.journey.tasking import NOBODY
from streams.events import (
    Address,
    Channel,
    ConsentStatus,
    FeedbackGiven,
    FeedbackKind,
    ItemUnavailable,
    OrderPlaced,
    OutreachChannel,
    OutreachRequested,
    Sentiment,
    replace,
)
from tests.drawn import examples
from tests.journey.anything import lives
from tests.journey.care import asks, done, everything, feedback, posts
from tests.journey.given import MAIL, NOON, Journey, at, consent, delay, facts, given, profile, told

PHONE = Address(channel=OutreachChannel.SMS, address="+12125550147")
CARE = everything(channel_order=(OutreachChannel.EMAIL, OutreachChannel.SMS), quiet_hours=None)
BAD = FeedbackKind.CSAT


def tasks(journey: Journey) -> list[OutreachRequested]:
    """Return the tasks that staff were given so far."""
    return [one for one in journey.requests if one.due_at is not None]


def about(fact: FeedbackGiven, name: str | None) -> FeedbackGiven:
    """Return the feedback with that subject."""
    return replace(fact, about=name)


class TestWays:
    def test_the_way_to_reach_the_customer(self) -> None:
        """A task lists every address that the customer allows, the best first."""
        ana = given(profile(addresses=(PHONE, MAIL)), playbook=CARE).when(feedback(BAD, score=1))
        assert tasks(ana)[0].variables["ways"] == f"EMAIL {MAIL.address} · SMS {PHONE.address}"

    def test_not_by_an_address_that_they_closed(self) -> None:
        """A task does not list addresses on a channel that the customer opted out of."""
        no = consent(ConsentStatus.REVOKED, channel=OutreachChannel.EMAIL)
        ana = given(profile(addresses=(PHONE, MAIL)), no, playbook=CARE).when(feedback(BAD, score=1))
        assert tasks(ana)[0].variables["ways"] == f"SMS {PHONE.address}"

    def test_whoever_asked_and_allows_nothing_is_answered_where_they_asked(self) -> None:
        """If the customer allows no address, the task for their question lists none."""
        ana = given(profile(), consent(ConsentStatus.REVOKED), asks(NOON), playbook=CARE)
        ana.when_time_passes_to(at("13:00"))
        assert tasks(ana)[-1].variables["ways"] == NOBODY


class TestAbout:
    @pytest.mark.parametrize(
        ("fact", "name"),
        [
            (OrderPlaced(**facts(at("09:00")), order_id="A-1017", description="desk lamp"), "A-1017"),
            (OrderPlaced(**facts(at("09:00")), order_id="B", subject_id="A-1017", description="desk lamp"), "A-1017"),
            (delay(at("09:00"), minutes=5, subject="A-1017", description="desk lamp"), "A-1017"),
            (ItemUnavailable(**facts(at("09:00")), item_id="A-1017", description="desk lamp"), "A-1017"),
        ],
    )
    def test_its_description_where_it_is_known(self, fact: Any, name: str) -> None:
        """A task names a known order, wait or wish by its description and id."""
        ana = given(profile(), fact, playbook=CARE).when(about(feedback(BAD, score=1), name))
        assert tasks(ana)[-1].variables["about"] == "desk lamp, A-1017"

    def test_a_matter_too(self) -> None:
        """A question about an order names the order."""
        lamp = OrderPlaced(**facts(at("09:00")), order_id="A-1017", description="desk lamp")
        ana = given(profile(), lamp, asks(NOON, matter="A-1017"), playbook=CARE).when_time_passes_to(at("13:00"))
        assert tasks(ana)[-1].variables["matter"] == "desk lamp, A-1017"

    def test_what_is_not_known_is_as_it_was_told(self) -> None:
        """An unknown subject is shown as it was reported."""
        ana = given(profile(), playbook=CARE).when(about(feedback(BAD, score=1), "gate 12"))
        assert tasks(ana)[0].variables["about"] == "gate 12"


class TestDeadlines:
    def test_never_due_before_it_is_opened(self) -> None:
        """A task for a score of last week has its full time from today."""
        ana = given(profile(), playbook=CARE).when(feedback(BAD, NOON - timedelta(days=6), score=1), now=NOON)
        (task,) = tasks(ana)
        assert task.due_at == NOON + timedelta(days=1)
        assert task.variables["due_at"] == (NOON + timedelta(days=1)).isoformat(timespec="seconds")
        assert ana.known.outreach[-1].due_at == task.due_at

    def test_a_rescue_that_begins_late_is_not_escalated_at_once(self) -> None:
        """A rescue for a post that is a day old has its full two hours before it is escalated."""
        post = posts(Sentiment.NEGATIVE, NOON - timedelta(days=1))
        ana = given(profile(), playbook=CARE).when(post, now=NOON).then("task rescue for social-care by 09 Feb 14:00")
        ana.when_time_passes_to(at("13:59")).then_nothing()
        ana.when_time_passes_to(at("14:00"))
        assert [line.split(" by ")[0] for line in told(ana.outputs)] == ["escalate escalation for care-leads"]

    def test_by_the_clocks_of_the_team(self) -> None:
        """A task's times are in the team's time zone, whatever the customer's."""
        book = everything(team_zones={"recovery": "Europe/Vienna"}, default_time_zone="America/New_York")
        ana = given(profile(), playbook=book).when(feedback(BAD, score=1)).when(posts(Sentiment.POSITIVE))
        assert [one.time_zone for one in tasks(ana)] == ["Europe/Vienna", "America/New_York"]

    @staticmethod
    @for_any(lives(30))
    @settings(max_examples=examples(40), deadline=None, derandomize=True)
    def test_whatever_happens(life: list[tuple[timedelta, Any]]) -> None:
        """For any events, a task's deadline is after its request, and the task is useful until its deadline."""
        ana, now = Journey(everything()), NOON
        ana.when(profile(event_id="first"))
        for pause, event in life:
            now += pause
            ana.when(event, now=now)
        for task in tasks(ana.when_time_passes_to(now + timedelta(days=4))):
            assert task.due_at is not None
            assert task.requested_at < task.due_at <= task.useful_until


class TestReviews:
    score, story = feedback(BAD, score=1), feedback(FeedbackKind.COMPLAINT, at("12:01"), "f2", text="Nobody came.")

    @pytest.mark.parametrize("first", ["score", "story"])
    def test_a_score_and_its_story_are_one_task(self, first: str) -> None:
        """Whichever arrives first, one task remains, with the score and the story."""
        parts = [self.score, self.story] if first == "score" else [self.story, self.score]
        ana = given(profile(), playbook=CARE)
        for part in parts:
            ana.when(about(part, "A-1017"), now=at("12:05"))
        assert "replace the earlier letter" in told(ana.outputs)
        standing = [one for one in ana.known.outreach if one.retracted_at is None]
        assert [one.occasion for one in standing] == ["recover"]
        request = next(one for one in ana.requests if one.outreach_id == standing[0].outreach_id)
        assert (request.variables["kind"], request.variables["score"]) == ("CSAT", "1")
        assert request.variables["text"] == "Nobody came."
        ana.when_time_passes_to(at("13:00", day=9))
        assert [one.occasion for one in ana.requests].count("follow_up") == 1, "one question follows"

    @pytest.mark.parametrize(
        "other",
        [
            about(feedback(FeedbackKind.COMPLAINT, at("12:01"), "f2", text="Nobody came."), "B-2"),
            about(feedback(FeedbackKind.COMPLAINT, at("15:01"), "f2", text="Nobody came."), "A-1017"),
            about(feedback(FeedbackKind.NPS, at("12:01"), "f2", score=0), "A-1017"),
        ],
    )
    def test_what_is_no_part_of_it_is_a_task_of_its_own(self, other: FeedbackGiven) -> None:
        """Feedback about something else, hours later, or with another score is a task of its own."""
        ana = given(profile(), about(self.score, "A-1017"), playbook=CARE).when(other)
        assert [one.retracted_at for one in ana.known.outreach] == [None, None]

    def test_what_is_done_is_not_asked_for_again_as_its_part(self) -> None:
        """If the score's task was done before the story arrived, the story is a task of its own."""
        ana = given(profile(), about(self.score, "A-1017"), playbook=CARE)
        ana.when(done(at("12:00"), "recovery", "feedback/f1/CSAT/A-1017", "recover")).when(about(self.story, "A-1017"))
        assert [one.retracted_at for one in ana.known.outreach] == [None, None]


class TestEscalations:
    def test_names_what_it_escalates(self) -> None:
        """An escalation names the earlier task, its team and its deadline."""
        ana = given(profile(), posts(Sentiment.NEGATIVE), playbook=CARE).when_time_passes_to(at("14:00"))
        rescue, escalation = tasks(ana)
        assert escalation.variables["earlier_task"] == rescue.outreach_id
        assert escalation.variables["earlier_team"] == "social-care"
        assert escalation.variables["earlier_due_at"] == at("14:00").isoformat(timespec="seconds")

    def test_a_question_that_nobody_was_asked_to_answer(self) -> None:
        """An escalation of an unanswered question names no earlier task."""
        ana = given(profile(), asks(NOON, channel=Channel.CALL), playbook=CARE).when_time_passes_to(at("13:00"))
        assert tasks(ana)[-1].variables["earlier_task"] == ""
