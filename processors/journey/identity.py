"""Deterministic ids, derived from what they name, so that repeating an action has no further effect."""

from __future__ import annotations

import uuid
from datetime import datetime

from streams.clock import to_millis
from streams.events import Decision

_NAMESPACE = uuid.UUID("8d6f1c1e-4c3b-5f0e-9a55-0c8f3a4f2b77")

MATTER = "matter"
"""Input of a decision that another outreach's letter includes: the id that an outreach of its own would have had."""


def outreach_id(customer_id: str, policy: str, journey_id: str, occasion: str) -> str:
    """Return the id of an outreach by its customer, policy, journey and occasion."""
    return _derived("outreach", customer_id, policy, journey_id, occasion)


def matter_of(decision: Decision) -> str | None:
    """Return the id of the outreach that would carry the decision's matter alone, None if it names none. It differs
    from ``decision.outreach_id`` if one letter combines several matters."""
    return decision.inputs.get(MATTER) or decision.outreach_id


def decision_id(outreach: str, kind: str, reason: str, decided_at: datetime, trigger: str | None) -> str:
    """Return the id of a decision about an outreach. It includes the trigger, because within a millisecond two
    touchpoints may reverse a decision twice.

    It does not include the state's revision: outcomes count in it, and a replay receives them at other times.
    """
    return _derived("decision", outreach, kind, reason, str(to_millis(decided_at)), trigger or "")


def exposure_id(experiment: str, customer_id: str, unit: str) -> str:
    """Return the id of a unit's first exposure to an experiment."""
    return _derived("exposure", experiment, customer_id, unit)


def forwarded_event_id(event_id: str, customer_id: str) -> str:
    """Return the id of the same fact forwarded to another customer's journey."""
    return _derived("forwarded", event_id, customer_id)


def retold_event_id(event_id: str, customer_id: str, kind: str, name: str) -> str:
    """Return the id of a fact about a merged record's open matter, sent to the remaining record: one for each such
    merge event."""
    return _derived("retold", event_id, customer_id, kind, name)


def _derived(*parts: str) -> str:
    # the lengths distinguish ("a", "bc") from ("ab", "c")
    return str(uuid.uuid5(_NAMESPACE, "|".join(f"{len(part)}:{part}" for part in parts)))
