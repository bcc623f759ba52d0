"""Folds waits: noticed, revised, ended, begun again. Each is derived from its own history and from its order's.

There is one wait for each thing, the latest. A wait that begins after an earlier one ended is a new wait with an id of
its own in decisions.
"""

from __future__ import annotations

from datetime import datetime

from processors.journey.evolve.earlier import history_of_delay, history_of_order
from processors.journey.evolve.history import (
    BEGUN,
    DELIVERED,
    ENDED,
    GIVEN_UP,
    entries,
    joined,
    latest,
    moment,
    of_its_order,
    own,
    with_entry,
    without,
)
from processors.journey.evolve.latest import counts, told
from processors.journey.state import put
from streams.clock import to_millis
from streams.events import Delay, DelayEnded, DelayNoticed, DelayReason, JourneyState, Order, replace
from streams.zones import as_iana


def journey_id(delay: Delay) -> str:
    """Return the journey id of one wait for one thing; a later wait for the same thing has another. It is fixed when
    the wait is first heard of, whatever is reported later about its beginning."""
    subject = delay.named_as or f"{delay.subject_kind}/{delay.subject_id}"
    return f"delay/{subject}/{to_millis(delay.named_at or delay.opened_at)}"


def noticed(state: JourneyState, event: DelayNoticed) -> JourneyState:
    """Begin a wait or update it. A notice of a wait that began unannounced takes that wait over."""
    at = event.occurred_at
    state = _announced(state, event)
    known, history = _known(state, event, at)
    if known.unannounced:  # from here on the publisher's time of its beginning counts
        history = without(history, known.opened_at, BEGUN)
        known = replace(known, unannounced=False)
    before = known.order_id
    known = told(told(known, "order_id", event.order_id, at), "time_zone", as_iana(event.time_zone), at)
    if known.order_id != before:
        history = own(history)
    expected_at = None if event.cancelled else event.expected_at
    said = (event.description, event.promised_at, expected_at, event.cancelled, event.reason, event.by_day)
    noticed = (
        known.description,
        known.promised_at,
        known.noticed_expected_at,
        known.noticed_cancelled,
        known.reason,
        known.by_day,
    )
    if counts(said, at, noticed, latest(history, BEGUN)):
        known = replace(
            known,
            description=event.description,
            promised_at=event.promised_at,
            noticed_expected_at=expected_at,
            noticed_cancelled=event.cancelled,
            reason=event.reason,
            by_day=event.by_day,
        )
    return _with(state, known, with_entry(history, at, BEGUN))


def ended(state: JourneyState, event: DelayEnded) -> JourneyState:
    """End the wait. An end without a beginning is kept, so that an earlier notice that arrives later does not open
    it."""
    known, history = _known(state, event, event.occurred_at)
    return _with(state, known, with_entry(history, event.occurred_at, ENDED))


def of_order(state: JourneyState, order_id: str) -> JourneyState:
    """Apply the order's history to the waits that belong to it.

    If it was delivered, or cancelled by the customer, they end. If the company cancelled it, they become cancelled.
    """
    for delay in state.delays:
        if delay.order_id == order_id:
            state = _with(state, *history_of_delay(delay))
    return state


def with_wait(state: JourneyState, delay: Delay) -> JourneyState:
    """Return the state with the wait in place of any other for the same thing."""
    others = tuple(one for one in state.delays if _subject(one) != _subject(delay))
    return replace(state, delays=put(others, delay, _subject, in_order=_delays_in_order))


def _announced(state: JourneyState, event: DelayNoticed) -> JourneyState:
    """Make the wait that began unannounced the one that the notice is about, and keep its journey id."""
    if event.order_id is None or any(_is_about(delay, event) and not delay.unannounced for delay in state.delays):
        return state
    for delay in state.delays:
        if not delay.unannounced or delay.order_id != event.order_id:
            continue
        others = tuple(one for one in state.delays if one is not delay)
        announced = replace(
            delay,
            subject_kind=event.subject_kind,
            subject_id=event.subject_id,
            named_as=delay.named_as or f"{delay.subject_kind}/{delay.subject_id}",
        )
        return with_wait(replace(state, delays=others), announced)
    return state


def _is_about(delay: Delay, event: DelayNoticed | DelayEnded) -> bool:
    return delay.subject_id == event.subject_id and delay.subject_kind == event.subject_kind


def _known(state: JourneyState, event: DelayNoticed | DelayEnded, at: datetime) -> tuple[Delay, bytes]:
    kind, name = event.subject_kind, event.subject_id
    for delay in reversed(state.delays):
        if _is_about(delay, event):
            return history_of_delay(delay)
    return (
        Delay(
            subject_kind=kind,
            subject_id=name,
            description=f"{kind} {name}",
            promised_at=at,
            reason=DelayReason.OTHER,
            cancelled=False,
            opened_at=at,
            as_of=at,
        ),
        b"",
    )


def _with(state: JourneyState, before: Delay, history: bytes) -> JourneyState:
    """Return the state with the wait as its own history and its order's say."""
    order = next((one for one in state.orders if one.order_id == before.order_id), None) if before.order_id else None
    if order is not None:
        # an order that was delivered may become undelivered when another parcel of it is reported
        history = joined(own(history) if order.parcels else history, ends_of(order, before))
    opened_at = closed_at = given_up_at = as_of = None
    begun = noticed = False
    for at, what, _ in entries(history):
        as_of = at
        if what == BEGUN:
            if not begun or closed_at is not None:
                opened_at, closed_at = at, None
            begun, noticed, given_up_at = True, True, None
        elif what == GIVEN_UP:
            given_up_at = at if begun and closed_at is None else given_up_at
        elif not begun:
            opened_at = closed_at = at
            begun = True
        elif closed_at is None:
            closed_at = at
    began = moment(opened_at) or before.opened_at
    delay = replace(
        before,
        promised_at=before.promised_at if noticed else began,
        expected_at=before.noticed_expected_at if given_up_at is None else None,
        cancelled=before.noticed_cancelled or given_up_at is not None,
        opened_at=began,
        as_of=moment(as_of) or before.as_of,
        closed_at=moment(closed_at),
        history=history,
    )
    if before.named_at is None or (before.closed_at is not None and closed_at is None):
        delay = _as_new_wait(delay)
    return with_wait(state, delay)


def ends_of(order: Order, delay: Delay) -> bytes:
    """Return the ends of a wait that follow from its order: the order's own, and those of the parcel that the wait is
    about."""
    history = history_of_order(order)
    if order.parcels:
        if order.delivered_at is not None and latest(history, ENDED) != order.delivered_at:
            history = with_entry(history, order.delivered_at, ENDED, DELIVERED)
        for parcel in order.parcels:
            if parcel.parcel_id == delay.subject_id and parcel.delivered_at is not None:
                history = with_entry(history, parcel.delivered_at, ENDED, DELIVERED)
    return of_its_order(history)


def _as_new_wait(delay: Delay) -> Delay:
    """Return the wait as a new one, of which the customer has been told nothing."""
    return replace(
        delay,
        named_at=delay.opened_at,
        named_as=None,
        letters=0,
        told_expected_at=None,
        told_cancelled=False,
        told_stage=-1,
        refused=None,
        held_until=None,
        told_at=None,
    )


def _subject(delay: Delay) -> tuple[str, str]:
    return (delay.subject_kind, delay.subject_id)


def _delays_in_order(delay: Delay) -> tuple[datetime, str, str]:
    return (delay.opened_at, delay.subject_kind, delay.subject_id)
