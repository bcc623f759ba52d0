"""The quiet hours in an outreach request: the dispatcher observes them at the time of the call, without the rules."""

from __future__ import annotations

from datetime import datetime

from processors.journey.actions import Want
from processors.journey.guard.quiet import night
from processors.journey.playbook import Playbook
from streams.events import Address, JourneyState, QuietHoursInForce
from streams.zones import zone_of


def hours_in_force(
    want: Want, addresses: tuple[Address, ...], state: JourneyState, now: datetime, playbook: Playbook
) -> QuietHoursInForce | None:
    """Return the quiet hours of this request and the channels they apply to; None if it may be sent at any hour.

    ``now``: when it was decided. A request that is decided at night only has channels that may be used at night.
    """
    quiet = playbook.quiet_hours
    if quiet is None or want.task is not None or night(state, now, playbook) is not None:
        return None
    channels = tuple(dict.fromkeys(one.channel for one in addresses if one.channel in quiet.channels))
    zone = zone_of(state.profile.time_zone or playbook.default_time_zone)
    if zone is None or not channels:
        return None
    return QuietHoursInForce(
        begin=quiet.begin.isoformat("minutes"),
        end=quiet.end.isoformat("minutes"),
        time_zone=zone.key,
        channels=channels,
    )
