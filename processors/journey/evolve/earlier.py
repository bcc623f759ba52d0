"""Reconstructs the histories of states written before histories were kept (JourneyState v3), from their fields."""

from __future__ import annotations

from processors.journey.evolve.history import (
    ANSWERED,
    ANSWERED_BY_MACHINE,
    BEGUN,
    CHANNEL,
    DELIVERED,
    ENDED,
    GIVEN_UP,
    NOBODY_WAITS,
    ON_ITS_WAY,
    RESOLUTION,
    entries,
    moment,
    with_entry,
)
from streams.events import Contact, Delay, Order, replace


def history_of_contact(contact: Contact) -> bytes:
    """Return the history of the contact, as far as it is known."""
    if contact.history:
        return contact.history
    channel, history = CHANNEL[contact.channel], b""
    if contact.closed_before is not None:
        history = with_entry(history, contact.closed_before, BEGUN, channel)
        history = with_entry(history, contact.closed_before, ANSWERED, channel)
        history = with_entry(history, contact.closed_before, ENDED)
    history = with_entry(history, contact.opened_at, BEGUN, channel)
    if contact.answered_at is not None and contact.answered_at >= contact.opened_at:
        history = with_entry(history, contact.answered_at, ANSWERED_BY_MACHINE, channel)
    if contact.replied_at is not None:
        history = with_entry(history, contact.replied_at, ANSWERED, channel)
    if contact.closed_at is not None:
        history = with_entry(history, contact.closed_at, ENDED, RESOLUTION[contact.resolution])
    return history


def history_of_order(order: Order) -> bytes:
    """Return the history of the order, as far as it is known."""
    if order.history:
        return order.history
    history = b""
    if (order.kind, order.description) != ("order", f"order {order.order_id}"):
        history = with_entry(history, order.opened_at, BEGUN)
    if order.shipped_at is not None:
        history = with_entry(history, order.shipped_at, ON_ITS_WAY)
    if order.cancelled_at is not None:
        history = with_entry(history, order.cancelled_at, GIVEN_UP)
    if order.delivered_at is not None:
        history = with_entry(history, order.delivered_at, ENDED, DELIVERED)
    return history


def history_of_delay(delay: Delay) -> tuple[Delay, bytes]:
    """Return the wait with its latest notice, and its history, as far as it is known."""
    history = delay.history
    if not history:
        delay = replace(
            delay,
            named_at=delay.opened_at,
            noticed_expected_at=delay.expected_at,
            noticed_cancelled=delay.cancelled,
        )
        if delay.opened_at != delay.closed_at:
            history = with_entry(history, delay.opened_at, BEGUN)
        if delay.closed_at is None:
            history = with_entry(history, delay.as_of, BEGUN)
    if delay.closed_at is not None and not _ends_at(history, delay):
        history = with_entry(history, delay.closed_at, ENDED, NOBODY_WAITS)
    return delay, history


def _ends_at(history: bytes, delay: Delay) -> bool:
    return any(what == ENDED and moment(at) == delay.closed_at for at, what, _ in entries(history))
