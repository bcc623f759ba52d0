"""One step of a customer's journey: fold the fact, let the policies speak, guard what they want, record what was
decided.

The journeys role, the replay and the tests all run this and nothing else, so that the same input gives the same
decisions.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import assert_never

from processors.journey.actions import Action, Hold, Reach, Retract, Suppress, Want
from processors.journey.evolve import evolve
from processors.journey.guard import guard
from processors.journey.identity import decision_id, forwarded_event_id, outreach_id
from processors.journey.playbook import Playbook
from processors.journey.policies import POLICIES, Policy
from processors.journey.state import begin, digest, prune, put, remembered, seen
from streams.events import (
    CustomerErased,
    Decision,
    DecisionKind,
    JourneyState,
    MergeSide,
    Outreach,
    OutreachEngaged,
    OutreachFailed,
    OutreachRequested,
    OutreachRetracted,
    OutreachSent,
    OutreachUncertain,
    ProfilesMerged,
    Timer,
    Touchpoint,
    Value,
    replace,
)

Output = Decision | OutreachRequested | OutreachRetracted | ProfilesMerged
"""What a step sends out; a ProfilesMerged is the fact told to the other customer's journey."""

_OUTCOMES = (OutreachSent, OutreachFailed, OutreachUncertain, OutreachEngaged)


class Advance(Value, frozen=True, kw_only=True, gc=False):
    """What a step came to. ``state`` is None when the customer is to be forgotten."""

    state: JourneyState | None
    outputs: tuple[Output, ...] = ()
    duplicate: bool = False


def advance(state: JourneyState | None, event: Touchpoint, *, now: datetime, playbook: Playbook) -> Advance:
    """The step that a fact leads to. A fact whose id is among the latest remembered changes nothing."""
    mark = digest(event.event_id)
    if state is None:
        state = begin(event.customer_id, now)
    elif seen(state.recent_events, mark):
        return Advance(state=state, duplicate=True)
    if isinstance(event, CustomerErased):
        return Advance(state=None, outputs=_last_words(state, event, now, playbook))
    recent = remembered(state.recent_events, mark)
    folded = evolve(state, event)
    if isinstance(event, _OUTCOMES):
        folded = replace(folded, recent_events=recent)
    else:
        latest = folded.last_touchpoint_at
        if latest is None or latest < event.occurred_at:
            latest = event.occurred_at
        folded = replace(folded, recent_events=recent, touchpoints=folded.touchpoints + 1, last_touchpoint_at=latest)
    return _settle(folded, now=now, playbook=playbook, trigger=event)


def wake(state: JourneyState, *, now: datetime, playbook: Playbook) -> Advance:
    """The step that time alone leads to, when a timer is due."""
    return _settle(state, now=now, playbook=playbook, trigger=None)


def decide(state: JourneyState, *, now: datetime, playbook: Playbook) -> tuple[Action, ...]:
    """What is to be done for the customer now, policies in order, each through the guard; () for nothing."""
    return tuple(action for _, action in _decided(state, now, playbook)[1])


def _decided(
    state: JourneyState, now: datetime, playbook: Playbook
) -> tuple[JourneyState, list[tuple[Policy, Action]]]:
    """The decisions worth recording, and the state after them. Each decision sees those before it (caps, budgets)."""
    news: list[tuple[Policy, Action]] = []
    for policy in POLICIES:
        for wanted in tuple(policy.wants(state, now, playbook)):
            action = guard(wanted, state, now, playbook) if isinstance(wanted, Want) else wanted
            if policy.is_news(state, action):
                news.append((policy, action))
                state = _noted(state, action, now)
            state = policy.after(state, action, playbook)
    return state, news


def _settle(state: JourneyState, *, now: datetime, playbook: Playbook, trigger: Touchpoint | None) -> Advance:
    for policy in POLICIES:
        state = policy.lapse(state, now, playbook)
    before = state
    state, news = _decided(state, now, playbook)
    outputs: list[Output] = []
    for _, action in news:
        outputs += _records(before, action, now=now, playbook=playbook, trigger=trigger)
    if isinstance(trigger, ProfilesMerged) and _concerns_another(trigger):
        outputs.append(_told_to_the_other(trigger))
    timers = [timer for policy in POLICIES for timer in policy.timers(state, now, playbook)]
    if len(timers) > 1:
        timers.sort(key=lambda timer: (timer.due_at, timer.timer_id))
    state = prune(state, now)
    return Advance(state=_stamped(state, tuple(timers), now), outputs=tuple(outputs))


