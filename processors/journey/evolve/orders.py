"""Folds orders and bookings: placed, shipped, delivered, cancelled. Each is derived from its whole history.

An order with parcels is delivered when the last parcel is. A wait for a parcel keeps its order open, so facts about
waits are folded here too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from processors.journey.evolve import delays
from processors.journey.evolve.delays import of_order
from processors.journey.evolve.earlier import history_of_order
from processors.journey.evolve.history import (
    BEGUN,
    BY_US,
    DELIVERED,
    ENDED,
    GIVEN_UP,
    ON_ITS_WAY,
    entries,
    latest,
    moment,
    with_entry,
)
from processors.journey.evolve.latest import counts
from processors.journey.evolve.parcels import last_delivery, pieces_of, with_parcel
from processors.journey.state import put
from streams.events import (
    CancelledBy,
    DelayEnded,
    DelayNoticed,
    JourneyState,
    Order,
    OrderCancelled,
    OrderDelivered,
    OrderPlaced,
    OrderShipped,
    replace,
)


def placed(state: JourneyState, event: OrderPlaced) -> JourneyState:
    """Begin an order; an order that is placed again takes the latest values."""
    order, history = _known(state, event.order_id, event.occurred_at)
    if counts(_said(event), event.occurred_at, _said(order), latest(history, BEGUN)):
        order = replace(
            order,
            kind=event.kind,
            description=event.description,
            subject_id=event.subject_id,
            promised_at=event.promised_at,
            total=event.total,
            currency=event.currency,
            by_day=event.by_day,
            pieces=pieces_of(event.items),
        )
    return _with(state, order, with_entry(history, event.occurred_at, BEGUN))


def shipped(state: JourneyState, event: OrderShipped) -> JourneyState:
    """Record that the order, or one of its parcels, was shipped."""
    order, history = _known(state, event.order_id, event.occurred_at)
    order = with_parcel(order, event)
    state = _with(state, order, with_entry(history, event.occurred_at, ON_ITS_WAY))
    return of_order(state, order.order_id) if order.parcels else state


def delivered(state: JourneyState, event: OrderDelivered) -> JourneyState:
    """Record that the order, or one of its parcels, was delivered, and end the waits for it."""
    order, history = _known(state, event.order_id, event.occurred_at)
    if event.parcel_id is not None:
        order = with_parcel(order, event)
        return of_order(_with(state, order, with_entry(history, event.occurred_at, ON_ITS_WAY)), order.order_id)
    return of_order(_with(state, order, with_entry(history, event.occurred_at, ENDED, DELIVERED)), order.order_id)


def cancelled(state: JourneyState, event: OrderCancelled) -> JourneyState:
    """Record that the order was cancelled. A delivered order stays delivered."""
    order, history = _known(state, event.order_id, event.occurred_at)
    what = ENDED if event.by is CancelledBy.CUSTOMER else GIVEN_UP
    detail = BY_US if event.by is CancelledBy.COMPANY else 0
    return of_order(_with(state, order, with_entry(history, event.occurred_at, what, detail)), order.order_id)


def noticed(state: JourneyState, event: DelayNoticed) -> JourneyState:
    """Fold a delay, which may be of a parcel of an order."""
    return _refreshed(delays.noticed(state, event))


def ended(state: JourneyState, event: DelayEnded) -> JourneyState:
    """Fold the end of a wait, which may be the last of an order."""
    return _refreshed(delays.ended(state, event))


def _refreshed(state: JourneyState) -> JourneyState:
    for order in state.orders:
        if order.parcels:
            state = of_order(_with(state, order, history_of_order(order)), order.order_id)
    return state


def _known(state: JourneyState, order_id: str, at: datetime) -> tuple[Order, bytes]:
    for order in state.orders:
        if order.order_id == order_id:
            return order, history_of_order(order)
    return Order(order_id=order_id, kind="order", description=f"order {order_id}", opened_at=at, as_of=at), b""


def _with(state: JourneyState, order: Order, history: bytes) -> JourneyState:
    """Return the state with the order as its history says."""
    began = placed_at = shipped_at = delivered_at = cancelled_at = as_of = None
    for at, what, detail in entries(history):
        as_of = at
        began = at if began is None else began
        if what == BEGUN:
            placed_at = at if placed_at is None else placed_at
        elif what == ON_ITS_WAY:
            shipped_at = at
        elif what == ENDED and detail == DELIVERED:
            delivered_at = at
        else:
            cancelled_at = at
    delivered, cancelled = moment(delivered_at), moment(cancelled_at)
    if order.parcels and delivered is None:
        delivered = last_delivery(order, state.delays)
    order = replace(
        order,
        opened_at=moment(began if placed_at is None else placed_at) or order.opened_at,
        as_of=moment(as_of) or order.as_of,
        shipped_at=moment(shipped_at),
        delivered_at=delivered,
        cancelled_at=cancelled,
        closed_at=delivered or cancelled,
        history=history,
    )
    return replace(state, orders=put(state.orders, order, _order, in_order=_orders_in_order))


def _said(order: Order | OrderPlaced) -> tuple[Any, ...]:
    said = (order.kind, order.description, order.subject_id, order.promised_at, order.total, order.currency)
    return (*said, order.by_day, pieces_of(order.items) if isinstance(order, OrderPlaced) else order.pieces)


def _order(order: Order) -> str:
    return order.order_id


def _orders_in_order(order: Order) -> tuple[datetime, str]:
    return (order.opened_at, order.order_id)


FOLDS: Mapping[type[Any], Callable[[JourneyState, Any], JourneyState]] = {
    OrderPlaced: placed,
    OrderShipped: shipped,
    OrderDelivered: delivered,
    OrderCancelled: cancelled,
    DelayNoticed: noticed,
    DelayEnded: ended,
}
