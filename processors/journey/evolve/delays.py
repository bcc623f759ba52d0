"""Waits: noticed, revised, ended, begun again. Worked out from all that happened to each thing, and to its order.

Of each thing there is one wait, the latest. One that begins after another one ended is another wait, with a name of its
own under which decisions speak of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from processors.journey.evolve.earlier import history_of_delay, history_of_order
from processors.journey.evolve.history import (
    BEGUN,
    ENDED,
    GIVEN_UP,
    entries,
    joined,
    latest,
    moment,
    of_its_order,
    own,
    with_entry,
)
from processors.journey.evolve.latest import counts, told
from processors.journey.state import put
from streams.clock import to_millis
from streams.events import Delay, DelayEnded, DelayNoticed, DelayReason, JourneyState, replace
from streams.zones import as_iana


def journey_id(delay: Delay) -> str:
    """One wait for one thing; the same thing late again later is another wait. It keeps the name under which it was
    heard of first, whatever is heard later of its beginning."""
    return f"delay/{delay.subject_kind}/{delay.subject_id}/{to_millis(delay.named_at or delay.opened_at)}"


def noticed(state: JourneyState, event: DelayNoticed) -> JourneyState:
    """A wait begins, or what is known of it changes."""
    at = event.occurred_at
    known, history = _known(state, event, at)
    before = known.order_id
    known = told(told(known, "order_id", event.order_id, at), "time_zone", as_iana(event.time_zone), at)
    if known.order_id != before:
        history = own(history)
    expected_at = None if event.cancelled else event.expected_at
    said = (event.description, event.promised_at, expected_at, event.cancelled, event.reason)
    noticed = (known.description, known.promised_at, known.noticed_expected_at, known.noticed_cancelled, known.reason)
    if counts(said, at, noticed, latest(history, BEGUN)):
        known = replace(
            known,
            description=event.description,
            promised_at=event.promised_at,
            noticed_expected_at=expected_at,
            noticed_cancelled=event.cancelled,
            reason=event.reason,
        )
    return _with(state, known, with_entry(history, at, BEGUN))


def ended(state: JourneyState, event: DelayEnded) -> JourneyState:
    """The wait is over. An end without a beginning is kept, so that a notice still on its way does not open it."""
    known, history = _known(state, event, event.occurred_at)
    return _with(state, known, with_entry(history, event.occurred_at, ENDED))


def of_order(state: JourneyState, order_id: str) -> JourneyState:
    """What the order's history means for the waits that belong to it.

    Delivered, or cancelled by the customer: they are over. Cancelled by the company: it will not come at all.
    """
    for delay in state.delays:
        if delay.order_id == order_id:
            state = _with(state, *history_of_delay(delay))
    return state


def _known(state: JourneyState, event: DelayNoticed | DelayEnded, at: datetime) -> tuple[Delay, bytes]:
    kind, name = event.subject_kind, event.subject_id
    for delay in reversed(state.delays):
        if delay.subject_id == name and delay.subject_kind == kind:
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
    """The state with what the thing's history, and its order's, come to."""
    order = next((one for one in state.orders if one.order_id == before.order_id), None) if before.order_id else None
    if order is not None:
        history = joined(history, of_its_order(history_of_order(order)))
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
        delay = _another(delay)
    others = tuple(one for one in state.delays if _subject(one) != _subject(delay))
    return replace(state, delays=put(others, delay, _subject, in_order=_delays_in_order))


def _another(delay: Delay) -> Delay:
    """The wait as one that nobody was told anything of."""
    return replace(
        delay,
        named_at=delay.opened_at,
        letters=0,
        told_expected_at=None,
        told_cancelled=False,
        told_stage=-1,
        refused=None,
        held_until=None,
    )


def _subject(delay: Delay) -> tuple[str, str]:
    return (delay.subject_kind, delay.subject_id)


def _delays_in_order(delay: Delay) -> tuple[datetime, str, str]:
    return (delay.opened_at, delay.subject_kind, delay.subject_id)


FOLDS: Mapping[type[Any], Callable[[JourneyState, Any], JourneyState]] = {
    DelayNoticed: noticed,
    DelayEnded: ended,
}
