"""What became of our outreach. A bounce or a complaint closes the address for good."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from processors.journey.state import put
from streams.events import (
    Engagement,
    FailureReason,
    JourneyState,
    Outreach,
    OutreachEngaged,
    OutreachFailed,
    OutreachSent,
    OutreachUncertain,
    Suppression,
)

Outcome = OutreachSent | OutreachFailed | OutreachUncertain | OutreachEngaged


def _fold(state: JourneyState, event: Outcome) -> JourneyState:
    note = next((item for item in state.outreach if item.outreach_id == event.outreach_id), None)
    if note is None or (note.outcome_at is not None and event.occurred_at < note.outcome_at):
        return state
    said = replace(note, outcome=_said(event), outcome_at=event.occurred_at)
    state = replace(state, outreach=put(state.outreach, said, lambda item: item.outreach_id))
    return _suppress(state, note, event)


def _said(event: Outcome) -> str:
    match event:
        case OutreachSent():
            return "sent"
        case OutreachUncertain():
            return "uncertain"
        case OutreachFailed():
            return f"failed: {event.reason.lower()}"
        case OutreachEngaged():
            return event.kind.lower()


def _suppress(state: JourneyState, note: Outreach, event: Outcome) -> JourneyState:
    match event:
        case OutreachFailed(reason=FailureReason.BOUNCED):
            reason = "bounced"
        case OutreachEngaged(kind=Engagement.COMPLAINED):
            reason = "complained"
        case OutreachEngaged(kind=Engagement.UNSUBSCRIBED):
            reason = "unsubscribed"
        case _:
            return state
    closed = Suppression(channel=note.channel, address=note.address, reason=reason, as_of=event.occurred_at)
    return replace(state, suppressions=put(state.suppressions, closed, lambda item: (item.channel, item.address)))


FOLDS: Mapping[type[Any], Callable[[JourneyState, Any], JourneyState]] = {
    OutreachSent: _fold,
    OutreachFailed: _fold,
    OutreachUncertain: _fold,
    OutreachEngaged: _fold,
}
