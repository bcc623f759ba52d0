"""Why a letter about a wait was not sent, or not yet.

The state keeps it as one text, as it always has (``notice:quiet_hours``); only this module reads and writes that.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from streams.events import Delay, replace

GATHERING = "gathering"
"""The reason of a hold: the letter waits for others, to go as one."""

_BETWEEN = ":"


class Refusal(NamedTuple):
    """The latest refusal or hold of a letter about a wait. ``occasion`` names the letter and has no colon in it."""

    occasion: str
    reason: str


def refusal_of(delay: Delay) -> Refusal | None:
    """What was refused or held last, None if nothing was since the last letter."""
    if delay.refused is None:
        return None
    occasion, _, reason = delay.refused.partition(_BETWEEN)
    return Refusal(occasion, reason)


def refused(delay: Delay, refusal: Refusal, *, held_until: datetime | None) -> Delay:
    """The wait once the letter was refused, or held until then."""
    return replace(delay, refused=f"{refusal.occasion}{_BETWEEN}{refusal.reason}", held_until=held_until)
