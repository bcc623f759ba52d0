"""The fields that every outcome has: which outreach it is about, and when it happened."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from streams.events import OutreachLedgerEntry
from streams.events.sources import OUTREACH

_NAMESPACE = uuid.UUID("4b8e6d52-6d3a-5a60-8f0e-6e2a9d3c5f11")


def facts_of(state: OutreachLedgerEntry, what: str, now: datetime) -> dict[str, Any]:
    """The common fields of an outcome. Its id is derived, so publishing an outcome twice is idempotent."""
    return {
        "event_id": str(uuid.uuid5(_NAMESPACE, f"{state.outreach_id}/{what}")),
        "customer_id": state.customer_id,
        "occurred_at": now,
        "source": OUTREACH,
        "outreach_id": state.outreach_id,
    }
