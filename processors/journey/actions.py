"""What can be decided about a customer, as values. A refusal is one of them: someone will ask why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from streams.events import Address, Gesture, Outreach, Purpose


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Something for one of our own teams to do, by a time."""

    team: str
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Want:
    """What a policy would like to send. The guard makes a Reach, a Hold or a Suppress of it."""

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
    """The tag of the language in which it is worded; the playbook's default if ""."""
    revises: str | None = None
    time_zone: str | None = None
    """Where its times are told; the customer's own zone if None."""
    task: Task | None = None
    """Not a message to the customer but something for us to do; None for a message."""
    answers: bool = False
    """The customer asked us, or doing it reaches nobody: a task that needs no consent."""
    escalation: bool = False
    """A person is to step in, because something was left undone."""
    usual: Gesture | None = None
    """The gesture that the policy meant, where a budget or an experiment made another of it, or none."""
    gather_until: datetime | None = None
    """Until then it waits for others that go with it; None where it waits for none."""
    parts: tuple[Want, ...] = ()
    """Several wants told as one, this one among them, the first; () for one that is told alone."""
    items: tuple[Mapping[str, str], ...] = ()
    """What the letter lists, one for each part."""
    inputs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """What a unit is assigned in an experiment. ``first``: it has not met the experiment before."""

    experiment: str
    unit: str
    arm: str
    bucket: float
    shares: Mapping[str, float]
    first: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Send it, to the first of these addresses that works."""

    want: Want
    addresses: tuple[Address, ...]
    reason: str = "wanted"
    explanation: str = ""
    met: tuple[Assigned, ...] = ()
    within: str | None = None
    """The outreach of another want that tells this one, too; None where it is an outreach of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Not now: decide again at ``until``."""

    want: Want
    until: datetime
    reason: str
    explanation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppress:
    """Not at all."""

    want: Want
    reason: str
    explanation: str
    met: tuple[Assigned, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall:
    """What was requested is no longer true: it does not leave any more, or is taken down where it did."""

    policy: str
    journey_id: str
    occasion: str
    outreach_id: str
    reason: str
    explanation: str

    @classmethod
    def of(cls, note: Outreach, *, reason: str, explanation: str) -> Self:
        """Of an outreach that was requested."""
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
    """Nothing is sent: the unit met an experiment and was assigned to what everybody gets."""

    policy: str
    journey_id: str
    met: Assigned


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What was held is not wanted any more: nothing was requested, and a hold on record has an end on record."""

    policy: str
    journey_id: str
    occasion: str
    reason: str
    explanation: str


Action = Reach | Hold | Suppress | Recall | Release
"""Everything a decision can be."""
