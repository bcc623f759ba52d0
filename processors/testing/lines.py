"""Formats decisions as a care lead would write them down: one line each, in the order they were made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from processors.journey.recording import Output
from streams.events import Decision, DecisionKind, OutreachRequested, OutreachRetracted


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line and its decision; None if an earlier line's decision explains it."""

    text: str
    decision: Decision | None


def told(outputs: Iterable[Output]) -> list[str]:
    """Return the decisions, one line each; a letter's decision and its request share a line.

    ========================================  =====================================================================
    ``send notice with free-book``            a letter, and its gesture
    ``send notice in the same letter``        combined with the letter of another occasion
    ``hold notice until 10 Feb 07:00: WHY``   held, and decided again then (UTC)
    ``suppress notice: WHY``                  not sent
    ``take back notice: WHY``                 a requested letter is retracted
    ``drop notice: WHY``                      a held letter is released unsent
    ``replace the earlier letter``            the earlier letter is retracted, because the new one says more
    ``task rescue for TEAM by 09 Feb 14:00``  a task for staff
    ``escalate rescue for TEAM by ...``       a task for staff, because an earlier one was not done
    ========================================  =====================================================================
    """
    return [line.text for line in lines_of(outputs)]


def lines_of(outputs: Iterable[Output]) -> list[Line]:
    """Return the lines of :func:`told`, each with its decision."""
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
