"""What was decided, as a care lead would write it down: one line each, in the order in which it was decided."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from processors.journey.recording import Output
from streams.events import Decision, DecisionKind, OutreachRequested, OutreachRetracted


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line, and the decision that it tells; None where an earlier line's decision says why."""

    text: str
    decision: Decision | None


def told(outputs: Iterable[Output]) -> list[str]:
    """What was decided, one line each; a letter's decision and its request are one line.

    ========================================  =====================================================================
    ``send notice with free-book``            a letter, and its gesture
    ``send notice in the same letter``        told in the letter of another occasion
    ``hold notice until 10 Feb 07:00: WHY``   not now; decided again then (UTC)
    ``suppress notice: WHY``                  not at all
    ``take back notice: WHY``                 what was requested is retracted
    ``drop notice: WHY``                      what was held is not wanted any more
    ``replace the earlier letter``            the earlier letter is retracted, because the new one says more
    ``task rescue for TEAM by 09 Feb 14:00``  a task for staff
    ``escalate rescue for TEAM by ...``       a task for staff, because something was left undone
    ========================================  =====================================================================
    """
    return [line.text for line in lines_of(outputs)]


def lines_of(outputs: Iterable[Output]) -> list[Line]:
    """The lines of :func:`told`, each with its decision."""
    outputs = list(outputs)
    requests = {one.decision_id: one for one in outputs if isinstance(one, OutreachRequested)}
    retracted = {one.decision_id for one in outputs if isinstance(one, OutreachRetracted)}
    lines = []
    for one in outputs:
        if isinstance(one, Decision):
            text = _decided(one, requests.get(one.decision_id), taken_back=one.decision_id in retracted)
            lines.append(Line(text=text, decision=one))
        elif isinstance(one, OutreachRetracted) and one.reason == "revised":
            lines.append(Line(text="replace the earlier letter", decision=None))
    return lines


def _decided(one: Decision, request: OutreachRequested | None, *, taken_back: bool) -> str:
    match one:
        case Decision(kind=DecisionKind.SEND | DecisionKind.ESCALATE):
            return _sent(one, request)
        case Decision(kind=DecisionKind.HOLD, hold_until=datetime() as until):
            return f"hold {one.occasion} until {until:%d %b %H:%M}: {one.reason}"
        case Decision(kind=DecisionKind.RETRACT):
            return f"{'take back' if taken_back else 'drop'} {one.occasion}: {one.reason}"
        case _:
            return f"{one.kind.lower()} {one.occasion}: {one.reason}"


def _sent(one: Decision, request: OutreachRequested | None) -> str:
    if request is None:
        return f"send {one.occasion} in the same letter"
    if request.due_at is not None:
        verb = "escalate" if one.kind is DecisionKind.ESCALATE else "task"
        return f"{verb} {one.occasion} for {request.addresses[0].address} by {request.due_at:%d %b %H:%M}"
    gift = f" with {request.gesture.code}" if request.gesture else ""
    return f"send {one.occasion}{gift}"
