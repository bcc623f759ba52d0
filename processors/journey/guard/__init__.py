"""The guard: decides whether a want may be sent to the customer now, and to which addresses.

The rules run in the order of RULES, and the first that objects decides; each refusal has a reason and an explanation.
Holdouts are checked last, because a customer who would not have been written to anyway must not count in the measured
effect.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime

from processors.journey.actions import Action, Assigned, Hold, Reach, Recall, Suppress, Want
from processors.journey.experiments import HELD_OUT, arm_of, held_out
from processors.journey.guard.limits import affordable, within_caps
from processors.journey.guard.quiet import quiet_until, undisturbing
from processors.journey.guard.reach import allowed, consented, may_be_approached, offered, open_for
from processors.journey.identity import outreach_id
from processors.journey.playbook import Arm, Playbook
from processors.journey.refusals import GATHERING
from streams.durations import in_hours
from streams.events import Address, JourneyState, OutreachChannel

Rule = Callable[[Want, JourneyState, datetime, Playbook], "Action | None"]


def guard(want: Want, state: JourneyState, now: datetime, playbook: Playbook) -> Action:
    """Return a Reach if no rule objects, else the Hold or Suppress of the first rule that does."""
    for rule in RULES:
        objection = rule(want, state, now, playbook)
        if objection is not None:
            return objection
    met: list[Assigned] = []
    for assigned in held_out(state, want.policy, playbook):
        met.append(assigned)
        if assigned.arm == HELD_OUT:
            told = f"in the holdout group {assigned.experiment}, to measure the effect"
            return Suppress(want=_with_arms_noted(want, met), reason="holdout", explanation=told, met=tuple(met))
    want = _by_experiment(want, state, playbook, met)
    want = _with_arms_noted(affordable(want, state, now, playbook), met)
    if want.task is not None:
        addresses: tuple[Address, ...] = (Address(channel=OutreachChannel.AGENT_TASK, address=want.task.team),)
    else:
        open_, _ = undisturbing(allowed(state, want.purpose, playbook), want, state, now, playbook)
        addresses, _ = within_caps(open_, want.purpose, state, now, playbook)
    return Reach(want=want, addresses=addresses, explanation="no rule objected", met=tuple(met))


def withdrawn(state: JourneyState, now: datetime, *, but: str | None) -> Iterator[Recall]:
    """Yield a recall of every letter that is still on its way on a channel that the customer has closed. ``but`` is an
    outreach that is known to have arrived and is left out."""
    for note in state.outreach:
        if note.retracted_at is not None or note.useful_until <= now or note.done_at or note.outreach_id == but:
            continue
        if note.channel is OutreachChannel.AGENT_TASK:
            wanted = note.answers or may_be_approached(state)
        else:
            address = Address(channel=note.channel, address=note.address)
            wanted = open_for(address, note.purpose, state) and all(
                consented(channel, note.purpose, state) for channel in (note.channel, *note.channels)
            )
        if not wanted:
            said = "the customer opted out, or the address was closed"
            yield Recall.of(note, reason="consent_withdrawn", explanation=said)


# -- the rules ---------------------------------------------------------------------------------------------------------


def _not_merged(want: Want, state: JourneyState, now: datetime, playbook: Playbook) -> Action | None:
    if state.merged_into is None:
        return None
    return Suppress(want=want, reason="merged", explanation="this record was merged into another one")


def _once(want: Want, state: JourneyState, now: datetime, playbook: Playbook) -> Action | None:
    if not state.outreach:
        return None
    identity = outreach_id(state.customer_id, want.policy, want.journey_id, want.occasion)
    if all(note.outreach_id != identity for note in state.outreach):
        return None
    return Suppress(want=want, reason="already_sent", explanation="this was already sent to the customer")


def _still_useful(want: Want, state: JourneyState, now: datetime, playbook: Playbook) -> Action | None:
    if now < want.useful_until:
        return None
    return Suppress(want=want, reason="no_longer_useful", explanation="it would arrive too late to be useful")


def _reachable(want: Want, state: JourneyState, now: datetime, playbook: Playbook) -> Action | None:
    if want.task is not None:
        if want.answers or may_be_approached(state):
            return None
        return Suppress(want=want, reason="no_consent", explanation="the customer does not want to be contacted")
    known = offered(state, playbook)
    if not known:
        return Suppress(want=want, reason="no_address", explanation="no address is known on any channel in use")
    open_ = [address for address in known if open_for(address, want.purpose, state)]
    if not open_:
        return Suppress(want=want, reason="suppressed", explanation="every address bounced, complained or opted out")
    if not any(consented(address.channel, want.purpose, state) for address in open_):
        kind = want.purpose.lower()
        return Suppress(want=want, reason="no_consent", explanation=f"the customer does not allow {kind} messages")
    return None


def _quiet_hours(want: Want, state: JourneyState, now: datetime, playbook: Playbook) -> Action | None:
    if playbook.quiet_hours is None or want.task is not None:
        return None
    open_, dark = undisturbing(allowed(state, want.purpose, playbook), want, state, now, playbook)
    if dark is None or open_:
        return None
    if not dark.known:
        return Hold(
            want=want,
            until=min(dark.until, want.useful_until),
            reason="unknown_time_zone",
            explanation=f"time zone {dark.zone!r} is unknown, so quiet hours cannot be checked",
        )
    if dark.until >= want.useful_until:
        return Suppress(
            want=want,
            reason="quiet_hours",
            explanation=f"it is night in {dark.zone}, it would not be useful by morning, and the customer has not "
            "agreed to be disturbed",
        )
    return Hold(want=want, until=dark.until, reason="quiet_hours", explanation=f"it is night in {dark.zone}")


def _frequency_cap(want: Want, state: JourneyState, now: datetime, playbook: Playbook) -> Action | None:
    if want.task is not None:
        return None
    open_, dark = undisturbing(allowed(state, want.purpose, playbook), want, state, now, playbook)
    _, full = within_caps(open_, want.purpose, state, now, playbook)
    if full is None:
        return None
    cap = full.cap
    by = f" by {cap.channel.lower()}" if cap.channel is not None else ""
    reason = "frequency_cap"
    most = f"{cap.most} {cap.purpose.lower()} messages{by} in {in_hours(cap.window)} hours"
    explanation = f"frequency cap reached: {most}"
    if full.by is not None and full.by != want.policy:
        reason, explanation = "gave_way", f"{full.by} has priority; {explanation}"
    # in the morning a channel that is quiet until then may still have room under its cap
    until = full.until if dark is None else min(full.until, dark.until)
    if until >= want.useful_until:
        return Suppress(want=want, reason=reason, explanation=explanation)
    return Hold(want=want, until=until, reason=reason, explanation=explanation)


def _gathering(want: Want, state: JourneyState, now: datetime, playbook: Playbook) -> Action | None:
    if want.gather_until is None or want.gather_until <= now:
        return None
    explanation = "waits for other news until then, to send one message for all"
    return Hold(want=want, until=want.gather_until, reason=GATHERING, explanation=explanation)


RULES: tuple[Rule, ...] = (_not_merged, _once, _still_useful, _reachable, _quiet_hours, _frequency_cap, _gathering)


# -- experiments -------------------------------------------------------------------------------------------------------


def _by_experiment(want: Want, state: JourneyState, playbook: Playbook, met: list[Assigned]) -> Want:
    for experiment in playbook.experiments:
        if experiment.policy != want.policy:
            continue
        arm_by_name = {arm.name: arm for arm in experiment.arms}
        if not any(_touches(arm, want) for arm in experiment.arms):
            continue  # no arm changes this want: an exposure would only dilute the result
        assigned = arm_of(state, experiment)
        if assigned is None:
            continue
        met.append(assigned)
        arm = arm_by_name.get(assigned.arm)
        if arm is not None:  # an arm that was removed from the playbook changes nothing
            want = _in_arm(arm, want, playbook)
    return want


def _touches(arm: Arm, want: Want) -> bool:
    return want.template in arm.templates or (want.gesture is not None and want.gesture.code in arm.gestures)


def _in_arm(arm: Arm, want: Want, playbook: Playbook) -> Want:
    want = replace(want, template=arm.templates.get(want.template, want.template))
    if want.gesture is None or want.gesture.code not in arm.gestures:
        return want
    gesture = arm.gestures[want.gesture.code].in_locale(want.locale or playbook.default_locale)
    variables = {**want.variables, "gesture_title": gesture.title, "gesture_link": gesture.link or ""}
    return replace(want, gesture=gesture, usual=want.usual or want.gesture, variables=variables)


def _with_arms_noted(want: Want, met: list[Assigned]) -> Want:
    if not met:
        return want
    return replace(want, inputs={**want.inputs, **{assigned.experiment: assigned.arm for assigned in met}})


__all__ = ["RULES", "guard", "quiet_until", "withdrawn"]
