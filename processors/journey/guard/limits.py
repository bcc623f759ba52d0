"""How much is enough: frequency caps over rolling windows, and budgets for gestures."""

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
    """A cap that leaves no room now. ``by``: the policy that took the last of it in this very moment, if one did."""

    cap: FrequencyCap
    until: datetime
    by: str | None


def within_caps(
    addresses: tuple[Address, ...], purpose: Purpose, state: JourneyState, now: datetime, playbook: Playbook
) -> tuple[tuple[Address, ...], Full | None]:
    """The addresses that the caps leave, and, where they leave none, the cap that gives way first."""
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
    # one that may yet go out on another channel, should the first refuse it, counts there too
    return cap.channel is None or cap.channel in (note.channels or (note.channel,))


def spent(state: JourneyState, since: datetime, currency: str) -> Decimal:
    """What the customer was given since then, by us or by an employee, in that currency."""
    ours = (note.cost for note in state.outreach if note.requested_at > since and note.currency == currency)
    return sum((cost for cost in ours if cost is not None), by_employees(state, since, currency))


def by_employees(state: JourneyState, since: datetime, currency: str, *, until: datetime | None = None) -> Decimal:
    """What employees gave the customer since then (and no later than ``until``), in that currency."""
    given = (one for one in state.gestures if one.currency == currency and one.occurred_at > since)
    return sum((one.cost for one in given if until is None or one.occurred_at <= until), Decimal(0))


def left_of(
    budgets: Iterable[Budget], state: JourneyState, now: datetime, currency: str
) -> tuple[Decimal, timedelta] | None:
    """What the tightest of the budgets leaves for this customer, and its window; None where there is no budget."""
    left = [(budget.most - spent(state, now - budget.window, currency), budget.window) for budget in budgets]
    return min(left) if left else None


def affordable(want: Want, state: JourneyState, now: datetime, playbook: Playbook) -> Want:
    """The want as it is, or without its gesture where that is more than the budget leaves: the news matter more."""
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
