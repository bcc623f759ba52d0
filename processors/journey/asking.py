"""Asking the policies, each in its turn. Whatever one of them raises ends the step with its name; see ``failures``."""

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
_MOST_TOLD, _A_DAY = 5, timedelta(days=1)
"""So many facts of a day that come too late for a policy are told one by one."""

_MOST_STEPS = 2_000
"""More than any state can call for; a policy that wants something new whenever it is asked has failed."""


class Decided(NamedTuple):
    """A decision worth recording, and what goes out of it."""

    action: Action | Expose
    outputs: Sequence[Output]


def in_order(playbook: Playbook) -> tuple[Policy, ...]:
    """The policies that are asked, those first that the playbook lets go first."""
    return playbook.policies


def concerned(state: JourneyState, failures: Sequence[Failure], playbook: Playbook) -> list[Policy]:
    """The policies that have anything to do with the customer, in their order, without those that failed."""
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
    """The state without the journeys that nothing more can be expected of."""
    for policy in policies:
        try:
            state = _a_state(policy.lapse(state, now, playbook))
        except Exception as error:
            raise failed(policy.name, "lapse", error) from error
    return state


def decided(
    state: JourneyState, policies: Sequence[Policy], now: datetime, playbook: Playbook, trigger: Touchpoint | None
) -> tuple[JourneyState, list[Decided]]:
    """The decisions worth recording, and the state after them. Each decision sees those before it, of other policies
    and of its own: caps, budgets, and whatever is asked only once."""
    news: list[Decided] = []
    for policy in policies:
        state = _heard(policy, state, news, now, playbook, trigger)
    return state, news


def _heard(
    policy: Policy,
    state: JourneyState,
    news: list[Decided],
    now: datetime,
    playbook: Playbook,
    trigger: Touchpoint | None,
) -> JourneyState:
    """The policy is asked again after each request, recall and release, so that its next step knows of it."""
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
    """The decision for every part of a want that is told as one; the letter is the first part's."""
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
    """What tells it from everything else that the policy wants in the same moment."""
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
    """What the policies would have wanted of a fact, had it been heard of in time: a word on record for each.

    Of a customer for whom many come at once, as in a backfill, the first few of a day are told one by one, then that
    there are more.
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
        if told > _MOST_TOLD:
            continue
        explanation = "the touchpoint arrived too late to act on"
        if told == _MOST_TOLD:
            want = dataclasses.replace(want, journey_id="", occasion=TOO_LATE, inputs={"told": str(told)})
            explanation = "more touchpoints arrived too late; they are not recorded one by one today"
        suppress = Suppress(want=want, reason=NO_LONGER_USEFUL, explanation=explanation)
        try:
            state, said = enact(state, suppress, now=now, playbook=playbook, trigger=event)
        except Exception as error:
            raise failed(policy.name, "record", error) from error
        outputs += said
        state = _told_of(state, want, now)
    return state, outputs


def _told_of(state: JourneyState, want: Want, now: datetime) -> JourneyState:
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
    """The state once the policy whose outreach is recalled knows. It is recalled even if the policy fails."""
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
    """When time alone would change what a policy wants, the earliest first, and when one that failed is asked again."""
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
    """What a policy made of the state, if it is one: the next policy could not go on from anything else."""
    if type(state) is not JourneyState:
        raise TypeError(f"{type(state).__name__} is no state of a journey")
    return state
