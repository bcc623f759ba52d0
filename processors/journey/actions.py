"""What can be decided about a customer, as values. A refusal is one of them: someone will ask why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from streams.events import Address, Gesture, Purpose


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
    revises: str | None = None
    time_zone: str | None = None
    """Where its times are told; the customer's own zone if None."""
    inputs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Send it, to the first of these addresses that works."""

    want: Want
    addresses: tuple[Address, ...]
    reason: str = "wanted"
    explanation: str = ""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Retract:
    """What was requested is no longer true."""

    policy: str
    journey_id: str
    occasion: str
    outreach_id: str
    reason: str
    explanation: str


Action = Reach | Hold | Suppress | Retract
"""Everything a decision can be."""
