"""Quiet hours: the night in the customer's own time zone, across changes of daylight saving, and what may be sent then.

Quiet hours apply to channels that disturb. An e-mail wakes nobody and is sent at once, unless the playbook says
otherwise; channels that disturb wait for the morning. A letter that is only useful before the morning may disturb
customers who agreed to that.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from processors.journey.actions import Want
from processors.journey.guard.reach import may_be_woken
from processors.journey.playbook import Playbook, QuietHours
from streams.clock import from_millis, to_millis
from streams.events import Address, JourneyState
from streams.zones import zone_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """It is night for the customer, or their time zone is unknown (``known`` is False)."""

    until: datetime
    zone: str
    known: bool = True


_ASK_AGAIN = timedelta(hours=1)


def night(state: JourneyState, now: datetime, playbook: Playbook) -> Night | None:
    """Return the night that ``now`` falls into for this customer; None by day, or if there are no quiet hours."""
    if playbook.quiet_hours is None:
        return None
    name = state.profile.time_zone or playbook.default_time_zone
    zone = zone_of(name)
    if zone is None:
        return Night(until=now + _ASK_AGAIN, zone=name, known=False)
    until = quiet_until(now, zone, playbook.quiet_hours)
    return None if until is None else Night(until=until, zone=name)


def undisturbing(
    addresses: tuple[Address, ...], want: Want, state: JourneyState, now: datetime, playbook: Playbook
) -> tuple[tuple[Address, ...], Night | None]:
    """Return the addresses that may be used now, those that do not disturb first, and the night if it is one."""
    quiet, dark = playbook.quiet_hours, night(state, now, playbook)
    if quiet is None or dark is None:
        return addresses, None
    silent = tuple(address for address in addresses if address.channel not in quiet.channels)
    if not _only_before_morning(want, dark, now, quiet):
        return silent, dark
    agreed = (one for one in addresses if one not in silent and may_be_woken(one.channel, want.purpose, state))
    return (*silent, *agreed), dark


def _only_before_morning(want: Want, dark: Night, now: datetime, quiet: QuietHours) -> bool:
    if dark.known:
        return want.useful_until <= dark.until
    whole = datetime.combine(now, quiet.end) - datetime.combine(now, quiet.begin)
    return want.useful_until <= now + whole % timedelta(days=1)


def quiet_until(now: datetime, zone: ZoneInfo, quiet: QuietHours) -> datetime | None:
    """Return when the quiet hours around ``now`` end (UTC); None outside of them.

    Around a change of daylight saving the local clock counts: if the clocks skip the end, the end is the moment they
    change; if they show it twice, it is the next of the two.
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
    if once > again:  # the clocks skip it; Python interprets it by the offsets before and after the change
        return _clock_change(again, once, zone)
    return from_millis(once if once > to_millis(now) else again)


def _clock_change(before: int, after: int, zone: ZoneInfo) -> datetime:
    """Return the moment between these two, in milliseconds, at which the zone's offset changes."""
    offset = from_millis(before).astimezone(zone).utcoffset()
    while after - before > 1:
        middle = (before + after) // 2
        if from_millis(middle).astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return from_millis(after)