def _stamped(state: JourneyState, timers: tuple[Timer, ...], now: datetime) -> JourneyState:
    return replace(
        state,
        timers=state.timers if timers == state.timers else timers,  # the same object costs no encoding
        wake_at=timers[0].due_at if timers else None,
        revision=state.revision + 1,
        updated_at=now,
    )


def _noted(state: JourneyState, action: Action, now: datetime) -> JourneyState:
    """The state that knows of the request, or of its retraction."""
    match action:
        case Reach(want=want, addresses=addresses):
            note = Outreach(
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
            )
            if (revised := _revised(state, want, now)) is not None:
                state = _taken_back(state, revised.outreach_id, now)
            return replace(state, outreach=put(state.outreach, note, lambda item: item.outreach_id))
        case Retract():
            return _taken_back(state, action.outreach_id, now)
        case Hold() | Suppress():
            return state
        case _:
            assert_never(action)


def _records(
    state: JourneyState, action: Action, *, now: datetime, playbook: Playbook, trigger: Touchpoint | None
) -> list[Output]:
    about: Retract | Want = action if isinstance(action, Retract) else action.want
    outreach = action.outreach_id if isinstance(action, Retract) else _outreach_id(state, action.want)
    kind = _KINDS[type(action)]
    decision = Decision(
        decision_id=decision_id(outreach, kind, action.reason, now, trigger.event_id if trigger is not None else None),
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
        inputs={} if isinstance(about, Retract) else dict(about.inputs),
    )
    outputs: list[Output] = [decision]
    if isinstance(action, Reach):
        if (revised := _revised(state, action.want, now)) is not None:
            # first, so that an earlier letter which has not left yet does not follow the one that corrects it
            outputs.append(_retraction(state, revised, now, reason="revised", decision=decision.decision_id))
        outputs.append(_request(state, action, decision, playbook))
    elif isinstance(action, Retract):
        for note in state.outreach:
            if note.outreach_id == outreach:
                outputs.append(_retraction(state, note, now, reason=action.reason, decision=decision.decision_id))
    return outputs


def _revised(state: JourneyState, want: Want, now: datetime) -> Outreach | None:
    """The earlier outreach that the wanted one replaces, while it still says something."""
    for note in state.outreach:
        if note.outreach_id == want.revises and note.retracted_at is None and note.useful_until > now:
            return note
    return None


def _taken_back(state: JourneyState, outreach: str, now: datetime) -> JourneyState:
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
    Retract: DecisionKind.RETRACT,
}


def _request(state: JourneyState, action: Reach, decision: Decision, playbook: Playbook) -> OutreachRequested:
    want = action.want
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
        locale=state.profile.locale or playbook.default_locale,
        time_zone=want.time_zone or state.profile.time_zone or playbook.default_time_zone,
        variables=dict(want.variables),
        gesture=want.gesture,
        why=want.why,
        useful_until=want.useful_until,
        revises=want.revises,
        trigger_event_id=decision.trigger_event_id,
    )


def _outreach_id(state: JourneyState, want: Want) -> str:
    return outreach_id(state.customer_id, want.policy, want.journey_id, want.occasion)


def _last_words(state: JourneyState, event: CustomerErased, now: datetime, playbook: Playbook) -> tuple[Output, ...]:
    """What is still on its way to somebody who asked to be forgotten is taken back."""
    outputs: list[Output] = []
    for note in state.outreach:
        if note.retracted_at is None and note.useful_until > now:
            taken_back = Retract(
                policy=note.policy,
                journey_id=note.journey_id,
                occasion=note.occasion,
                outreach_id=note.outreach_id,
                reason="erased",
                explanation="the customer asked to be forgotten",
            )
            outputs += _records(state, taken_back, now=now, playbook=playbook, trigger=event)
    return tuple(outputs)


def _concerns_another(event: ProfilesMerged) -> bool:
    return event.side is MergeSide.SURVIVOR and event.other_customer_id not in ("", event.customer_id)


def _told_to_the_other(event: ProfilesMerged) -> ProfilesMerged:
    return replace(
        event,
        event_id=forwarded_event_id(event.event_id, event.other_customer_id),
        customer_id=event.other_customer_id,
        other_customer_id=event.customer_id,
        side=MergeSide.ABSORBED,
    )
