"""What a policy reports about a customer apart from its decisions, for the customer page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class MayGive:
    """What an employee may give the customer without approval, in the playbook's currency."""

    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalates:
    """When a lead is asked to step in, if that journey's case is not answered by then."""

    journey_id: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A want on hold; it is decided again at ``until``."""

    policy: str
    occasion: str
    reason: str
    until: datetime


Known = MayGive | Escalates | Held
