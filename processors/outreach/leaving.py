"""Whether a letter may be sent at a given time: before it expires, and outside its quiet hours. Pure.

Checked before each call. The time is real time if the time source is the wall clock, else event time.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta

from processors.journey.guard.quiet import quiet_until
from processors.journey.playbook import QuietHours
from streams.events import OutreachChannel, OutreachRequested
from streams.zones import zone_of

NIGHT = "it is night where the customer is"
TOO_LATE = "no longer useful"

OLD_NEWS = timedelta(minutes=1)
"""A request whose cause is older than this comes from a publisher's backlog."""

HEARD_FIRST = timedelta(seconds=3)
"""How long a request from a backlog waits for the rest of it: perhaps the wait that the letter is about is over."""

_ASK_AGAIN = timedelta(hours=1)


def is_too_late(request: OutreachRequested, now: datetime) -> bool:
    """Whether the letter has expired (``useful_until``)."""
    return now >= request.useful_until


def quiet_on(request: OutreachRequested, channel: OutreachChannel, now: datetime) -> datetime | None:
    """When the quiet hours end that apply to this channel now; None if none apply."""
    hours = request.quiet_hours
    if hours is None or channel not in hours.channels:
        return None
    zone = zone_of(hours.time_zone)
    if zone is None:  # the journeys role knew the zone, but this machine's zone data does not
        return now + _ASK_AGAIN
    return quiet_until(now, zone, QuietHours(begin=time.fromisoformat(hours.begin), end=time.fromisoformat(hours.end)))


def held_until(request: OutreachRequested, now: datetime) -> datetime | None:
    """When the first of the request's channels may be used again; None if one may be used now."""
    ends = [quiet_on(request, address.channel, now) for address in request.addresses]
    later = [end for end in ends if end is not None]
    return min(later) if later and len(later) == len(ends) else None


def not_before(request: OutreachRequested, now: datetime) -> datetime:
    """When a request received ``now`` is due: the time of the request, or HEARD_FIRST later if it is from a backlog."""
    asked = min(request.requested_at, now)
    is_old_news = request.caused_at is not None and request.requested_at - request.caused_at > OLD_NEWS
    return asked + HEARD_FIRST if is_old_news else asked


def due_at(request: OutreachRequested, now: datetime) -> datetime:
    """When a request received ``now`` might first leave: when it is due, but not within its quiet hours."""
    first = not_before(request, now)
    return held_until(request, first) or first
