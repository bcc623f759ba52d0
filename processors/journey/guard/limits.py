"""Frequency caps over rolling windows, and budgets for gestures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from processors.journey.actions import Want
from processors.journey.playbook import Budget, FrequencyCap, Playbook
from streams.durations import in_hours
from streams.events import Address, JourneyState, Outreach, OutreachChannel, Purpose


@dataclass(frozen=True, slots=True, kw_only=True)
class Full:
    """A frequency cap that is exhausted. ``by``: the policy that used it up in this same step, if one did."""

    cap: FrequencyCap
    until: datetime
    by: str | None


def within_caps(
    addresses: tuple[Address, ...], purpose: Purpose, state: JourneyState, now: datetime, playbook: Playbook
) -> tuple[tuple[Address, ...], Full | None]:
    """Return the addresses that the caps allow and, if there are none, the cap that frees up first."""
    for cap in playbook.caps:
        if cap.purpose is purpose and cap.channel is None and (full := _full(cap, state, now)) is not None:
            return (), full
    shut: dict[OutreachChannel, Full] = {}
    for cap in playbook.caps:
        if cap.purpose is purpose and cap.channel is not None and (full := _full(cap, state, now)) is not None:
            known = shut.get(cap.channel)
            shut[cap.channel] = full if known is None or full.until > known.until else known
    if not shut:
        return addresses, None
    left = tuple(address for address in addresses if address.channel not in shut)
    if left:
        return left, None
    return (), min((shut[address.channel] for address in addresses), key=lambda full: full.until)


def _full(cap: FrequencyCap, state: JourneyState, now: datetime) -> Full | None:
    within = sorted(
        (note for note in state.outreach if _counts(note, cap) and note.requested_at > now - cap.window),
        key=lambda note: note.requested_at,
    )
    if len(within) < cap.most:
        return None
    last = within[-1]
    by = last.policy if last.requested_at == now else None
    return Full(cap=cap, until=within[-cap.most].requested_at + cap.window, by=by)


def _counts(note: Outreach, cap: FrequencyCap) -> bool:
    if note.purpose is not cap.purpose or note.channel is OutreachChannel.AGENT_TASK:
        return False
    # a letter counts on every channel that it may still fall through to
    return cap.channel is None or cap.channel in (note.channels or (note.channel,))


def spent(state: JourneyState, since: datetime, currency: str) -> Decimal:
    """Return the cost of what the customer was given since ``since``, by policies and employees, in that currency."""
    ours = (note.cost for note in state.outreach if note.requested_at > since and note.currency == currency)
    return sum((cost for cost in ours if cost is not None), by_employees(state, since, currency))


def by_employees(state: JourneyState, since: datetime, currency: str, *, until: datetime | None = None) -> Decimal:
    """Return the cost of what employees gave the customer since ``since`` (and until ``until``), in that currency."""
    given = (one for one in state.gestures if one.currency == currency and one.occurred_at > since)
    return sum((one.cost for one in given if until is None or one.occurred_at <= until), Decimal(0))


def left_of(
    budgets: Iterable[Budget], state: JourneyState, now: datetime, currency: str
) -> tuple[Decimal, timedelta] | None:
    """Return what the tightest budget leaves for this customer, and its window; None if there is no budget."""
    left = [(budget.most - spent(state, now - budget.window, currency), budget.window) for budget in budgets]
    return min(left) if left else None


def affordable(want: Want, state: JourneyState, now: datetime, playbook: Playbook) -> Want:
    """Return the want, without its gesture if that costs more than the budget leaves; the letter itself is still
    sent."""
    if want.gesture is None or not want.gesture.cost:
        return want
    room = left_of(playbook.gesture_budgets, state, now, playbook.currency)
    if room is None or want.gesture.cost <= room[0]:
        return want
    left, window = max(room[0], Decimal(0)), in_hours(room[1])
    said = f"{want.gesture.code} costs {want.gesture.cost}; {left} is left in {window} hours"
    return replace(
        want,
        gesture=None,
        usual=want.usual or want.gesture,
        variables={name: "" if name.startswith("gesture_") else text for name, text in want.variables.items()},
        inputs={**want.inputs, "gesture_withheld": said},
    )
