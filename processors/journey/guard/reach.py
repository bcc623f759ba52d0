"""Where a customer may be reached: the addresses we know, without those that are closed or not allowed."""

from __future__ import annotations

from processors.journey.playbook import Playbook
from streams.events import Address, Consent, ConsentStatus, JourneyState, OutreachChannel, Purpose


def offered(state: JourneyState, playbook: Playbook) -> tuple[Address, ...]:
    """The addresses on channels that we use, best first."""
    return tuple(
        address
        for channel in playbook.channel_order
        for address in state.profile.addresses
        if address.channel is channel and address.address
    )


def open_for(address: Address, purpose: Purpose, state: JourneyState) -> bool:
    """Whether the address did not bounce, complain or unsubscribe from this."""
    return not any(
        closed.channel is address.channel and closed.address == address.address and closed.purpose in (None, purpose)
        for closed in state.suppressions
    )


def consented(channel: OutreachChannel, purpose: Purpose, state: JourneyState) -> bool:
    """The latest word that covers the channel; without any, service is allowed and marketing is not."""
    return _allows(
        [one for one in state.consents if one.purpose is purpose and one.channel in (None, channel)], purpose
    )


def may_be_approached(state: JourneyState) -> bool:
    """Whether one of our own people may go up to the customer unasked: not if they want no service from us at all."""
    said = [one for one in state.consents if one.purpose is Purpose.SERVICE and one.channel is None]
    return _allows(said, Purpose.SERVICE)


def _allows(said: list[Consent], purpose: Purpose) -> bool:
    if not said:
        return purpose is Purpose.SERVICE
    # of two words at the same moment the more specific counts, and of those the more careful
    latest = max(said, key=lambda c: (c.as_of, c.channel is not None, c.status is not ConsentStatus.GRANTED))
    return latest.status is ConsentStatus.GRANTED


def allowed(state: JourneyState, purpose: Purpose, playbook: Playbook) -> tuple[Address, ...]:
    """Where the customer may be reached for this purpose, best first."""
    return tuple(
        address
        for address in offered(state, playbook)
        if open_for(address, purpose, state) and consented(address.channel, purpose, state)
    )
