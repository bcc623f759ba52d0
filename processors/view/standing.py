"""A customer's current situation: open cases, held outreaches, and what staff may give without approval."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal

from processors.journey.cases import Case, open_cases
from processors.journey.playbook import Playbook
from processors.journey.policies.agent_gestures import left
from processors.journey.refusals import refusal_of
from processors.view.wording import clock_time, words
from streams.events import JourneyState


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An outreach that a policy wants to send but has to hold; decided again at ``until``."""

    policy: str
    occasion: str
    reason: str
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """``may_give``: the amount that staff may give without approval, in ``currency``; None if there is no budget."""

    may_give: Decimal | None
    currency: str
    cases: tuple[Case, ...]
    """Open cases, the oldest first; one matter is one case, on however many channels."""
    escalates_at: dict[str, datetime]
    """By journey id of an unanswered case: when it escalates to a lead, if that is still ahead."""
    held: tuple[Held, ...]


def standing(state: JourneyState, now: datetime, playbook: Playbook) -> Standing:
    """The customer's situation at ``now``, by the rules of that playbook."""
    cases = open_cases(state)
    escalates_at: dict[str, datetime] = {}
    if playbook.response is not None:
        for case in cases:
            at = case.opened_at + playbook.response.clock(case.channel).escalate_after
            if not case.answered and at > now:
                escalates_at[case.journey_id] = at
    held = sorted((one for one in _held(state) if one.until > now), key=lambda one: (one.until, one.policy))
    return Standing(
        may_give=left(state, now, playbook),
        currency=playbook.currency,
        cases=cases,
        escalates_at=escalates_at,
        held=tuple(held),
    )


def _held(state: JourneyState) -> Iterator[Held]:
    for delay in state.delays:
        if delay.held_until is not None:
            occasion, reason = refusal_of(delay) or ("", "")
            yield Held(policy="delay_care", occasion=occasion, reason=reason, until=delay.held_until)
    for step in state.settled:
        if step.held_until is not None:
            yield Held(policy=step.policy, occasion=step.occasion, reason=step.reason, until=step.held_until)


def told(found: Standing, zone: tzinfo) -> list[str]:
    """The situation for a person to read, one line for each item."""
    lines = []
    if found.may_give is not None:
        lines.append(f"may be given {found.may_give:.2f} {found.currency} without approval")
    for case in found.cases:
        channels = " and ".join(dict.fromkeys(words(contact.channel) for contact in case.contacts))
        line = f"case by {channels}: {case.matter or case.summary or 'no matter given'}"
        waits = f"waiting for a person since {clock_time(case.opened_at, zone)}"
        line += ", answered" if case.answered else f", {waits}"
        if case.closed_before is not None:
            line += f"; came back after it was closed {clock_time(case.closed_before, zone)}"
        if (at := found.escalates_at.get(case.journey_id)) is not None:
            line += f"; escalates to a lead {clock_time(at, zone)}"
        if teams := sorted({contact.routed_to for contact in case.contacts if contact.routed_to is not None}):
            line += f"; goes to {' and '.join(teams)}"
        lines.append(line)
    lines += [
        f"{words(one.policy)}, {words(one.occasion)}: held until {clock_time(one.until, zone)} ({words(one.reason)})"
        for one in found.held
    ]
    return lines
