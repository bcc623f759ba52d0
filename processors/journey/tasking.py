"""Gives a task its deadline and variables: what it is about, how to reach the customer, and which task it escalates."""

from __future__ import annotations

from datetime import datetime, timedelta

from processors.journey.actions import Want
from processors.journey.guard.reach import allowed
from processors.journey.playbook import Playbook
from streams.events import JourneyState, Outreach, OutreachChannel, Purpose

LEAST = timedelta(hours=1)
"""How long a team has for a task whose deadline has passed, or nearly so, when it is opened."""

_AS_GOOD_AS_OVER = timedelta(minutes=10)

NOBODY = "-"
"""Stands for the addresses if the customer allows none of the known ones."""

BETWEEN = " · "


def due_at(want: Want, now: datetime) -> datetime | None:
    """Return the deadline of a task that is opened now; None for a letter."""
    if want.task is None:
        return None
    due = want.task.due_at
    return due if due - now >= _AS_GOOD_AS_OVER else now + LEAST


def time_zone(want: Want, playbook: Playbook) -> str | None:
    """Return the team's time zone; None for a letter."""
    return None if want.task is None else playbook.team_zones.get(want.task.team, playbook.default_time_zone)


def told(state: JourneyState, want: Want, now: datetime, playbook: Playbook) -> dict[str, str]:
    """Return the variables of the request; for a task, with everything that helps to do it."""
    variables = dict(want.variables)
    due = due_at(want, now)
    if due is None:
        return variables
    ways = (f"{one.channel.value} {one.address}" for one in allowed(state, Purpose.SERVICE, playbook))
    variables |= {"due_at": due.isoformat(timespec="seconds"), "ways": BETWEEN.join(ways) or NOBODY}
    for name in ("about", "matter"):
        if variables.get(name):
            variables[name] = described(state, variables[name])
    earlier = escalated(state, want) if want.escalation else None
    undone_at = None if earlier is None else earlier.due_at
    variables |= {
        "earlier_task": earlier.outreach_id if earlier else "",
        "earlier_team": earlier.address if earlier else "",
        "earlier_due_at": undone_at.isoformat(timespec="seconds") if undone_at else "",
    }
    return variables


def described(state: JourneyState, name: str) -> str:
    """Return ``desk lamp, A-1017`` for the id of a known order, wait or wish; any other name unchanged."""
    known = (
        *((one.description, (one.order_id, one.subject_id)) for one in state.orders),
        *((one.description, (one.subject_id, one.order_id)) for one in state.delays),
        *((one.description, (one.item_id,)) for one in state.wishes),
    )
    for description, names in known:
        if name in names and name not in description:
            return f"{description}, {name}"
    return name


def escalated(state: JourneyState, want: Want) -> Outreach | None:
    """Return the latest task of the same journey that was not done."""
    undone = (
        note
        for note in state.outreach
        if note.journey_id == want.journey_id
        and note.channel is OutreachChannel.AGENT_TASK
        and note.occasion != want.occasion
        and note.done_at is None
        and note.retracted_at is None
    )
    return max(undone, key=lambda note: (note.requested_at, note.outreach_id), default=None)
