"""Recording an action: the state after it, and its outputs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from processors.journey.actions import Reach, Recall, Release, Want
from processors.journey.recording import Output, enact
from streams.events import Decision, DecisionKind, JourneyState, OutreachRequested, OutreachRetracted, Purpose
from tests.journey.given import MAIL, NOON, PLAYBOOK, delay, given, profile

LATER = NOON + timedelta(minutes=5)


def told() -> JourneyState:
    """Return Ana's state after a letter about her flight."""
    return given(profile(), delay(minutes=45)).known


def done(state: JourneyState, action: Any) -> tuple[JourneyState, list[Output]]:
    """Record the action, five minutes later."""
    return enact(state, action, now=LATER, playbook=PLAYBOOK, trigger=None)


def kinds(outputs: list[Output]) -> list[type[Any]]:
    """Return the types of the outputs, in order."""
    return [type(one) for one in outputs]


def test_a_recall_takes_back_what_was_requested() -> None:
    """The decision is followed by the retraction, and the state marks the letter as retracted."""
    state = told()
    [note] = state.outreach
    after, outputs = done(state, Recall.of(note, reason="wait_over", explanation="over"))
    assert kinds(outputs) == [Decision, OutreachRetracted]
    assert isinstance(decision := outputs[0], Decision)
    assert (decision.kind, decision.outreach_id) == (DecisionKind.RETRACT, note.outreach_id)
    assert after.outreach[0].retracted_at == LATER
    assert state.outreach[0].retracted_at is None


def test_a_release_takes_nothing_back() -> None:
    """The end of a hold is recorded as a decision, and nothing is retracted."""
    state = told()
    [note] = state.outreach
    release = Release(
        policy=note.policy, journey_id=note.journey_id, occasion=note.occasion, reason="wait_over", explanation="over"
    )
    after, outputs = done(state, release)
    assert kinds(outputs) == [Decision]
    assert isinstance(decision := outputs[0], Decision)
    assert decision.kind is DecisionKind.RETRACT
    assert after is state


def test_a_letter_that_revises_another_replaces_it_in_the_same_step() -> None:
    """The outputs are the decision, the retraction of the earlier letter, and the request of the new one, in this
    order."""
    state = told()
    [note] = state.outreach
    want = Want(
        policy=note.policy, why="", journey_id=note.journey_id, occasion="revised-1", purpose=Purpose.SERVICE,
        template="delay_care/revised", variables={}, gesture=None, useful_until=LATER + timedelta(hours=1),
        revises=note.outreach_id,
    )  # fmt: skip
    after, outputs = done(state, Reach(want=want, addresses=(MAIL,)))
    assert kinds(outputs) == [Decision, OutreachRetracted, OutreachRequested]
    assert [one.retracted_at for one in after.outreach] == [LATER, None]
