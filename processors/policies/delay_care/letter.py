"""Builds the letters about a wait: what is known of it, what the customer knows already, and what happens next."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from processors.journey.actions import Want
from processors.journey.arrival import as_told, did_not_arrive
from processors.journey.evolve.delays import journey_id
from processors.journey.naming import kind_of
from processors.journey.playbook import Playbook
from processors.journey.policy import as_text
from processors.journey.wait_rules import DelayRules, FoundOut, wait_rules
from processors.journey.waits import (
    CANCELLED,
    NOTICE,
    OVER,
    UPDATE,
    is_last,
    offer_of,
    tells,
    useful_until,
    was_delivered,
)
from processors.journey.wording import wording
from streams.durations import whole_minutes
from streams.events import Delay, JourneyState, Purpose
from streams.zones import zone_of

_YES = "yes"
_TEMPLATES = {
    NOTICE: "notice",
    "gesture": "longer",
    "revision": "revised",
    CANCELLED: "cancelled",
    UPDATE: "update",
    OVER: "over",
}


def letter(
    state: JourneyState,
    delay: Delay,
    now: datetime,
    playbook: Playbook,
    *,
    policy: str,
    why: Mapping[str, str],
    occasion: str,
    wait: timedelta,
) -> Want:
    """Return the want for the occasion's letter, in the customer's language and by what they know of the wait."""
    rules = wait_rules(playbook, delay.subject_kind)
    journey = journey_id(delay)
    notes = tuple(note for note in state.outreach if tells(note, policy, journey))
    delay = as_told(delay, notes, rules)
    kind = kind_of(occasion)
    name = "silent" if kind == NOTICE and delay.unannounced else _TEMPLATES[kind]
    template = f"{policy}/{name}"
    said = wording(playbook, state.profile.locale, letter=template, why=why, offer=offer_of(delay, wait, rules))
    gesture = said.gesture
    earlier = [note for note in notes if not did_not_arrive(note)]
    # a letter that also covers other waits is not retracted for one of them
    revises = earlier[-1].outreach_id if earlier and not earlier[-1].journeys and kind != OVER else None
    ends = kind == UPDATE and is_last(delay, now, rules)
    last = ends and any(isinstance(rules, FoundOut) for rules in playbook.rules.values())
    variables = {
        "name": state.profile.name or "",
        "description": delay.description,
        "subject_kind": delay.subject_kind,
        "promised_at": as_text(_promised(delay)),
        "expected_at": as_text(delay.expected_at),
        "previous_expected_at": as_text(delay.told_expected_at),
        "reason": delay.reason.value,
        "wait_minutes": str(whole_minutes(wait)),
        "gesture_title": gesture.title if gesture else "",
        "gesture_link": (gesture.link or "") if gesture else "",
        "by_day": _YES if delay.by_day else "",
        "next_update": "" if ends else _minutes_to_next(delay, now, rules),
        "last": _YES if last else "",
        "delivered": _YES if kind == OVER and was_delivered(delay) else "",
    }
    return Want(
        policy=policy,
        why=said.why,
        locale=said.locale,
        journey_id=journey,
        occasion=occasion,
        purpose=Purpose.SERVICE,
        template=template,
        variables=variables,
        gesture=gesture,
        useful_until=useful_until(delay, now, rules),
        revises=revises,
        # customers at a gate look at the clock there, wherever they live
        time_zone=delay.time_zone if delay.time_zone and zone_of(delay.time_zone) else None,
        inputs={
            "subject": f"{delay.subject_kind} {delay.subject_id}",
            "promised_at": variables["promised_at"],
            "expected_at": variables["expected_at"],
            "cancelled": str(delay.cancelled).lower(),
            "wait_minutes": variables["wait_minutes"],
            "threshold_minutes": str(whole_minutes(rules.threshold)),
        },
    )


def _promised(delay: Delay) -> datetime | None:
    """Return the promised time; None if none was promised and the wait began when its order was cancelled."""
    return None if delay.unannounced and delay.cancelled and delay.promised_at == delay.opened_at else delay.promised_at


def _minutes_to_next(delay: Delay, now: datetime, rules: DelayRules) -> str:
    """Return the minutes until the next update, "" if none is promised."""
    if rules.update_every is None or delay.cancelled or delay.closed_at is not None:
        return ""
    if delay.expected_at is not None and delay.expected_at > now:
        return ""
    return str(whole_minutes(rules.update_every))
