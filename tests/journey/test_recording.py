"""One step from a state and an action to the state after it and what goes out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from processors.journey.actions import Reach, Recall, Release, Want
from processors.journey.recording import Output, enact
from streams.events import Decision, DecisionKind, JourneyState, OutreachRequested, OutreachRetracted, Purpose
from tests.journey.given import MAIL, NOON, PLAYBOOK, delay, given, profile

LATER = NOON + timedelta(minutes=5)


def told() -> JourneyState:
    """Ana was written to about her flight."""
    return given(profile(), delay(minutes=45)).known


def done(state: JourneyState, action: Any) -> tuple[JourneyState, list[Output]]:
    """The step, five minutes later."""
    return enact(state, action, now=LATER, playbook=PLAYBOOK, trigger=None)


def kinds(outputs: list[Output]) -> list[type[Any]]:
    """What goes out, in order."""
    return [type(one) for one in outputs]


def test_a_recall_takes_back_what_was_requested() -> None:
    """The decision goes out first, the retraction after it, and the state knows that the letter is called back."""
    state = told()
    [note] = state.outreach
    after, outputs = done(state, Recall.of(note, reason="wait_over", explanation="over"))
    assert kinds(outputs) == [Decision, OutreachRetracted]
    assert isinstance(decision := outputs[0], Decision)
    assert (decision.kind, decision.outreach_id) == (DecisionKind.RETRACT, note.outreach_id)
    assert after.outreach[0].retracted_at == LATER
    assert state.outreach[0].retracted_at is None


def test_a_release_takes_nothing_back() -> None:
    """A hold that ends has its decision on record; no letter was requested, so nothing is retracted, of any letter."""
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
    """Decision, retraction of the earlier letter, request of the new one: in this order, from one state."""
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
