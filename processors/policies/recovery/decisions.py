"""Recovery and memorable moments: what customers tell of us for years is how we made good on a bad day, and the day
that was better than they hoped for (Jeanne Bliss; Starr on the voice of the customer).

A customer with a bad experience is contacted by a person, and is asked once, some days later, how things are now. A
great story is kept, and passed on to those who made it happen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace as tuned
from datetime import datetime, timedelta
from functools import partial

from processors.journey.actions import Suppress, Task, Want
from processors.journey.feedback import answer, journey_of
from processors.journey.playbook import Playbook
from processors.journey.policy import as_text
from processors.journey.settling import TASK_LIVES, Deadline, DueTime, JourneyStep, Settling, deadline
from processors.journey.state import memorable
from processors.journey.wanting import want_of
from processors.policies.recovery.rules import RecoveryRules
from streams.events import FeedbackGiven, FeedbackKind, JourneyState, Moment, Sentiment, replace

RECOVER, FOLLOW_UP, SHARE = "recover", "follow_up", "share"
_ONE_REVIEW = timedelta(hours=1)
"""A score and a story within this time of each other belong to one review."""

_LOOK_BACK = timedelta(days=30)
"""Feedback older than this is not acted on."""


class Recovery(Settling):
    """The policy described in the module's docstring."""

    name = "recovery"
    answers = (FeedbackGiven,)
    final = frozenset({"asked_already"})
    why: Mapping[str, str] = {
        "en": "A bad day can still end well, and a good one is worth telling.",
        "de": "Ein schlechter Tag kann noch gut enden, und ein guter ist es wert, erzählt zu werden.",
        "es": "Un mal día aún puede acabar bien, y uno bueno merece contarse.",
        "pt": "Um dia ruim ainda pode terminar bem, e um dia bom merece ser contado.",
        "fr": "Une mauvaise journée peut encore bien finir, et une bonne mérite d’être racontée.",
    }

    def watched(self, state: JourneyState) -> Sequence[Moment]:
        """Return the feedback."""
        return state.moments

    def steps(self, state: JourneyState, now: datetime, playbook: Playbook) -> Iterator[JourneyStep]:
        """Yield what the recent feedback calls for."""
        rules = playbook.rules_of(RecoveryRules)
        if rules is None:
            return
        for moment in state.moments:
            if moment.occurred_at <= now - _LOOK_BACK:
                continue
            if was_bad(moment, rules):
                journey = journey_of(state, moment)
                by = deadline(moment.occurred_at, rules.within, now)
                parts = review_of(moment, state, rules)
                make = partial(
                    self._task, state, moment, playbook, occasion=RECOVER, team=rules.team, by=by, parts=parts
                )
                yield JourneyStep(journey, RECOVER, make)
                told_elsewhere = any(
                    note.journey_id == journey and note.occasion == RECOVER and note.retracted_at is not None
                    for note in state.outreach
                )  # replaced by the task for the whole review, which has the follow-up
                if told_elsewhere:
                    continue
                begun = self.sent_at(state, journey, RECOVER)
                if begun is not None and now >= _asks_at(moment, rules, begun):
                    make_question = partial(self._follow_up, state, moment, now, playbook, rules, begun=begun)
                    yield JourneyStep(journey, FOLLOW_UP, make_question)
            elif memorable(moment):
                by = deadline(moment.occurred_at, _LOOK_BACK, now)
                make = partial(self._task, state, moment, playbook, occasion=SHARE, team=rules.share_with, by=by)
                yield JourneyStep(journey_of(state, moment), SHARE, make)

    def too_late(self, state: JourneyState, event: FeedbackGiven, now: datetime, playbook: Playbook) -> Want | None:
        """Return the task that feedback which is too old to act on would have got."""
        rules = playbook.rules_of(RecoveryRules)
        if rules is None or event.occurred_at > now - _LOOK_BACK:
            return None
        for moment in state.moments:
            if answer(moment) != answer(event):
                continue
            if was_bad(moment, rules):
                by = deadline(moment.occurred_at, rules.within, now)
                return self._task(state, moment, playbook, occasion=RECOVER, team=rules.team, by=by)
            if memorable(moment):
                by = deadline(moment.occurred_at, _LOOK_BACK, now)
                return self._task(state, moment, playbook, occasion=SHARE, team=rules.share_with, by=by)
        return None

    def moments(self, state: JourneyState, now: datetime, playbook: Playbook) -> Iterator[DueTime]:
        """Yield when to ask how things are now."""
        rules = playbook.rules_of(RecoveryRules)
        if rules is None:
            return
        for moment in state.moments:
            if moment.occurred_at > now - _LOOK_BACK and was_bad(moment, rules):
                begun = self.sent_at(state, journey_of(state, moment), RECOVER)
                if begun is not None:
                    yield journey_of(state, moment), _asks_at(moment, rules, begun)

    def _follow_up(
        self, state: JourneyState, moment: Moment, now: datetime, playbook: Playbook, rules: RecoveryRules, *,
        begun: datetime,
    ) -> Want | Suppress:  # fmt: skip
        want = self._want(
            state, moment, playbook, occasion=FOLLOW_UP, useful_until=_asks_at(moment, rules, begun) + TASK_LIVES
        )
        for note in state.outreach:
            asked = note.policy == self.name and note.occasion == FOLLOW_UP and note.journey_id != want.journey_id
            if asked and note.requested_at > now - rules.follow_up_every:
                days = rules.follow_up_every.days
                return Suppress(
                    want=want, reason="asked_already", explanation=f"already asked within the last {days} days"
                )
        return want

    def _task(
        self, state: JourneyState, moment: Moment, playbook: Playbook, *, occasion: str, team: str, by: Deadline,
        parts: tuple[Moment, ...] = (),
    ) -> Want:  # fmt: skip
        want = self._want(
            state,
            together(moment, parts),
            playbook,
            occasion=occasion,
            useful_until=by.useful_until,
            task=Task(team=team, due_at=by.due),
        )
        # the task covers the whole review but keeps the journey of this part
        want = tuned(want, journey_id=journey_of(state, moment))
        known = {journey_of(state, part) for part in parts}
        for note in state.outreach:
            if note.policy == self.name and note.occasion == occasion and note.journey_id in known and not note.done_at:
                return tuned(want, revises=note.outreach_id)
        return want

    def _want(
        self, state: JourneyState, moment: Moment, playbook: Playbook, *,
        occasion: str, useful_until: datetime, task: Task | None = None,
    ) -> Want:  # fmt: skip
        score = "" if moment.score is None else str(moment.score)
        return want_of(
            self,
            state,
            playbook,
            journey_id=journey_of(state, moment),
            occasion=occasion,
            variables={
                "name": state.profile.name or "",
                "customer_id": state.customer_id,
                "kind": moment.kind.value,
                "score": score,
                "text": moment.text or "",
                "about": moment.about or "",
                "given_at": as_text(moment.occurred_at),
                "due_at": as_text(task.due_at if task else None),
            },
            useful_until=useful_until,
            task=task,
            answers=occasion == SHARE,  # shared among staff; it does not contact the customer
            inputs={"subject": f"feedback {moment.feedback_id}", "kind": moment.kind.value, "score": score},
        )


