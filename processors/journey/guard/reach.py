"""Finds where a customer may be reached: the known addresses, without those that are suppressed or lack consent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from processors.journey.playbook import Playbook
from streams.addresses import canonical, distinct
from streams.events import (
    Address,
    Consent,
    ConsentStatus,
    JourneyState,
    OutreachChannel,
    Purpose,
    Suppression,
)

UNSUBSCRIBED = "unsubscribed"
"""The reason of a suppression that a later opt-in ends; any other ends only if an employee vouches for the customer."""


def offered(state: JourneyState, playbook: Playbook) -> tuple[Address, ...]:
    """Return the addresses on channels in use, best first, each once regardless of spelling."""
    return distinct(
        tuple(
            address
            for channel in playbook.channel_order
            for address in state.profile.addresses
            if address.channel is channel and address.address
        )
    )


def open_for(address: Address, purpose: Purpose, state: JourneyState) -> bool:
    """Return whether neither the address nor its channel is suppressed for this purpose, or was reopened since."""
    if not state.suppressions:
        return True
    own = canonical(address.channel, address.address)
    return not any(
        closed.channel is address.channel
        and closed.purpose in (None, purpose)
        and (not closed.address or canonical(closed.channel, closed.address) == own)
        and not _reopened(closed, purpose, state)
        for closed in state.suppressions
    )


def consented(channel: OutreachChannel, purpose: Purpose, state: JourneyState) -> bool:
    """Return whether the latest consent that covers the channel allows it; without any, service is allowed, marketing
    is not."""
    return _allows((one for one in state.consents if one.purpose is purpose and _covers(one, channel)), purpose)


def may_be_approached(state: JourneyState) -> bool:
    """Return whether staff may contact the customer unasked: not if the customer opted out of all service messages."""
    said = (one for one in state.consents if one.purpose is Purpose.SERVICE and one.channel is None)
    return _allows(said, Purpose.SERVICE)


def allowed(state: JourneyState, purpose: Purpose, playbook: Playbook) -> tuple[Address, ...]:
    """Return where the customer may be reached for this purpose, best first."""
    return tuple(
        address
        for address in offered(state, playbook)
        if open_for(address, purpose, state) and consented(address.channel, purpose, state)
    )


def may_be_woken(channel: OutreachChannel, purpose: Purpose, state: JourneyState) -> bool:
    """Return whether the customer's own latest consent that covers the channel allows it to disturb them at night."""
    words = [
        one
        for one in state.consents
        if one.purpose is purpose and _covers(one, channel) and one.from_customer_id is None
    ]
    return bool(words) and max(words, key=_weight).urgent_at_night


def _reopened(closed: Suppression, purpose: Purpose, state: JourneyState) -> bool:
    """Return whether the suppression ended: an unsubscription by a later opt-in, a complaint or a bounce when an
    employee vouched for the customer.

    An opt-in to a merged record reopens only what that record's own letters had closed.
    """
    for one in state.consents:
        if one.purpose is not purpose or not _covers(one, closed.channel):
            continue
        if one.from_customer_id not in (None, closed.from_customer_id):
            continue
        if one.reopened_at is not None and one.reopened_at > closed.as_of:
            return True
        if closed.reason == UNSUBSCRIBED and one.status is ConsentStatus.GRANTED and one.as_of > closed.as_of:
            return True
    return False


def _covers(one: Consent, channel: OutreachChannel) -> bool:
    return one.channel is None or one.channel is channel


def _allows(said: Iterable[Consent], purpose: Purpose) -> bool:
    words = tuple(_relevant(said))
    if not words:
        return purpose is Purpose.SERVICE
    return max(words, key=_weight).status is ConsentStatus.GRANTED


def _relevant(said: Iterable[Consent]) -> Iterator[Consent]:
    """Yield the customer's own consents, and of each merged record its latest if it is an opt-out: its opt-in allows
    nothing."""
    inherited: dict[str, Consent] = {}
    for one in said:
        if one.from_customer_id is None:
            yield one
        else:
            known = inherited.get(one.from_customer_id)
            if known is None or _weight(one) > _weight(known):
                inherited[one.from_customer_id] = one
    yield from (one for one in inherited.values() if one.status is not ConsentStatus.GRANTED)


def _weight(one: Consent) -> tuple[datetime, bool, bool, bool]:
    # at the same moment a merged record's opt-out wins, then the more specific, then the more restrictive consent
    return (
        one.as_of,
        one.from_customer_id is not None,
        one.channel is not None,
        one.status is not ConsentStatus.GRANTED,
    )
