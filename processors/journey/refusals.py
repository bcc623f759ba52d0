"""The latest refusal or hold of a letter about a wait.

The state stores it as one text (``notice:quiet_hours``); only this module formats and parses it.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from streams.events import Delay, replace

GATHERING = "gathering"
"""The reason of a hold that waits for other letters, to send one for all."""

_BETWEEN = ":"


class Refusal(NamedTuple):
    """The latest refusal or hold of a letter about a wait. ``occasion`` names the letter and contains no colon."""

    occasion: str
    reason: str


def refusal_of(delay: Delay) -> Refusal | None:
    """Return the latest refusal or hold; None if there was none since the last letter."""
    if delay.refused is None:
        return None
    occasion, _, reason = delay.refused.partition(_BETWEEN)
    return Refusal(occasion, reason)


def refused(delay: Delay, refusal: Refusal, *, held_until: datetime | None) -> Delay:
    """Return the wait after its letter was refused, or held until ``held_until``."""
    return replace(delay, refused=f"{refusal.occasion}{_BETWEEN}{refusal.reason}", held_until=held_until)
