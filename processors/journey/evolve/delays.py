"""Waits: noticed, revised, ended. A notice that is older than what we know of the same wait changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from processors.journey.state import put
from streams.clock import to_millis
from streams.events import (
    CancelledBy,
    Delay,
    DelayEnded,
    DelayNoticed,
    DelayReason,
    JourneyState,
    Order,
    OrderCancelled,
    OrderDelivered,
    replace,
)
from streams.zones import as_iana


def journey_id(delay: Delay) -> str:
    """One wait for one thing; the same thing late again later is another wait."""
    return f"delay/{delay.subject_kind}/{delay.subject_id}/{to_millis(delay.opened_at)}"


def noticed(state: JourneyState, event: DelayNoticed) -> JourneyState:
    """A wait begins, or what is known of it changes."""
    known = _latest(state, event)
    if known is not None and (event.occurred_at < known.as_of or _ended_at(known, event.occurred_at)):
        return state
    if any(order.order_id == event.order_id and _had_by(order, event.occurred_at) for order in state.orders):
        return state
    if known is None or known.closed_at is not None:
        known = Delay(
            subject_kind=event.subject_kind,
            subject_id=event.subject_id,
            description=event.description,
            promised_at=event.promised_at,
            reason=event.reason,
            cancelled=False,
            opened_at=event.occurred_at,
            as_of=event.occurred_at,
        )
    return _with(
        state,
        replace(
            known,
            description=event.description,
            order_id=event.order_id or known.order_id,
            promised_at=event.promised_at,
            expected_at=None if event.cancelled else event.expected_at,
            cancelled=event.cancelled,
            reason=event.reason,
            time_zone=as_iana(event.time_zone) or known.time_zone,
            as_of=event.occurred_at,
        ),
    )


def ended(state: JourneyState, event: DelayEnded) -> JourneyState:
    """The wait is over. An end without a beginning is kept, so that a notice still on its way does not open it."""
    at = event.occurred_at
    known = _latest(state, event)
    if known is None:
        known = Delay(
            subject_kind=event.subject_kind,
            subject_id=event.subject_id,
            description=f"{event.subject_kind} {event.subject_id}",
            promised_at=event.actual_at or at,
            reason=DelayReason.OTHER,
            cancelled=False,
            opened_at=at,
            as_of=at,
        )
    if known.closed_at is not None or at < known.as_of:
        return state
    return _with(state, replace(known, as_of=at, closed_at=at))


def end_of_order(state: JourneyState, event: OrderDelivered | OrderCancelled) -> JourneyState:
    """What the end of an order means for the waits that belong to it.

    Delivered, or cancelled by the customer: they are over. Cancelled by the company: it will not come at all.
    """
    given_up = isinstance(event, OrderCancelled) and event.by is not CancelledBy.CUSTOMER
    for delay in state.delays:
        if delay.order_id != event.order_id or delay.closed_at is not None or event.occurred_at < delay.as_of:
            continue
        if not given_up:
            state = _with(state, replace(delay, as_of=event.occurred_at, closed_at=event.occurred_at))
        elif not delay.cancelled:
            state = _with(state, replace(delay, as_of=event.occurred_at, cancelled=True, expected_at=None))
    return state


def _ended_at(delay: Delay, moment: datetime) -> bool:
    # of a notice and an end of the same moment the end counts, whichever arrives first
    return delay.closed_at is not None and delay.as_of == moment


def _had_by(order: Order, moment: datetime) -> bool:
    return order.delivered_at is not None and order.delivered_at >= moment


def _latest(state: JourneyState, event: DelayNoticed | DelayEnded) -> Delay | None:
    for delay in reversed(state.delays):
        if delay.subject_id == event.subject_id and delay.subject_kind == event.subject_kind:
            return delay
    return None


def _with(state: JourneyState, delay: Delay) -> JourneyState:
    return replace(state, delays=put(state.delays, delay, journey_id))


FOLDS: Mapping[type[Any], Callable[[JourneyState, Any], JourneyState]] = {
    DelayNoticed: noticed,
    DelayEnded: ended,
}
