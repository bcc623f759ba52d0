"""Builds a want: the letter of an occasion, in a language in which all of its parts exist."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from processors.journey.actions import Task, Want
from processors.journey.playbook import GestureOffer, Playbook
from processors.journey.wording import wording
from streams.events import JourneyState, Purpose


class Speaker(Protocol):
    """The part of a policy that its wants carry."""

    name: str
    why: Mapping[str, str]


def want_of(
    speaker: Speaker,
    state: JourneyState,
    playbook: Playbook,
    *,
    journey_id: str,
    occasion: str,
    variables: Mapping[str, str],
    useful_until: datetime,
    inputs: Mapping[str, str],
    task: Task | None = None,
    answers: bool = False,
    escalation: bool = False,
    offer: GestureOffer | None = None,
    purpose: Purpose = Purpose.SERVICE,
) -> Want:
    """Return the policy's letter ``<policy>/<occasion>`` to the customer, or the task of that name for a team.

    An ``offer`` is worded in the letter's language, and sets the variables gesture_title and gesture_link.
    """
    template = f"{speaker.name}/{occasion}"
    said = wording(playbook, state.profile.locale, letter=template, why=speaker.why, offer=offer, task=task is not None)
    gesture = said.gesture
    if offer is not None:
        shown = {"gesture_title": gesture.title, "gesture_link": gesture.link or ""} if gesture else {}
        variables = {**variables, **shown}
    return Want(
        policy=speaker.name,
        why=said.why,
        locale=said.locale,
        journey_id=journey_id,
        occasion=occasion,
        purpose=purpose,
        template=template,
        variables=variables,
        gesture=gesture,
        useful_until=useful_until,
        task=task,
        answers=answers,
        escalation=escalation,
        inputs=inputs,
    )