def review_of(moment: Moment, state: JourneyState, rules: RecoveryRules) -> tuple[Moment, ...]:
    """Return the other parts of the same review: also bad, about the same thing, given at nearly the same time, and a
    score if this is the text, or the text if this is a score."""
    return tuple(
        one
        for one in state.moments
        if answer(one) != answer(moment)
        and (one.score is None) is not (moment.score is None)
        and one.about == moment.about
        and abs(one.occurred_at - moment.occurred_at) <= _ONE_REVIEW
        and was_bad(one, rules)
    )


def together(moment: Moment, parts: tuple[Moment, ...]) -> Moment:
    """Return the moment with the score and text that it lacks, taken from its other parts."""
    for part in parts:
        if moment.score is None and part.score is not None:
            moment = replace(moment, kind=part.kind, score=part.score)
        if not moment.text and part.text:
            moment = replace(moment, text=part.text)
    return moment


def was_bad(moment: Moment, rules: RecoveryRules) -> bool:
    """Return whether it is a low score, a complaint, or a negative story."""
    if moment.kind is FeedbackKind.COMPLAINT or moment.sentiment is Sentiment.NEGATIVE:
        return True
    if moment.score is None:
        return False
    most = {
        FeedbackKind.CSAT: rules.csat_at_most,
        FeedbackKind.NPS: rules.nps_at_most,
        FeedbackKind.CES: rules.ces_at_most,
    }.get(moment.kind)
    return most is not None and moment.score <= most


def _asks_at(moment: Moment, rules: RecoveryRules, begun: datetime) -> datetime:
    """Return when to follow up: some days after the recovery task was done or, if nobody reported that, was sent."""
    return (moment.recovered_at or begun) + rules.follow_up_after
