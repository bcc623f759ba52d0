"""Asks the policies for their wants, in order of priority. An exception in one ends the step with its name; see
``failures``."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from processors.journey.actions import Action, Expose, Hold, Reach, Recall, Release, Suppress, Want
from processors.journey.failures import Failure, failed, retries
from processors.journey.guard import guard
from processors.journey.identity import outreach_id
from processors.journey.playbook import Playbook
from processors.journey.policy import Policy, Wanted
from processors.journey.recording import Output, enact
from processors.journey.settling import NO_LONGER_USEFUL
from processors.journey.state import put
from streams.events import JourneyState, Settled, Timer, Touchpoint, replace

TOO_LATE = "too_late"
_MOST_RECORDED, _A_DAY = 5, timedelta(days=1)
"""How many facts that come too late for a policy are recorded one by one within a day."""

_MOST_STEPS = 2_000
"""More than any state can call for; a policy that keeps returning new wants has failed."""


class Decided(NamedTuple):
    """A decision to record, and its output records."""

    action: Action | Expose
    outputs: Sequence[Output]


def in_order(playbook: Playbook) -> tuple[Policy, ...]:
    """Return the playbook's policies in order of priority."""
    return playbook.policies


def concerned(state: JourneyState, failures: Sequence[Failure], playbook: Playbook) -> list[Policy]:
    """Return the policies whose ``concerns`` is true of the state, in order, without those that failed."""
    policies = in_order(playbook)
    if failures:
        out = {failure.policy for failure in failures}
        policies = tuple(policy for policy in policies if policy.name not in out)
    found: list[Policy] = []
    for policy in policies:
        try:
            if policy.concerns(state):
                found.append(policy)
        except Exception as error:
            raise failed(policy.name, "concerns", error) from error
    return found


def lapsed(state: JourneyState, policies: Sequence[Policy], now: datetime, playbook: Playbook) -> JourneyState:
    """Return the state after every policy has ended the journeys that have timed out."""
    for policy in policies:
        try:
            state = _a_state(policy.lapse(state, now, playbook))
        except Exception as error:
            raise failed(policy.name, "lapse", error) from error
    return state


def decided(
    state: JourneyState, policies: Sequence[Policy], now: datetime, playbook: Playbook, trigger: Touchpoint | None
) -> tuple[JourneyState, list[Decided]]:
    """Return the state after all decisions, and the decisions to record. Each decision sees all earlier ones, of any
    policy: their caps, their budgets, and what was requested already."""
    news: list[Decided] = []
    for policy in policies:
        state = _apply_wants(policy, state, news, now, playbook, trigger)
    return state, news


def _apply_wants(
    policy: Policy,
    state: JourneyState,
    news: list[Decided],
    now: datetime,
    playbook: Playbook,
    trigger: Touchpoint | None,
) -> JourneyState:
    """Apply one policy's wants. It is asked again after each request, recall and release, so that its next want takes
    that into account."""
    handled: set[tuple[str, ...]] = set()
    method = "wants"
    try:
        acted = True
        while acted:
            acted, method = False, "wants"
            for wanted in policy.wants(state, now, playbook):
                if (step := _step(wanted)) in handled:
                    continue
                handled.add(step)
                if len(handled) > _MOST_STEPS:
                    raise RuntimeError(f"more than {_MOST_STEPS} steps at once")
                if isinstance(wanted, Expose):
                    method = "record"
                    state, said = enact(state, wanted, now=now, playbook=playbook, trigger=trigger)
                    news.append(Decided(wanted, said))
                    method = "wants"
                    continue
                method = "guard"
                action = guard(wanted, state, now, playbook) if isinstance(wanted, Want) else wanted
                for part in _each(action, state):
                    handled.add(_step(part if isinstance(part, Recall | Release) else part.want))
                    method = "is_news"
                    if policy.is_news(state, part):
                        method = "record"
                        state, said = enact(state, part, now=now, playbook=playbook, trigger=trigger)
                        news.append(Decided(part, said))
                        acted = isinstance(part, Reach | Recall | Release)
                    method = "after"
                    state = _a_state(policy.after(state, part, now, playbook))
                method = "wants"
                if acted:
                    break
    except Exception as error:
        raise failed(policy.name, method, error) from error
    return state


