"""The decisions about a customer, as values. A refusal is recorded like any other decision, because someone will ask
why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from streams.events import Address, Gesture, Outreach, Purpose


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task for one of our teams, with a deadline."""

    team: str
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Want:
    """An outreach that a policy wants to send. The guard turns it into a Reach, a Hold or a Suppress."""

    policy: str
    why: str
    journey_id: str
    occasion: str
    purpose: Purpose
    template: str
    variables: Mapping[str, str]
    gesture: Gesture | None
    useful_until: datetime
    locale: str = ""
    """Language tag of its wording; "" stands for the playbook's default."""
    revises: str | None = None
    time_zone: str | None = None
    """The time zone in which its times are shown; the customer's if None."""
    task: Task | None = None
    """The task for staff, if this is a task; None for a letter to the customer."""
    answers: bool = False
    """The customer contacted us, or the task contacts nobody: a task that needs no consent."""
    escalation: bool = False
    """A person should step in, because an earlier task was not done."""
    usual: Gesture | None = None
    """The gesture that the policy chose, if a budget or an experiment removed or replaced it."""
    gather_until: datetime | None = None
    """Until when it waits to be combined with other wants; None if it does not wait."""
    parts: tuple[Want, ...] = ()
    """The wants that this letter combines, itself first; () if it stands alone."""
    items: tuple[Mapping[str, str], ...] = ()
    """The items that the letter lists, one for each part."""
    inputs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """A unit's arm in an experiment. ``first``: the unit had not met the experiment before."""

    experiment: str
    unit: str
    arm: str
    bucket: float
    shares: Mapping[str, float]
    first: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Send it to the first of these addresses that works."""

    want: Want
    addresses: tuple[Address, ...]
    reason: str = "wanted"
    explanation: str = ""
    met: tuple[Assigned, ...] = ()
    within: str | None = None
    """The outreach id of the letter that this want is part of; None if it has an outreach of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Do not send yet: decide again at ``until``."""

    want: Want
    until: datetime
    reason: str
    explanation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppress:
    """Do not send, for the reason given."""

    want: Want
    reason: str
    explanation: str
    met: tuple[Assigned, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall:
    """Retract a requested outreach whose reason no longer holds: cancel it if it was not sent, withdraw it if it
    was."""

    policy: str
    journey_id: str
    occasion: str
    outreach_id: str
    reason: str
    explanation: str

    @classmethod
    def of(cls, note: Outreach, *, reason: str, explanation: str) -> Self:
        """Return the recall of a requested outreach."""
        return cls(
            policy=note.policy,
            journey_id=note.journey_id,
            occasion=note.occasion,
            outreach_id=note.outreach_id,
            reason=reason,
            explanation=explanation,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Expose:
    """Record that a unit met an experiment; by itself this sends nothing."""

    policy: str
    journey_id: str
    met: Assigned


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """End a hold whose want no longer applies. Nothing was requested; the hold is on record, so its end is recorded
    too."""

    policy: str
    journey_id: str
    occasion: str
    reason: str
    explanation: str


Action = Reach | Hold | Suppress | Recall | Release
"""The decisions that a policy and the guard can arrive at."""
