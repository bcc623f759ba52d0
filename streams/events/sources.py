"""The ``source`` of what our own roles write to the touchpoints and outcomes topics."""

from __future__ import annotations

JOURNEYS = "careline/journeys"

OUTREACH = "careline/outreach"

GATEWAY = "careline/gateway"

REPORTER = f"{GATEWAY}/"
"""Followed by the reporter's name, as in ``careline/gateway/shop``."""
