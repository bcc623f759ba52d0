"""What became of our outreach. A bounce closes its address, a complaint or an unsubscription the channel."""

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
    state = _suppress(state, note, event)  # a no is a no, also if it comes late or to a letter of long ago
    if note is None:
        return state
    said = replace(note, channels=(event.channel,)) if isinstance(event, OutreachSent) else note
    if counts(_said(event), event.occurred_at, note.outcome, note.outcome_at):
        said = replace(said, outcome=_said(event), outcome_at=event.occurred_at)
    return replace(state, outreach=put(state.outreach, said, lambda item: item.outreach_id))


def _redeemed(state: JourneyState, note: Outreach | None, event: Outcome) -> JourneyState:
    """The customer came back with what we gave them instead: the first time is when."""
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
    """What we set ourselves to do is done: the post is answered, the bad day made good. The first time is when."""
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
    """A bounce is the address's fault and closes that address. An unsubscription or a complaint is the customer's word
    and closes the channel: whoever wants no e-mail wants none at another address either."""
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
            said = event.detail if note is None else note.purpose  # a link in an old letter says itself what it ends
            if said == Purpose.MARKETING:
                purpose = Purpose.MARKETING  # whoever wants no offers still wants to know that their flight is late
        case _:
            return state
    channel = event.channel
    if channel is OutreachChannel.OTHER and note is not None:
        channel = note.channel
    return suppressed(
        state, Suppression(channel=channel, address="", reason=reason, as_of=event.occurred_at, purpose=purpose)
    )


def suppressed(state: JourneyState, closed: Suppression) -> JourneyState:
    """The state that knows of the closed address or channel; of the same no the latest counts."""
    known = next((one for one in state.suppressions if _same(one) == _same(closed)), None)
    if known is not None and not counts(closed, closed.as_of, known, known.as_of):
        return state
    return replace(state, suppressions=put(state.suppressions, closed, _same, in_order=_suppressions_in_order))


def _bounced(state: JourneyState, note: Outreach | None, event: OutreachFailed) -> tuple[Address, ...]:
    """The address the letter went to. Where that is not known any more, or it went out on another channel than it was
    meant for, the one on that channel; with several it may have come from any, and closes none."""
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
