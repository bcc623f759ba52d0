"""Whether a request may leave at a moment: while it is of use, and outside of its quiet hours. Pure.

Asked before each call. The moment is real time where the time source is the wall, and the stream's in event time.
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
"""A request about a fact that is older than this came with a publisher's backlog."""

HEARD_FIRST = timedelta(seconds=3)
"""What else is in that backlog is heard first for so long: perhaps the wait that the letter is about is over."""

_ASK_AGAIN = timedelta(hours=1)


def is_too_late(request: OutreachRequested, now: datetime) -> bool:
    """Whether it would arrive too late to be useful."""
    return now >= request.useful_until


def quiet_on(request: OutreachRequested, channel: OutreachChannel, now: datetime) -> datetime | None:
    """When the quiet hours end that keep it from leaving by this channel now; None where nothing keeps it."""
    hours = request.quiet_hours
    if hours is None or channel not in hours.channels:
        return None
    zone = zone_of(hours.time_zone)
    if zone is None:  # journeys know it, this machine's zone data does not
        return now + _ASK_AGAIN
    return quiet_until(now, zone, QuietHours(begin=time.fromisoformat(hours.begin), end=time.fromisoformat(hours.end)))


def held_until(request: OutreachRequested, now: datetime) -> datetime | None:
    """When the first of its channels may be used again; None where one may be used now."""
    ends = [quiet_on(request, address.channel, now) for address in request.addresses]
    later = [end for end in ends if end is not None]
    return min(later) if later and len(later) == len(ends) else None


def not_before(request: OutreachRequested, now: datetime) -> datetime:
    """When its turn is, as it is heard of ``now``: when it was asked for, or a little later where it is old news."""
    asked = min(request.requested_at, now)
    is_old_news = request.caused_at is not None and request.requested_at - request.caused_at > OLD_NEWS
    return asked + HEARD_FIRST if is_old_news else asked
