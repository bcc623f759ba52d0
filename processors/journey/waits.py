"""How long a wait is, which news of it the customer does not know, and when the next letter is due. A promise that
passes in silence begins a wait of its own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from processors.journey.evolve.earlier import history_of_order
from processors.journey.evolve.history import (
    BEGUN,
    BY_US,
    DELIVERED,
    ENDED,
    GIVEN_UP,
    NOBODY_WAITS,
    entries,
    with_entry,
)
from processors.journey.naming import numbered
from processors.journey.playbook import GestureOffer
from processors.journey.wait_rules import DelayRules
from streams.clock import to_millis
from streams.events import Delay, DelayReason, JourneyState, Order, Outreach, replace

CANCELLED = "cancelled"
NOTICE = "notice"
UPDATE = "update"
OVER = "over"

_COUNTS_AS_READ = timedelta(hours=1)
"""A letter requested at least this long before the wait ended counts as read; a later one may still be retracted."""

_END_OF_TIME = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


def expected_wait(delay: Delay, now: datetime) -> timedelta:
    """Return how long the customer waits as far as we know: the expected wait, or the time waited so far if that is
    longer."""
    waited = now - delay.promised_at
    if delay.expected_at is None:
        return max(waited, timedelta(0))
    return max(delay.expected_at - delay.promised_at, waited, timedelta(0))


def occasion_of(delay: Delay, wait: timedelta, now: datetime, rules: DelayRules) -> str | None:
    """Return the occasion of the letter with news that the customer does not know yet; None if there is none."""
    if delay.cancelled:
        return None if delay.told_cancelled else numbered(CANCELLED, delay.letters)
    if not delay.letters:
        return NOTICE if delay.unannounced or wait >= rules.threshold else None
    if delay.told_cancelled:
        return numbered("revision", delay.letters)  # it was announced as cancelled, and is coming after all
    stage = rules.stage(wait)
    if stage > delay.told_stage:
        return numbered("gesture", stage)
    if delay.expected_at is not None and delay.expected_at != delay.told_expected_at:
        known = delay.told_expected_at
        if known is None or abs(delay.expected_at - known) >= rules.revise_after:
            return numbered("revision", delay.letters)
    due = next_update(delay, rules)
    return numbered(UPDATE, delay.letters) if due is not None and due <= now else None


def next_update(delay: Delay, rules: DelayRules) -> datetime | None:
    """Return when the customer gets an update even without news; None if no updates were promised."""
    if rules.update_every is None or delay.told_at is None or not delay.letters or delay.cancelled:
        return None
    due = later(delay.told_at, rules.update_every)
    if delay.expected_at is not None:
        due = max(due, later(delay.expected_at, rules.grace))  # until then the announced time holds
    return due


def is_last(delay: Delay, now: datetime, rules: DelayRules) -> bool:
    """Return whether a letter sent now is the last without news, because the wait lapses before the next update."""
    return rules.update_every is not None and later(now, rules.update_every) >= lapses_at(delay, rules)


def says_when_over(delay: Delay, now: datetime, rules: DelayRules) -> bool:
    """Return whether the customer, who knows of the wait from us, should be told that it is over."""
    if rules.ended_useful is None or delay.closed_at is None or delay.told_at is None or delay.told_cancelled:
        return False
    known = delay.closed_at - delay.told_at >= _COUNTS_AS_READ
    return known and ended_on_record(delay) and now < later(delay.closed_at, rules.ended_useful)


def ended_on_record(delay: Delay) -> bool:
    """Return whether somebody reported the end: the wait did not lapse, and the customer did not cancel."""
    return any(detail & DELIVERED or not detail for detail in _reported_ends(delay))


def lapsed(delay: Delay) -> bool:
    """Return whether the wait timed out, with no end reported."""
    return delay.closed_at is not None and not _reported_ends(delay)


def _reported_ends(delay: Delay) -> list[int]:
    """Return the details of the reported ends at the moment it ended; [] if nobody reported one."""
    end = None if delay.closed_at is None else to_millis(delay.closed_at)
    ends = (detail for at, what, detail in entries(delay.history) if at == end and what == ENDED)
    return [detail for detail in ends if not detail & NOBODY_WAITS]


def was_delivered(delay: Delay) -> bool:
    """Return whether the wait ended because its order or parcel was delivered."""
    return any(detail & DELIVERED for detail in _reported_ends(delay))


def offer_of(delay: Delay, wait: timedelta, rules: DelayRules) -> GestureOffer | None:
    """Return the gesture for this length of wait, None if there is none or it was given already."""
    if delay.closed_at is not None:
        return None
    if delay.cancelled:
        return rules.cancelled
    stage = rules.stage(wait)
    return rules.stages[stage].gesture if stage > delay.told_stage else None


def useful_until(delay: Delay, now: datetime, rules: DelayRules) -> datetime:
    """Return until when a letter is useful: during the wait or, if it was cancelled, while the customer looks for
    another way."""
    if delay.closed_at is not None and rules.ended_useful is not None:
        return later(delay.closed_at, rules.ended_useful)
    if delay.cancelled:
        return later(max(delay.promised_at, delay.as_of), rules.cancelled_useful)
    if delay.expected_at is not None and delay.expected_at > now:
        return delay.expected_at
    return later(max(delay.promised_at, now), rules.open_ended_useful)


def lapses_at(delay: Delay, rules: DelayRules) -> datetime:
    """Return when the wait times out, whether its end is reported or not."""
    return later(max(delay.expected_at or delay.promised_at, delay.promised_at, delay.as_of), rules.lapse)


def later(moment: datetime, by: timedelta) -> datetime:
    """Return ``moment + by``, at most the end of the calendar: some publishers write the year 9999 for an unknown
    time."""
    return _END_OF_TIME if by >= _END_OF_TIME - moment else moment + by


def tells(note: Outreach, policy: str, journey: str) -> bool:
    """Return whether it is a letter of that policy about that journey, alone or combined with others."""
    return note.policy == policy and (note.journey_id == journey or journey in note.journeys)


# -- promises that pass in silence -------------------------------------------------------------------------------------


def awaited_from(order: Order, now: datetime, rules: DelayRules) -> datetime | None:
    """Return from when silence about the order counts: from its promise, or from when we hear of it if that is
    later."""
    if rules.unannounced_after is None or order.promised_at is None or order.closed_at is not None:
        return order.awaited_from
    if order.awaited_from is not None and order.promised_at <= order.awaited_from:
        return order.awaited_from
    return max(order.promised_at, now)


def silent_at(order: Order, state: JourneyState, rules: DelayRules) -> datetime | None:
    """Return when the order's promise has passed in silence; None if a wait for it was reported."""
    if rules.unannounced_after is None or order.awaited_from is None or order.closed_at is not None:
        return None
    if order.promised_at is None or any(_covers_promise(delay, order) for delay in _waits_of(order, state)):
        return None
    due = later(order.awaited_from, rules.unannounced_after)
    return due if due < later(order.promised_at, rules.lapse) else None


