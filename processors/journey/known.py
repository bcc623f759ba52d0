"""What a policy can tell of a customer right now, besides what it decides: for whoever looks at the customer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class MayGive:
    """What an employee may give the customer without asking, in the playbook's currency."""

    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalates:
    """When a lead is asked to step in, if the case of that journey is not answered by then."""

    journey_id: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Something that a policy wants to send and may not yet; decided anew at ``until``."""

    policy: str
    occasion: str
    reason: str
    until: datetime


Known = MayGive | Escalates | Held
