"""Names for what we do, derived from what it is: doing it twice is doing it once."""

from __future__ import annotations

import uuid
from datetime import datetime

from streams.clock import to_millis
from streams.events import Decision

_NAMESPACE = uuid.UUID("8d6f1c1e-4c3b-5f0e-9a55-0c8f3a4f2b77")

MATTER = "matter"
"""Among the inputs of a decision whose matter another's letter tells: the outreach it would have been."""


def outreach_id(customer_id: str, policy: str, journey_id: str, occasion: str) -> str:
    """One outreach: this customer, this policy, this journey, this occasion."""
    return _derived("outreach", customer_id, policy, journey_id, occasion)


def matter_of(decision: Decision) -> str | None:
    """The outreach that would tell the decision's matter alone; None where it names none. ``decision.outreach_id`` is
    another where one letter tells several matters."""
    return decision.inputs.get(MATTER) or decision.outreach_id


def decision_id(outreach: str, kind: str, reason: str, decided_at: datetime, trigger: str | None) -> str:
    """One decision about one outreach, by what led to it: within a millisecond two touchpoints may change minds twice.

    Not by the state's revision: outcomes count in it, and when they come back is not the same on a replay.
    """
    return _derived("decision", outreach, kind, reason, str(to_millis(decided_at)), trigger or "")


def exposure_id(experiment: str, customer_id: str, unit: str) -> str:
    """The first time that a unit met an experiment."""
    return _derived("exposure", experiment, customer_id, unit)


def forwarded_event_id(event_id: str, customer_id: str) -> str:
    """The same fact told to another customer's journey."""
    return _derived("forwarded", event_id, customer_id)


def retold_event_id(event_id: str, customer_id: str, kind: str, name: str) -> str:
    """What was open for a merged record, told to the one that stays: once for each telling of the merge."""
    return _derived("retold", event_id, customer_id, kind, name)


def _derived(*parts: str) -> str:
    # the lengths keep ("a", "bc") apart from ("ab", "c")
    return str(uuid.uuid5(_NAMESPACE, "|".join(f"{len(part)}:{part}" for part in parts)))
