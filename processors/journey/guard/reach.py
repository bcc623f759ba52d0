"""Where a customer may be reached: the addresses we know, without those that are closed or not allowed."""

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
"""The reason of a suppression that a later yes ends; any other ends only where an employee vouches for it."""


def offered(state: JourneyState, playbook: Playbook) -> tuple[Address, ...]:
    """The addresses on channels that we use, best first, each once however often it was spelt."""
    return distinct(
        tuple(
            address
            for channel in playbook.channel_order
            for address in state.profile.addresses
            if address.channel is channel and address.address
        )
    )


def open_for(address: Address, purpose: Purpose, state: JourneyState) -> bool:
    """Whether neither the address nor its channel is closed for this, or was opened again since."""
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
    """The latest word that covers the channel; without any, service is allowed and marketing is not."""
    return _allows((one for one in state.consents if one.purpose is purpose and _covers(one, channel)), purpose)


def may_be_approached(state: JourneyState) -> bool:
    """Whether staff may contact the customer unasked: not if the customer wants no service from us at all."""
    said = (one for one in state.consents if one.purpose is Purpose.SERVICE and one.channel is None)
    return _allows(said, Purpose.SERVICE)


def allowed(state: JourneyState, purpose: Purpose, playbook: Playbook) -> tuple[Address, ...]:
    """Where the customer may be reached for this purpose, best first."""
    return tuple(
        address
        for address in offered(state, playbook)
        if open_for(address, purpose, state) and consented(address.channel, purpose, state)
    )


def may_be_woken(channel: OutreachChannel, purpose: Purpose, state: JourneyState) -> bool:
    """Whether the customer's own latest word that covers the channel allows it to disturb them at night."""
    words = [
        one
        for one in state.consents
        if one.purpose is purpose and _covers(one, channel) and one.from_customer_id is None
    ]
    return bool(words) and max(words, key=_weight).urgent_at_night


def _reopened(closed: Suppression, purpose: Purpose, state: JourneyState) -> bool:
    """An unsubscription ends with a later yes; a complaint or a bounce when an employee vouched for it since.

    A yes said to a merged record opens nothing but what that record's own letters had closed.
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
    words = tuple(_counting(said))
    if not words:
        return purpose is Purpose.SERVICE
    return max(words, key=_weight).status is ConsentStatus.GRANTED


def _counting(said: Iterable[Consent]) -> Iterator[Consent]:
    """The customer's own words, and the latest of each merged record where that is a no: its yes opens nothing."""
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
    # of two words at the same moment a merged record's no counts, then the more specific, then the more careful
    return (
        one.as_of,
        one.from_customer_id is not None,
        one.channel is not None,
        one.status is not ConsentStatus.GRANTED,
    )
