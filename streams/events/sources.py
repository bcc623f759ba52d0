"""What our own roles say as ``source`` of what they write to the touchpoints and outcomes topics."""

from __future__ import annotations

JOURNEYS = "careline/journeys"

OUTREACH = "careline/outreach"

GATEWAY = "careline/gateway"

REPORTER = f"{GATEWAY}/"
"""The name of the reporter follows, as in ``careline/gateway/shop``."""