def unannounced(order: Order, state: JourneyState, now: datetime, rules: DelayRules) -> Delay | None:
    """Return the wait that the order's broken promise, or its cancellation by us, begins without a notice; None if
    there is none."""
    due = silent_at(order, state, rules)
    if due is not None and due <= now:
        return _wait(order, due)
    wait = _cancelled_wait(order, state)
    return wait if wait is not None and now < useful_until(wait, now, rules) else None


def unannounced_too_late(order: Order, state: JourneyState, now: datetime, rules: DelayRules) -> Delay | None:
    """Return the wait that the order's cancellation by us would have begun, had it been reported in time."""
    wait = _cancelled_wait(order, state)
    return wait if wait is not None and now >= useful_until(wait, now, rules) else None


def _cancelled_wait(order: Order, state: JourneyState) -> Delay | None:
    cancelled = _cancelled_by_us(order)
    if cancelled is None:
        return None
    for delay in _waits_of(order, state):
        if delay.cancelled or delay.closed_at is None or delay.closed_at >= cancelled:
            return None
    return replace(_wait(order, cancelled), cancelled=True, reason=DelayReason.OTHER)


def _wait(order: Order, opened_at: datetime) -> Delay:
    return Delay(
        subject_kind=order.kind,
        subject_id=order.subject_id or order.order_id,
        description=order.description,
        order_id=order.order_id,
        promised_at=order.promised_at or opened_at,
        cancelled=False,
        reason=DelayReason.PREDICTIVE,
        opened_at=opened_at,
        as_of=opened_at,
        named_at=opened_at,
        order_id_as_of=order.as_of,
        history=with_entry(b"", opened_at, BEGUN),
        by_day=order.by_day,
        unannounced=True,
    )


def _waits_of(order: Order, state: JourneyState) -> Iterator[Delay]:
    ids = {order.order_id, order.subject_id}
    return (delay for delay in state.delays if delay.order_id == order.order_id or delay.subject_id in ids)


def _covers_promise(delay: Delay, order: Order) -> bool:
    # a wait that ended before the promised time says nothing about whether the promise was kept
    return delay.closed_at is None or order.promised_at is None or delay.closed_at >= order.promised_at


def _cancelled_by_us(order: Order) -> datetime | None:
    if order.cancelled_at is None or order.delivered_at is not None:
        return None
    found = entries(history_of_order(order))
    if any(what == ENDED for _, what, _ in found):
        return None  # the customer cancelled it
    return order.cancelled_at if any(what == GIVEN_UP and detail & BY_US for _, what, detail in found) else None
