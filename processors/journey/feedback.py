"""Which answer is which. Surveys use one id for several: a review of two orders, or a score and the story to it."""

from __future__ import annotations

from streams.events import FeedbackGiven, FeedbackKind, JourneyState, Moment

_POLICY = "recovery"


def answer(given: FeedbackGiven | Moment) -> tuple[str, FeedbackKind, str]:
    """What a customer's answer is recognised by: its id, what was asked and what it is about."""
    return given.feedback_id, given.kind, given.about or ""


def journey_id(moment: Moment) -> str:
    """The journey of one answer."""
    return "/".join(["feedback", *(part.replace("%", "%25").replace("/", "%2F") for part in answer(moment) if part)])


def journey_of(state: JourneyState, moment: Moment) -> str:
    """The journey of one answer as this state knows it.

    Answers used to be told apart by their id alone. What was decided then about an answer is not decided again: its
    journey keeps its name for as long as the decision is remembered.
    """
    older = f"feedback/{moment.feedback_id}"
    if any(
        one.journey_id == older and one.policy == _POLICY and one.as_of >= moment.occurred_at for one in state.settled
    ):
        return older
    return journey_id(moment)
