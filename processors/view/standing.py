"""Where a customer stands with us right now: cases, what waits for its time, and what may be given unasked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal

from processors.journey.cases import Case, open_cases
from processors.journey.known import Escalates, Held, MayGive
from processors.journey.playbook import Playbook
from processors.policies.registry import installed
from processors.view.wording import clock_time, words
from streams.events import JourneyState


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """``may_give``: what an employee may give without asking, None where no budget is set; in ``currency``."""

    may_give: Decimal | None
    currency: str
    cases: tuple[Case, ...]
    """Open matters, the oldest first; one matter is one case on however many channels."""
    escalates_at: dict[str, datetime]
    """By the journey of a case that nobody has answered: when a lead is asked to step in, where that is ahead."""
    held: tuple[Held, ...]


def standing(state: JourneyState, now: datetime, playbook: Playbook) -> Standing:
    """What the state says at ``now``, with the rules of that playbook."""
    known = [one for plugin in installed() for one in plugin.knows(state, now, playbook)]
    held = [*(one for one in known if isinstance(one, Held)), *_held(state)]
    return Standing(
        may_give=min((one.amount for one in known if isinstance(one, MayGive)), default=None),
        currency=playbook.currency,
        cases=open_cases(state),
        escalates_at={one.journey_id: one.at for one in known if isinstance(one, Escalates)},
        held=tuple(sorted((one for one in held if one.until > now), key=lambda one: (one.until, one.policy))),
    )


def _held(state: JourneyState) -> Iterator[Held]:
    for step in state.settled:
        if step.held_until is not None:
            yield Held(policy=step.policy, occasion=step.occasion, reason=step.reason, until=step.held_until)


def told(found: Standing, zone: tzinfo) -> list[str]:
    """The same for a person to read, one line each."""
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
