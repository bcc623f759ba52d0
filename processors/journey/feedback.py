"""Tells survey answers apart. Survey tools use one id for several answers: reviews of two orders, or a score and the
comment on it."""

from __future__ import annotations

from streams.events import FeedbackGiven, FeedbackKind, JourneyState, Moment

_POLICY = "recovery"


def answer(given: FeedbackGiven | Moment) -> tuple[str, FeedbackKind, str]:
    """Return the key of an answer: its id, its kind, and what it is about."""
    return given.feedback_id, given.kind, given.about or ""


def journey_id(moment: Moment) -> str:
    """Return the journey id of an answer."""
    return "/".join(["feedback", *(part.replace("%", "%25").replace("/", "%2F") for part in answer(moment) if part)])


def journey_of(state: JourneyState, moment: Moment) -> str:
    """Return the journey id under which this state knows the answer.

    Answers used to be told apart by their id alone. An answer that was decided under such an id keeps it for as long as
    the decision is remembered, so that it is not decided again.
    """
    older = f"feedback/{moment.feedback_id}"
    if any(
        one.journey_id == older and one.policy == _POLICY and one.as_of >= moment.occurred_at for one in state.settled
    ):
        return older
    return journey_id(moment)
