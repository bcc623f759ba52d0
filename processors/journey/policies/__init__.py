"""The policies, each one file and one idea. The order of POLICIES is the priority."""

from __future__ import annotations

from processors.journey.policies.delay_care import DelayCare
from processors.journey.policies.policy import Policy

POLICIES: tuple[Policy, ...] = (DelayCare(),)

__all__ = ["POLICIES", "Policy"]
