"""Folds merges: decides which record remains, and what merged records inherit from one another.

The result does not depend on the order of arrival: the latest merge of a pair decides which record remains, and of all
statements to a record the latest counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from processors.journey.evolve.latest import counts
from processors.journey.evolve.outcomes import suppressed
from processors.journey.evolve.profile import said
from processors.journey.state import put
from streams.events import JourneyState, Merge, MergeSide, ProfilesMerged, replace

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
"""Stands for an unknown time, and is earlier than any known one."""


def merged(state: JourneyState, event: ProfilesMerged) -> JourneyState:
    """Record that two records are one person. If they are merged in both directions, the latest merge counts."""
    other = event.other_customer_id
    if other in ("", state.customer_id):
        return state
    word = Merge(other_customer_id=other, side=event.side, as_of=event.occurred_at)
    merges = known_merges(state)
    known = next((one for one in merges if one.other_customer_id == other), None)
    if known is None or counts(_stays(state, word), word.as_of, _stays(state, known), known.as_of):
        merges = put(merges, word, _other, in_order=_merges_in_order)
        gone_into = max(
            (one for one in merges if one.side is MergeSide.ABSORBED),
            key=lambda one: (one.as_of, one.other_customer_id),
            default=None,
        )
        state = replace(
            state,
            merges=merges,
            merged_into=None if gone_into is None else gone_into.other_customer_id,
            merged_from=tuple(one.other_customer_id for one in merges if one.side is MergeSide.SURVIVOR),
        )
    return _inherited(state, event)


def known_merges(state: JourneyState) -> tuple[Merge, ...]:
    """Return the merges, including those in older states, which were kept without a time."""
    merges = state.merges
    if len(merges) == len(state.merged_from) + (state.merged_into is not None):
        return merges
    told = {one.other_customer_id for one in merges}
    sides = [(one, MergeSide.SURVIVOR) for one in state.merged_from]
    if state.merged_into is not None:
        sides.append((state.merged_into, MergeSide.ABSORBED))
    older = (Merge(other_customer_id=one, side=side, as_of=LONG_AGO) for one, side in sides if one not in told)
    return (*older, *merges)


def _inherited(state: JourneyState, event: ProfilesMerged) -> JourneyState:
    if not event.told:
        return state
    own = state.customer_id
    for one in event.consents:
        record = one.from_customer_id or event.other_customer_id
        if record != own:
            state = said(state, replace(one, from_customer_id=record))
    for closed in event.suppressions:
        record = closed.from_customer_id or event.other_customer_id
        if record != own:
            state = suppressed(state, replace(closed, from_customer_id=record))
    for step in event.settled:
        key = (step.policy, step.journey_id, step.occasion)
        if all((one.policy, one.journey_id, one.occasion) != key for one in state.settled):
            state = replace(state, settled=(*state.settled, step))
    return state


def _stays(state: JourneyState, one: Merge) -> str:
    # both records must agree, even if each was declared the remaining one in the same millisecond
    return state.customer_id if one.side is MergeSide.SURVIVOR else one.other_customer_id


def _other(one: Merge) -> str:
    return one.other_customer_id


def _merges_in_order(one: Merge) -> tuple[datetime, str]:
    return (one.as_of, one.other_customer_id)


FOLDS: Mapping[type[Any], Callable[[JourneyState, Any], JourneyState]] = {ProfilesMerged: merged}
