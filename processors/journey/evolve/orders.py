"""Orders and bookings. Each fact owns its own field, so that their order of arrival does not matter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from processors.journey.evolve.delays import end_of_order
from processors.journey.state import put
from streams.events import JourneyState, Order, OrderCancelled, OrderDelivered, OrderPlaced, OrderShipped, replace


def placed(state: JourneyState, event: OrderPlaced) -> JourneyState:
    """An order begins."""
    order = replace(
        _known(state, event.order_id, event.occurred_at),
        kind=event.kind,
        description=event.description,
        subject_id=event.subject_id,
        promised_at=event.promised_at,
        total=event.total,
        currency=event.currency,
        opened_at=event.occurred_at,
    )
    return _with(state, order, event.occurred_at)


def shipped(state: JourneyState, event: OrderShipped) -> JourneyState:
    """It is on its way."""
    order = replace(_known(state, event.order_id, event.occurred_at), shipped_at=event.occurred_at)
    return _with(state, order, event.occurred_at)


def delivered(state: JourneyState, event: OrderDelivered) -> JourneyState:
    """The customer has it: whatever wait belonged to it is over."""
    at = event.occurred_at
    order = replace(_known(state, event.order_id, at), delivered_at=at, closed_at=at)
    return end_of_order(_with(state, order, at), event)


def cancelled(state: JourneyState, event: OrderCancelled) -> JourneyState:
    """It will not be fulfilled. One that was delivered stays delivered."""
    at = event.occurred_at
    known = _known(state, event.order_id, at)
    order = replace(known, cancelled_at=at, closed_at=known.closed_at or at)
    return end_of_order(_with(state, order, at), event)


def _known(state: JourneyState, order_id: str, at: datetime) -> Order:
    for order in state.orders:
        if order.order_id == order_id:
            return order
    return Order(order_id=order_id, kind="order", description=f"order {order_id}", opened_at=at, as_of=at)


def _with(state: JourneyState, order: Order, at: datetime) -> JourneyState:
    order = replace(order, as_of=max(order.as_of, at))
    return replace(state, orders=put(state.orders, order, lambda item: item.order_id))


FOLDS: Mapping[type[Any], Callable[[JourneyState, Any], JourneyState]] = {
    OrderPlaced: placed,
    OrderShipped: shipped,
    OrderDelivered: delivered,
    OrderCancelled: cancelled,
}
