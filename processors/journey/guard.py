"""The guard: may this customer be reached with this, on which address, and is now the time?

Its rules run in the order of RULES; the first that objects decides. Whoever refuses says why, in words.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from processors.journey.actions import Action, Hold, Reach, Suppress, Want
from processors.journey.playbook import Playbook, QuietHours
from streams.clock import from_millis, to_millis
from streams.events import Address, ConsentStatus, JourneyState, OutreachChannel, Purpose

_ASK_AGAIN = timedelta(hours=1)

Rule = Callable[[Want, JourneyState, datetime, Playbook], "Action | None"]


def guard(want: Want, state: JourneyState, now: datetime, playbook: Playbook) -> Action:
    """A Reach if nothing speaks against it, else the Hold or Suppress of the first rule that objects."""
    for rule in RULES:
        objection = rule(want, state, now, playbook)
        if objection is not None:
            return objection
    return Reach(want=want, addresses=_allowed(want, state, playbook), explanation="nothing spoke against it")


def _one_person(want: Want, state: JourneyState, now: datetime, playbook: Playbook) -> Action | None:
    if state.merged_into is None:
        return None
    return Suppress(want=want, reason="merged", explanation="this record turned out to be another customer's")


def _still_useful(want: Want, state: JourneyState, now: datetime, playbook: Playbook) -> Action | None:
    if now < want.useful_until:
        return None
    return Suppress(want=want, reason="no_longer_useful", explanation="it would arrive after the wait is over")


def _reachable(want: Want, state: JourneyState, now: datetime, playbook: Playbook) -> Action | None:
    offered = _offered(state, playbook)
    if not offered:
        return Suppress(want=want, reason="no_address", explanation="no address on a channel that we use is known")
    open_ = [address for address in offered if not _suppressed(address, state)]
    if not open_:
        return Suppress(want=want, reason="suppressed", explanation="every address bounced, complained or unsubscribed")
    if not any(_consented(address.channel, want.purpose, state) for address in open_):
        kind = want.purpose.lower()
        return Suppress(want=want, reason="no_consent", explanation=f"the customer does not allow {kind} messages")
    return None


def _quiet_hours(want: Want, state: JourneyState, now: datetime, playbook: Playbook) -> Action | None:
    if playbook.quiet_hours is None:
        return None
    name = state.profile.time_zone or playbook.default_time_zone
    zone = zone_of(name)
    if zone is None:
        return Hold(
            want=want,
            until=min(now + _ASK_AGAIN, want.useful_until),
            reason="unknown_time_zone",
            explanation=f"{name!r} is no time zone, so nobody knows whether it is night there",
        )
    until = quiet_until(now, zone, playbook.quiet_hours)
    if until is None:
        return None
    if until >= want.useful_until:
        return Suppress(
            want=want,
            reason="quiet_hours",
            explanation=f"it is night in {name}, and by the morning it would be of no use",
        )
    return Hold(want=want, until=until, reason="quiet_hours", explanation=f"it is night in {name}")


def _frequency_cap(want: Want, state: JourneyState, now: datetime, playbook: Playbook) -> Action | None:
    for cap in playbook.caps:
        if cap.purpose is not want.purpose:
            continue
        within = sorted(
            note.requested_at
            for note in state.outreach
            if note.purpose is cap.purpose and note.requested_at > now - cap.window
        )
        if len(within) < cap.most:
            continue
        until = within[-cap.most] + cap.window
        hours = f"{cap.window.total_seconds() / 3600:g}"
        explanation = f"{cap.most} {cap.purpose.lower()} messages in {hours} hours are enough"
        if until >= want.useful_until:
            return Suppress(want=want, reason="frequency_cap", explanation=explanation)
        return Hold(want=want, until=until, reason="frequency_cap", explanation=explanation)
    return None


RULES: tuple[Rule, ...] = (_one_person, _still_useful, _reachable, _quiet_hours, _frequency_cap)


@cache
def zone_of(name: str) -> ZoneInfo | None:
    """The IANA zone of that name, None if there is none."""
    try:
        return ZoneInfo(name)
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


def _offered(state: JourneyState, playbook: Playbook) -> tuple[Address, ...]:
    return tuple(
        address
        for channel in playbook.channel_order
        for address in state.profile.addresses
        if address.channel is channel and address.address
    )


def _allowed(want: Want, state: JourneyState, playbook: Playbook) -> tuple[Address, ...]:
    return tuple(
        address
        for address in _offered(state, playbook)
        if not _suppressed(address, state) and _consented(address.channel, want.purpose, state)
    )


def _suppressed(address: Address, state: JourneyState) -> bool:
    return any(closed.channel is address.channel and closed.address == address.address for closed in state.suppressions)


def _consented(channel: OutreachChannel, purpose: Purpose, state: JourneyState) -> bool:
    """The latest word that covers the channel; without any, service is allowed and marketing is not."""
    said = [consent for consent in state.consents if consent.purpose is purpose and consent.channel in (None, channel)]
    if not said:
        return purpose is Purpose.SERVICE
    # of two words at the same moment the more specific counts, and of those the more careful
    latest = max(said, key=lambda c: (c.as_of, c.channel is not None, c.status is not ConsentStatus.GRANTED))
    return latest.status is ConsentStatus.GRANTED
