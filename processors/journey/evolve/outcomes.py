"""What became of our outreach. A bounce or a complaint closes the address for good."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from processors.journey.state import put
from streams.events import (
    Address,
    Engagement,
    FailureReason,
    JourneyState,
    Outreach,
    OutreachChannel,
    OutreachEngaged,
    OutreachFailed,
    OutreachSent,
    OutreachUncertain,
    Suppression,
    replace,
)

Outcome = OutreachSent | OutreachFailed | OutreachUncertain | OutreachEngaged


def _fold(state: JourneyState, event: Outcome) -> JourneyState:
    note = next((item for item in state.outreach if item.outreach_id == event.outreach_id), None)
    state = _suppress(state, note, event)  # a no is a no, also if it comes late or to a letter of long ago
    if note is None or (note.outcome_at is not None and event.occurred_at < note.outcome_at):
        return state
    said = replace(note, outcome=_said(event), outcome_at=event.occurred_at)
    return replace(state, outreach=put(state.outreach, said, lambda item: item.outreach_id))


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


def _suppress(state: JourneyState, note: Outreach | None, event: Outcome) -> JourneyState:
    match event:
        case OutreachFailed(reason=FailureReason.BOUNCED):
            reason = "bounced"
        case OutreachEngaged(kind=Engagement.COMPLAINED):
            reason = "complained"
        case OutreachEngaged(kind=Engagement.UNSUBSCRIBED):
            reason = "unsubscribed"
        case _:
            return state
    for address in _addresses(state, note, event):
        closed = Suppression(channel=address.channel, address=address.address, reason=reason, as_of=event.occurred_at)
        known = next((item for item in state.suppressions if _same(item) == _same(closed)), None)
        if known is None or (known.as_of, known.reason) < (closed.as_of, closed.reason):
            state = replace(state, suppressions=put(state.suppressions, closed, _same))
    return state


def _addresses(state: JourneyState, note: Outreach | None, event: Outcome) -> tuple[Address, ...]:
    """The address the letter went to. Where that is not known any more, or it went out on another channel than it was
    meant for, every address on that channel; but a bounce closes none that it may not have come from."""
    if note is not None and event.channel in (note.channel, OutreachChannel.OTHER):
        return (Address(channel=note.channel, address=note.address),)
    likely = tuple(address for address in state.profile.addresses if address.channel is event.channel)
    return () if isinstance(event, OutreachFailed) and len(likely) > 1 else likely


def _same(closed: Suppression) -> tuple[OutreachChannel, str]:
    return (closed.channel, closed.address)


FOLDS: Mapping[type[Any], Callable[[JourneyState, Any], JourneyState]] = {
    OutreachSent: _fold,
    OutreachFailed: _fold,
    OutreachUncertain: _fold,
    OutreachEngaged: _fold,
}
