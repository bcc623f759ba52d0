"""The quiet hours that a request carries: the dispatcher holds to them at the moment of the call, and knows no rule."""

from __future__ import annotations

from processors.journey.actions import Want
from processors.journey.guard.quiet import zone_of
from processors.journey.playbook import Playbook
from streams.events import Address, JourneyState, QuietHoursInForce


def hours_in_force(
    want: Want, addresses: tuple[Address, ...], state: JourneyState, playbook: Playbook
) -> QuietHoursInForce | None:
    """Those of this very request, and the channels they hold for; None where it may leave at any hour."""
    quiet = playbook.quiet_hours
    if quiet is None or want.task is not None:
        return None
    zone = zone_of(state.profile.time_zone or playbook.default_time_zone)
    if zone is None:
        return None
    return QuietHoursInForce(
        begin=quiet.begin.isoformat("minutes"),
        end=quiet.end.isoformat("minutes"),
        time_zone=zone.key,
        channels=tuple(dict.fromkeys(address.channel for address in addresses)),
    )
