"""Erasure: deletes everything known about a customer, and keeps earlier facts from bringing anything back.

What stays is a mark without personal data: the customer's key, and the time up to which facts are ignored.
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
"""How long the mark of an erased customer is kept, counted from when the erasure was handled.

Touchpoints are kept for 30 days, and dead letters, which may be republished, for 90; so none of our topics delivers a
fact older than 120 days. A publisher that is more than a year behind creates an erased customer anew.
"""

OUTCOMES = (OutreachSent, OutreachFailed, OutreachUncertain, OutreachEngaged)


def changes_nothing(state: JourneyState | None, event: Touchpoint) -> bool:
    """Return whether to ignore the fact: it is from before the erasure, an outcome of an unknown customer, or a report
    that matches no letter.

    An outcome never creates a customer, except an opt-out, which is kept even of an unknown customer.
    """
    if state is not None and state.erased_at is not None and event.occurred_at <= state.erased_at:
        return True
    if is_unfounded(state, event):
        return True
    unknown = state is None or state.is_erased
    return unknown and isinstance(event, OUTCOMES) and not is_a_no(event)


def is_a_no(event: Touchpoint) -> bool:
    """Return whether the event is an opt-out: an unsubscription or a complaint."""
    return isinstance(event, OutreachEngaged) and event.kind in (Engagement.UNSUBSCRIBED, Engagement.COMPLAINED)


def erased(state: JourneyState | None, event: CustomerErased, *, now: datetime) -> JourneyState:
    """Return what is kept of the customer from now on.

    Facts that happened after the erasure but were folded before it arrived are deleted too, because they cannot be told
    apart any more; a copy of one brings nothing back.
    """
    before = state if state is not None else begin(event.customer_id, now)
    until = [min(event.occurred_at, now)]  # an erasure dated in the future must not cover later facts
    until += [at for at in (before.erased_at, before.last_touchpoint_at) if at is not None]
    return replace(
        begin(event.customer_id, now),
        revision=before.revision + 1,
        erased_at=max(until),
        wake_at=now + KEEP_MARK,
    )


def last_words(state: JourneyState, event: CustomerErased, now: datetime, playbook: Playbook) -> tuple[Output, ...]:
    """Return the outputs of an erasure: it retracts every letter that is still on its way, and erases the records that
    were merged into this one."""
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
    """Return the mark at ``now``: None once it has expired, unless the customer has opted out since the erasure."""
    if state.wake_at is None or now < state.wake_at:
        return state
    if not state.suppressions:
        return None
    return replace(state, erased_at=None, wake_at=None, revision=state.revision + 1, updated_at=now)
