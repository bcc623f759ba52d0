"""Erasure: everything known is forgotten, and nothing from before it brings anything back.

What stays is a mark without personal data: the customer's key, and up to when facts change nothing.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from processors.journey.actions import Recall
from processors.journey.identity import forwarded_event_id
from processors.journey.playbook import Playbook
from processors.journey.recording import Output, enact
from processors.journey.reported import is_unfounded
from processors.journey.state import begin
from streams.events import (
    CustomerErased,
    Engagement,
    JourneyState,
    OutreachEngaged,
    OutreachFailed,
    OutreachSent,
    OutreachUncertain,
    Touchpoint,
    replace,
)

KEEP_MARK = timedelta(days=365)
"""How long the mark of an erased customer stays, counted from the erasure's handling.

Touchpoints are kept for 30 days and dead letters, which may be republished, for 90; so nothing of ours hands on a fact
that is older than 120 days. A publisher that is behind by more than a year tells of an erased customer as of a new one.
"""

OUTCOMES = (OutreachSent, OutreachFailed, OutreachUncertain, OutreachEngaged)


def changes_nothing(state: JourneyState | None, event: Touchpoint) -> bool:
    """Whether the fact is from before the customer's erasure, an outcome of nobody's, or a report that fits no letter.

    An outcome never begins a customer, but where it is a customer's own no: that is kept, even of a stranger.
    """
    if state is not None and state.erased_at is not None and event.occurred_at <= state.erased_at:
        return True
    if is_unfounded(state, event):
        return True
    unknown = state is None or state.is_erased
    return unknown and isinstance(event, OUTCOMES) and not is_a_no(event)


def is_a_no(event: Touchpoint) -> bool:
    """Whether the customer says by it that they want no more."""
    return isinstance(event, OutreachEngaged) and event.kind in (Engagement.UNSUBSCRIBED, Engagement.COMPLAINED)


def erased(state: JourneyState | None, event: CustomerErased, *, now: datetime) -> JourneyState:
    """What is kept of the customer from now on.

    What happened after the erasure and was folded before it came is forgotten too, as nobody can tell them apart any
    more; a copy of it brings nothing back.
    """
    before = state if state is not None else begin(event.customer_id, now)
    until = [min(event.occurred_at, now)]  # dated ahead, it would forget what has yet to happen
    until += [at for at in (before.erased_at, before.last_touchpoint_at) if at is not None]
    return replace(
        begin(event.customer_id, now),
        revision=before.revision + 1,
        erased_at=max(until),
        wake_at=now + KEEP_MARK,
    )


def last_words(state: JourneyState, event: CustomerErased, now: datetime, playbook: Playbook) -> tuple[Output, ...]:
    """What is still on its way to somebody who asked to be forgotten is taken back, and the records that turned out to
    be theirs are erased with it."""
    outputs: list[Output] = []
    for note in state.outreach:
        if note.retracted_at is None and note.useful_until > now:
            recall = Recall.of(note, reason="erased", explanation="the customer asked to be forgotten")
            outputs += enact(state, recall, now=now, playbook=playbook, trigger=event)[1]
    for other in state.merged_from:
        identity = forwarded_event_id(event.event_id, other)
        outputs.append(replace(event, event_id=identity, customer_id=other))
    return tuple(outputs)


def mark_ends(state: JourneyState, now: datetime) -> JourneyState | None:
    """The mark at ``now``: once it has stayed long enough there is none, but for a no that was said since."""
    if state.wake_at is None or now < state.wake_at:
        return state
    if not state.suppressions:
        return None
    return replace(state, erased_at=None, wake_at=None, revision=state.revision + 1, updated_at=now)