def _each(action: Action, state: JourneyState) -> tuple[Action, ...]:
    """Split the decision on a combined want into one for each part; only the first part requests the letter."""
    if isinstance(action, Recall | Release) or not action.want.parts:
        return (action,)
    want, others = action.want, action.want.parts[1:]
    match action:
        case Reach():
            within = outreach_id(state.customer_id, want.policy, want.journey_id, want.occasion)
            return (action, *(dataclasses.replace(action, want=part, met=(), within=within) for part in others))
        case Suppress():
            return (action, *(dataclasses.replace(action, want=part, met=()) for part in others))
        case Hold():
            return (action, *(dataclasses.replace(action, want=part) for part in others))


def _step(wanted: Wanted) -> tuple[str, ...]:
    """Return the key that identifies a want among all wants of the policy at this moment."""
    match wanted:
        case Expose(met=met):
            return "expose", met.experiment, met.unit
        case Recall():
            return "recall", wanted.journey_id, wanted.occasion, wanted.outreach_id
        case Release():
            return "release", wanted.journey_id, wanted.occasion
        case _:
            want = wanted.want if isinstance(wanted, Suppress) else wanted
            return "step", want.journey_id, want.occasion


def too_late(
    state: JourneyState, policies: Sequence[Policy], event: Touchpoint | None, now: datetime, playbook: Playbook
) -> tuple[JourneyState, list[Output]]:
    """Record what the policies would have wanted of a fact, had it arrived in time; return the state and the outputs.

    If many such facts of one customer arrive within a day, as in a backfill, the first few are recorded one by one, and
    then once that there are more.
    """
    outputs: list[Output] = []
    for policy in policies:
        if type(event) not in policy.answers or state.merged_into is not None:
            continue
        try:
            want = policy.too_late(state, event, now, playbook)
        except Exception as error:
            raise failed(policy.name, "too_late", error) from error
        if want is None:
            continue
        told = sum(
            one.policy == policy.name and one.occasion == TOO_LATE and one.as_of > now - _A_DAY for one in state.settled
        )
        if told > _MOST_RECORDED:
            continue
        explanation = "the touchpoint arrived too late to act on"
        if told == _MOST_RECORDED:
            want = dataclasses.replace(want, journey_id="", occasion=TOO_LATE, inputs={"told": str(told)})
            explanation = "more touchpoints arrived too late; they are not recorded one by one today"
        suppress = Suppress(want=want, reason=NO_LONGER_USEFUL, explanation=explanation)
        try:
            state, said = enact(state, suppress, now=now, playbook=playbook, trigger=event)
        except Exception as error:
            raise failed(policy.name, "record", error) from error
        outputs += said
        state = _with_too_late(state, want, now)
    return state, outputs


def _with_too_late(state: JourneyState, want: Want, now: datetime) -> JourneyState:
    mark = Settled(
        policy=want.policy,
        journey_id=want.journey_id,
        occasion=TOO_LATE,
        reason=NO_LONGER_USEFUL,
        as_of=now,
        held_until=None,
    )
    others = tuple(one for one in state.settled if one.occasion != TOO_LATE or one.as_of > now - _A_DAY)
    return replace(state, settled=put(others, mark, lambda one: (one.policy, one.journey_id, one.occasion)))


def informed(
    state: JourneyState, recall: Recall, failures: Sequence[Failure], now: datetime, playbook: Playbook
) -> JourneyState:
    """Return the state after the policy has processed the recall of its outreach. A failing policy does not stop the
    recall."""
    if any(failure.policy == recall.policy for failure in failures):
        return state
    for policy in in_order(playbook):
        if policy.name == recall.policy:
            try:
                state = _a_state(policy.after(state, recall, now, playbook))
            except Exception as error:
                raise failed(policy.name, "after", error) from error
    return state


def timers(
    state: JourneyState, policies: Sequence[Policy], failures: Sequence[Failure], now: datetime, playbook: Playbook
) -> tuple[Timer, ...]:
    """Return when time alone would change what a policy wants, the earliest first, including the retries of failed
    policies."""
    found: list[Timer] = []
    for policy in policies:
        try:
            for timer in policy.timers(state, now, playbook):
                if timer.due_at <= now:
                    raise ValueError(f"{timer.timer_id} is not later than now")  # it would fire again and again
                found.append(timer)
        except Exception as error:
            raise failed(policy.name, "timers", error) from error
    if failures:
        found += retries(state, failures, now)
    if len(found) > 1:
        found.sort(key=lambda timer: (timer.due_at, timer.timer_id))
    return tuple(found)


def _a_state(state: JourneyState) -> JourneyState:
    """Return ``state``; raise TypeError if a policy returned anything but a JourneyState."""
    if type(state) is not JourneyState:
        raise TypeError(f"{type(state).__name__} is no state of a journey")
    return state
