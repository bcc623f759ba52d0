"""Combines letters of one policy that fall into a short time into one, which lists the content of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from processors.journey.actions import Want
from processors.journey.naming import kind_of, says
from processors.journey.playbook import GestureOffer, Playbook
from processors.journey.refusals import GATHERING, refusal_of
from processors.journey.wait_rules import DelayRules, wait_rules
from processors.journey.waits import UPDATE
from processors.journey.wording import wording
from streams.events import Delay, JourneyState

MOST = 20
"""Maximum waits in one letter; further ones go into another."""

_LISTED = (
    "description",
    "subject_kind",
    "promised_at",
    "expected_at",
    "previous_expected_at",
    "reason",
    "wait_minutes",
    "by_day",
)
_STANDING = ("cancelled", "silent", "over")
"""Letters that say something else than that the wait is late."""


def gathered(letters: Sequence[tuple[Delay, Want]], now: datetime, playbook: Playbook) -> Iterator[list[Want]]:
    """Yield the letters in groups that are sent as one. A letter that still waits for others is alone, with
    ``gather_until``.

    The first letter opens a window, whose length the playbook sets by kind. When it ends, or when one of the letters
    cannot wait any longer, all are sent.
    """
    groups: dict[str | None, list[tuple[Want, datetime]]] = {}
    for delay, want in letters:
        ends = _window(delay, want, now, wait_rules(playbook, delay.subject_kind))
        if ends is None:
            yield [want]
        else:
            groups.setdefault(want.time_zone, []).append((want, ends))
    for group in groups.values():
        ends = min(ends for _, ends in group)
        if ends > now:
            yield from ([replace(want, gather_until=ends)] for want, _ in group)
            continue
        for at in range(0, len(group), MOST):
            yield [want for want, _ in group[at : at + MOST]]


def together(state: JourneyState, group: Sequence[Want], playbook: Playbook, why: Mapping[str, str]) -> Want:
    """Return one want for several: based on the first, with the best of their gestures, useful as long as all of them
    are."""
    first = group[0]
    template = f"{first.policy}/several"
    said = wording(playbook, state.profile.locale, letter=template, why=why, offer=_best(group, playbook))
    gesture = said.gesture
    updates = [want.variables["next_update"] for want in group]
    return replace(
        first,
        why=said.why,
        locale=said.locale,
        template=template,
        gesture=gesture,
        variables={
            "name": first.variables["name"],
            "count": str(len(group)),
            "gesture_title": gesture.title if gesture else "",
            "gesture_link": (gesture.link or "") if gesture else "",
            "next_update": max(updates, key=lambda minutes: int(minutes or 0)),
        },
        useful_until=min(want.useful_until for want in group),
        revises=None,
        parts=tuple(group),
        items=tuple(_item(want) for want in group),
        inputs={**first.inputs, "together": str(len(group))},
    )


def _window(delay: Delay, want: Want, now: datetime, rules: DelayRules) -> datetime | None:
    """Return until when the letter waits for others; None if it cannot wait."""
    if rules.together is None:
        return None
    if kind_of(want.occasion) == UPDATE:
        return now  # an update was scheduled days ago, so it does not wait
    refusal = refusal_of(delay)
    gathers = refusal is not None and refusal.reason == GATHERING
    if delay.held_until is not None and (delay.held_until <= now or gathers):
        ends = delay.held_until
    else:
        ends = now + rules.together
    return ends if ends < want.useful_until else None


def _best(group: Sequence[Want], playbook: Playbook) -> GestureOffer | None:
    codes = {want.gesture.code for want in group if want.gesture is not None}
    offers = [offer for offer in playbook.offers() if offer.code in codes]
    return max(offers, key=lambda offer: offer.cost, default=None)


def _item(want: Want) -> dict[str, str]:
    kind = says(want.template)
    told = {name: want.variables[name] for name in _LISTED}
    if kind == UPDATE:
        told["expected_at"] = ""  # the announced time has passed
    return told | {name: "yes" if kind == name else "" for name in _STANDING}
