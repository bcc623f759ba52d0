"""Folds the outcomes of our outreach. A bounce suppresses the address, a complaint or an unsubscription the channel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from processors.journey.evolve.contacts import answered
from processors.journey.evolve.latest import counts
from processors.journey.feedback import journey_of
from processors.journey.naming import about, failed_for, journey_about
from processors.journey.state import put
from streams.addresses import canonical, distinct
from streams.events import (
    Address,
    AgentTaskDone,
    Engagement,
    FailureReason,
    JourneyState,
    Outreach,
    OutreachChannel,
    OutreachEngaged,
    OutreachFailed,
    OutreachSent,
    OutreachUncertain,
    Purpose,
    Suppression,
    replace,
)

Outcome = OutreachSent | OutreachFailed | OutreachUncertain | OutreachEngaged


def _fold(state: JourneyState, event: Outcome) -> JourneyState:
    note = next((item for item in state.outreach if item.outreach_id == event.outreach_id), None)
    state = _redeemed(state, note, event)
    state = _suppress(state, note, event)  # an opt-out counts even if it is late or its letter is no longer known
    if note is None:
        return state
    said = replace(note, channels=(event.channel,)) if isinstance(event, OutreachSent) else note
    if counts(_said(event), event.occurred_at, note.outcome, note.outcome_at):
        said = replace(said, outcome=_said(event), outcome_at=event.occurred_at)
    return replace(state, outreach=put(state.outreach, said, lambda item: item.outreach_id))


def _redeemed(state: JourneyState, note: Outreach | None, event: Outcome) -> JourneyState:
    """Record that the customer redeemed what we offered instead of the item; the first redemption counts."""
    if note is None or not isinstance(event, OutreachEngaged) or event.kind is not Engagement.REDEEMED:
        return state
    at = event.occurred_at
    for wish in state.wishes:
        ours = note.journey_id == journey_about("wish", wish.item_id)
        if ours and (wish.redeemed_at is None or at < wish.redeemed_at):
            used = replace(wish, redeemed_at=at, closed_at=min(wish.closed_at or at, at))
            return replace(state, wishes=put(state.wishes, used, lambda item: item.item_id))
    return state


def task_done(state: JourneyState, event: AgentTaskDone) -> JourneyState:
    """Record that a task was done: the post is answered, the bad feedback followed up. The first time counts."""
    at = event.occurred_at
    note = next((item for item in state.outreach if item.outreach_id == event.task_id), None)
    if note is None or note.channel is not OutreachChannel.AGENT_TASK or (note.done_at and note.done_at <= at):
        return state
    state = replace(
        state, outreach=put(state.outreach, replace(note, done_at=at), lambda item: item.outreach_id)
    )  # fmt: skip
    kind, name = about(note.journey_id)
    if kind == "mention":
        return answered(state, name, at)
    if kind == "feedback" and note.occasion == "recover":
        journey = note.journey_id
        moments = (replace(one, recovered_at=at) if journey_of(state, one) == journey else one for one in state.moments)
        return replace(state, moments=tuple(moments))
    return state


def _said(event: Outcome) -> str:
    match event:
        case OutreachSent():
            return "sent"
        case OutreachUncertain():
            return "uncertain"
        case OutreachFailed():
            return failed_for(event.reason)
        case OutreachEngaged():
            return event.kind.lower()


def _suppress(state: JourneyState, note: Outreach | None, event: Outcome) -> JourneyState:
    """Suppress an address after a bounce, and the channel after an unsubscription or a complaint: those are the
    customer's decision and hold for all their addresses there."""
    purpose: Purpose | None = None
    match event:
        case OutreachFailed(reason=FailureReason.BOUNCED):
            for address in _bounced(state, note, event):
                state = suppressed(
                    state,
                    Suppression(
                        channel=address.channel, address=address.address, reason="bounced", as_of=event.occurred_at
                    ),
                )
            return state
        case OutreachEngaged(kind=Engagement.COMPLAINED):
            reason = "complained"
        case OutreachEngaged(kind=Engagement.UNSUBSCRIBED):
            reason = "unsubscribed"
            said = event.detail if note is None else note.purpose  # the link in an old letter names its purpose
            if said == Purpose.MARKETING:
                purpose = Purpose.MARKETING  # service letters, such as those on a late flight, continue
        case _:
            return state
    channel = event.channel
    if channel is OutreachChannel.OTHER and note is not None:
        channel = note.channel
    return suppressed(
        state, Suppression(channel=channel, address="", reason=reason, as_of=event.occurred_at, purpose=purpose)
    )


def suppressed(state: JourneyState, closed: Suppression) -> JourneyState:
    """Return the state with the suppression; of two of the same kind the later counts."""
    known = next((one for one in state.suppressions if _same(one) == _same(closed)), None)
    if known is not None and not counts(closed, closed.as_of, known, known.as_of):
        return state
    return replace(state, suppressions=put(state.suppressions, closed, _same, in_order=_suppressions_in_order))


def _bounced(state: JourneyState, note: Outreach | None, event: OutreachFailed) -> tuple[Address, ...]:
    """Return the address that bounced. If the letter is unknown or was sent on another channel than planned, it is the
    customer's only address on that channel; with several of them it is unknown which one bounced, and () is
    returned."""
    if note is not None and event.channel in (note.channel, OutreachChannel.OTHER):
        return (Address(channel=note.channel, address=note.address),)
    likely = distinct(tuple(address for address in state.profile.addresses if address.channel is event.channel))
    return likely if len(likely) == 1 else ()


def _same(closed: Suppression) -> tuple[OutreachChannel, str, Purpose | None, str, str | None]:
    address = canonical(closed.channel, closed.address)
    return (closed.channel, address, closed.purpose, closed.reason, closed.from_customer_id)


def _suppressions_in_order(closed: Suppression) -> tuple[datetime, str, str, str, str]:
    return (
        closed.as_of,
        closed.channel,
        closed.address,
        closed.reason,
        repr((closed.purpose, closed.from_customer_id)),
    )


FOLDS: Mapping[type[Any], Callable[[JourneyState, Any], JourneyState]] = {
    OutreachSent: _fold,
    OutreachFailed: _fold,
    OutreachUncertain: _fold,
    OutreachEngaged: _fold,
    AgentTaskDone: task_done,
}
