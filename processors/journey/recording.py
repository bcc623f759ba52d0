"""Records decisions: in the state, so that later ones take them into account, and as output records."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import assert_never

from processors.journey.actions import Action, Assigned, Expose, Hold, Reach, Recall, Release, Suppress, Want
from processors.journey.guard.hours import hours_in_force
from processors.journey.identity import MATTER, decision_id, exposure_id, outreach_id
from processors.journey.playbook import Playbook
from processors.journey.state import put
from processors.journey.tasking import due_at, time_zone, told
from streams.events import (
    Assignment,
    Decision,
    DecisionKind,
    ExperimentExposed,
    JourneyState,
    Outreach,
    OutreachRequested,
    OutreachRetracted,
    Touchpoint,
    replace,
)

Output = Decision | OutreachRequested | OutreachRetracted | ExperimentExposed | Touchpoint
"""The output records of a step; a touchpoint among them is forwarded to another record of the same person."""


def enact(
    state: JourneyState, action: Action | Expose, *, now: datetime, playbook: Playbook, trigger: Touchpoint | None
) -> tuple[JourneyState, list[Output]]:
    """Return the state after the action, and its output records: the decision first, then what follows from it.

    ``trigger`` is the fact that led to it, None if a timer did.
    """
    if isinstance(action, Expose):
        exposed = _exposure(state, action.met, action.policy, action.journey_id, None, now, playbook)
        return _assigned(state, (action.met,), now), [exposed]
    decision = _decision(state, action, now, playbook, trigger)
    outputs: list[Output] = [decision]
    match action:
        case Reach(within=str()) | Hold() | Release():  # a Reach within another letter requests nothing itself
            return state, outputs
        case Reach(want=want):
            outputs += _exposures(state, action, decision, playbook)
            after = _assigned(state, action.met, now)
            if (revised := _revised(state, want, now)) is not None:
                # first, so that an unsent earlier letter is not sent after the one that corrects it
                outputs.append(_retraction(state, revised, now, reason="revised", decision=decision.decision_id))
                after = _with_retracted(after, revised.outreach_id, now)
            outputs.append(_request(state, action, decision, playbook, trigger))
            note = _note(state, action, now)
            return replace(after, outreach=put(after.outreach, note, lambda item: item.outreach_id)), outputs
        case Suppress(met=met):
            outputs += _exposures(state, action, decision, playbook)
            return _assigned(state, met, now), outputs
        case Recall(outreach_id=recalled, reason=reason):
            for note in state.outreach:
                if note.outreach_id == recalled:
                    outputs.append(_retraction(state, note, now, reason=reason, decision=decision.decision_id))
            return _with_retracted(state, recalled, now), outputs
        case _:
            assert_never(action)


def _decision(
    state: JourneyState, action: Action, now: datetime, playbook: Playbook, trigger: Touchpoint | None
) -> Decision:
    about: Recall | Release | Want = action if isinstance(action, Recall | Release) else action.want
    own = action.outreach_id if isinstance(action, Recall) else _outreach_id(state, about)
    outreach = (action.within if isinstance(action, Reach) else None) or own
    kind = _KINDS[type(action)]
    if isinstance(action, Reach) and action.want.escalation:
        kind = DecisionKind.ESCALATE
    inputs = dict(about.inputs) if isinstance(about, Want) else {}
    if state.playbook_version is not None and state.playbook_version != playbook.version:
        inputs["playbook_before"] = state.playbook_version
    if outreach != own:
        inputs[MATTER] = own
    return Decision(
        decision_id=decision_id(own, kind, action.reason, now, trigger.event_id if trigger is not None else None),
        customer_id=state.customer_id,
        decided_at=now,
        kind=kind,
        reason=action.reason,
        explanation=action.explanation,
        policy=about.policy,
        playbook_version=playbook.version,
        journey_id=about.journey_id,
        occasion=about.occasion,
        outreach_id=outreach,
        channel=action.addresses[0].channel if isinstance(action, Reach) else None,
        hold_until=action.until if isinstance(action, Hold) else None,
        trigger_event_id=trigger.event_id if trigger is not None else None,
        inputs=inputs,
    )


def _note(state: JourneyState, action: Reach, now: datetime) -> Outreach:
    """Return what the state keeps of a request."""
    want, addresses = action.want, action.addresses
    return Outreach(
        outreach_id=_outreach_id(state, want),
        policy=want.policy,
        journey_id=want.journey_id,
        occasion=want.occasion,
        purpose=want.purpose,
        channel=addresses[0].channel,
        address=addresses[0].address,
        gesture_code=want.gesture.code if want.gesture else None,
        requested_at=now,
        useful_until=want.useful_until,
        cost=want.gesture.cost if want.gesture else None,
        currency=want.gesture.currency if want.gesture else None,
        channels=tuple(dict.fromkeys(address.channel for address in addresses)),
        answers=want.answers,
        due_at=due_at(want, now),
        journeys=tuple(part.journey_id for part in want.parts[1:]),
    )


def _revised(state: JourneyState, want: Want, now: datetime) -> Outreach | None:
    """Return the earlier outreach that the want replaces, if it is still in effect."""
    for note in state.outreach:
        if note.outreach_id == want.revises and note.retracted_at is None and note.useful_until > now:
            return note
    return None


def _with_retracted(state: JourneyState, outreach: str, now: datetime) -> JourneyState:
    notes = (replace(note, retracted_at=now) if note.outreach_id == outreach else note for note in state.outreach)
    return replace(state, outreach=tuple(notes))


def _retraction(state: JourneyState, note: Outreach, now: datetime, *, reason: str, decision: str) -> OutreachRetracted:
    return OutreachRetracted(
        outreach_id=note.outreach_id,
        customer_id=state.customer_id,
        retracted_at=now,
        decision_id=decision,
        policy=note.policy,
        journey_id=note.journey_id,
        reason=reason,
    )


_KINDS: Mapping[type[Action], DecisionKind] = {
    Reach: DecisionKind.SEND,
    Hold: DecisionKind.HOLD,
    Suppress: DecisionKind.SUPPRESS,
    Recall: DecisionKind.RETRACT,
    Release: DecisionKind.RETRACT,
}


def _request(
    state: JourneyState, action: Reach, decision: Decision, playbook: Playbook, trigger: Touchpoint | None
) -> OutreachRequested:
    want, now = action.want, decision.decided_at
    due = due_at(want, now)
    return OutreachRequested(
        outreach_id=_outreach_id(state, want),
        customer_id=state.customer_id,
        requested_at=decision.decided_at,
        decision_id=decision.decision_id,
        policy=want.policy,
        playbook_version=playbook.version,
        journey_id=want.journey_id,
        occasion=want.occasion,
        purpose=want.purpose,
        addresses=action.addresses,
        template=want.template,
        # staff read their tasks in their own language and time zone
        locale=want.locale or playbook.default_locale,
        time_zone=want.time_zone
        or time_zone(want, playbook)
        or (None if want.task else state.profile.time_zone)
        or playbook.default_time_zone,
        variables=told(state, want, now, playbook),
        gesture=want.gesture,
        why=want.why,
        useful_until=max(want.useful_until, due or want.useful_until),
        revises=want.revises,
        trigger_event_id=decision.trigger_event_id,
        due_at=due,
        escalation=want.escalation,
        quiet_hours=hours_in_force(want, action.addresses, state, now, playbook),
        caused_at=None if trigger is None else trigger.occurred_at,
        items=want.items,
    )


def _assigned(state: JourneyState, met: tuple[Assigned, ...], now: datetime) -> JourneyState:
    new = tuple(
        Assignment(experiment=one.experiment, unit=one.unit, arm=one.arm, assigned_at=now) for one in met if one.first
    )
    return replace(state, assignments=state.assignments + new) if new else state


def _exposures(
    state: JourneyState, action: Reach | Suppress, decision: Decision, playbook: Playbook
) -> list[ExperimentExposed]:
    """Return an exposure for each experiment that is met for the first time."""
    return [
        _exposure(state, met, decision.policy, decision.journey_id, decision.decision_id, decision.decided_at, playbook)
        for met in action.met
        if met.first
    ]


def _exposure(
    state: JourneyState,
    met: Assigned,
    policy: str,
    journey: str,
    decision: str | None,
    now: datetime,
    playbook: Playbook,
) -> ExperimentExposed:
    return ExperimentExposed(
        event_id=exposure_id(met.experiment, state.customer_id, met.unit),
        customer_id=state.customer_id,
        occurred_at=now,
        experiment=met.experiment,
        unit=met.unit,
        arm=met.arm,
        bucket=met.bucket,
        shares=dict(met.shares),
        policy=policy,
        journey_id=journey,
        decision_id=decision,
        playbook_version=playbook.version,
    )


def _outreach_id(state: JourneyState, about: Recall | Release | Want) -> str:
    return outreach_id(state.customer_id, about.policy, about.journey_id, about.occasion)
