"""Quiet hours: the night in the customer's own zone, whatever the clocks there do."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from processors.journey.playbook import QuietHours
from streams.clock import from_millis, to_millis
from streams.zones import zone_named


@cache
def zone_of(name: str) -> ZoneInfo | None:
    """The zone that is meant by that name, None where nobody knows."""
    try:
        return ZoneInfo(zone_named(name) or name)
    except (KeyError, OSError, ValueError):  # not found; a folder of the database; no possible name
        return None


def quiet_until(now: datetime, zone: ZoneInfo, quiet: QuietHours) -> datetime | None:
    """When the quiet hours that ``now`` falls into end (UTC), or None outside of them.

    Around a change of daylight saving the wall's times count: an end that the clocks skip is the moment they do, and
    of one that comes twice it is the next.
    """
    local = now.astimezone(zone)
    today = local.timetz().replace(tzinfo=None)
    if quiet.begin <= quiet.end:
        inside, tomorrow = quiet.begin <= today < quiet.end, False
    else:
        inside, tomorrow = today >= quiet.begin or today < quiet.end, today >= quiet.begin
    if not inside:
        return None
    day = local.date() + timedelta(days=1 if tomorrow else 0)
    once, again = (to_millis(datetime.combine(day, quiet.end.replace(fold=fold), tzinfo=zone)) for fold in (0, 1))
    if once > again:  # the clocks skip it; Python reads it by the zone's time before and after the jump
        return _jump(again, once, zone)
    return from_millis(once if once > to_millis(now) else again)


def _jump(before: int, after: int, zone: ZoneInfo) -> datetime:
    """The moment between these two, in milliseconds, at which the zone's clocks are moved."""
    offset = from_millis(before).astimezone(zone).utcoffset()
    while after - before > 1:
        middle = (before + after) // 2
        if from_millis(middle).astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return from_millis(after)
