"""Derives an order's delivery from its parcels: it is delivered when the last of them is."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from processors.journey.evolve.history import BEGUN, ENDED, entries, own
from streams.events import Delay, Order, OrderDelivered, OrderItem, OrderShipped, Parcel, ParcelItem, replace

MOST = 50
"""Maximum parcels of one order; beyond it, those that were delivered first are dropped."""

_MOST_PIECES = (1 << 31) - 1  # the state holds an Avro int

MOST_ITEMS = 200
"""A list of this many items or more may have been truncated, so it is not counted."""


def with_parcel(order: Order, event: OrderShipped | OrderDelivered) -> Order:
    """Return the order with what the fact says of one of its parcels."""
    if event.parcel_id is None:
        return order
    known = next((one for one in order.parcels if one.parcel_id == event.parcel_id), None)
    known = known or Parcel(parcel_id=event.parcel_id)
    if isinstance(event, OrderShipped):
        known = replace(known, shipped_at=_later(known.shipped_at, event.occurred_at))
    else:
        known = replace(known, delivered_at=_later(known.delivered_at, event.occurred_at))
    pieces = pieces_of(event.items)
    if pieces is not None:
        known = replace(known, pieces=max(pieces, known.pieces or 0))
    others = tuple(one for one in order.parcels if one.parcel_id != event.parcel_id)
    return replace(order, parcels=_bounded((*others, known)))


def pieces_of(items: Iterable[OrderItem | ParcelItem]) -> int | None:
    """Return how many pieces these items are; None if none are listed, the list may be truncated, or the sum is too
    large."""
    told = tuple(items)
    pieces = sum(max(one.quantity, 0) for one in told)
    return pieces if 0 < len(told) < MOST_ITEMS and pieces <= _MOST_PIECES else None


def last_delivery(order: Order, delays: Iterable[Delay]) -> datetime | None:
    """Return when the last parcel of an order was delivered; None while any part of the order is outstanding.

    Outstanding are parcels that were shipped and not delivered, things with an open wait of their own, and ordered
    pieces that are in no parcel yet, provided that every parcel lists its contents.
    """
    moments = [parcel.delivered_at for parcel in order.parcels]
    if not moments or any(moment is None for moment in moments):
        return None
    packed = [parcel.pieces for parcel in order.parcels]
    if order.pieces is not None and None not in packed and sum(one or 0 for one in packed) < order.pieces:
        return None
    ids = {parcel.parcel_id for parcel in order.parcels}
    for delay in delays:
        if delay.order_id == order.order_id and _is_of_another_parcel(delay, order, ids) and _has_open_wait(delay):
            return None
    return max(moment for moment in moments if moment is not None)


def _is_of_another_parcel(delay: Delay, order: Order, known: Iterable[str]) -> bool:
    """Return whether the wait is for a part of the order that no parcel or order id names."""
    return not delay.unannounced and delay.subject_id not in {order.order_id, order.subject_id, *known}


def _has_open_wait(delay: Delay) -> bool:
    # by the wait's own history only, because the order's status depends on the result
    waits = False
    for _, what, _ in entries(own(delay.history)):
        if what == BEGUN:
            waits = True
        elif what == ENDED:
            waits = False
    return waits and not delay.noticed_cancelled


def _later(known: datetime | None, at: datetime) -> datetime:
    return at if known is None else max(known, at)


def _bounded(parcels: tuple[Parcel, ...]) -> tuple[Parcel, ...]:
    if len(parcels) > MOST:
        over = sorted((one for one in parcels if one.delivered_at is not None), key=_delivery)[: len(parcels) - MOST]
        parcels = tuple(one for one in parcels if one not in over)[:MOST]
    return tuple(sorted(parcels, key=lambda one: one.parcel_id))


def _delivery(parcel: Parcel) -> tuple[datetime | None, str]:
    return parcel.delivered_at, parcel.parcel_id
