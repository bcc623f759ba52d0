"""``evolve(state, event) -> state``: applies a fact to the state. A fact that does not apply changes nothing.

Facts may arrive late and out of order: the result is the same in every order of arrival, and an older beginning never
reopens what has ended. Of two statements the later one counts (:mod:`.latest`), and the status of a thing is derived
from its whole history (:mod:`.history`). A fact dated after its arrival counts as of now. An impossible moment, such as
the year 9999, counts as unknown (:mod:`streams.events.moments`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from processors.journey.endings import is_from_before_its_end
from processors.journey.evolve import contacts, merging, orders, outcomes, profile, voice
from processors.journey.evolve.limits import within_limits
from streams.events import JourneyState, Touchpoint, replace
from streams.events.moments import as_known

Fold = Callable[[JourneyState, Any], JourneyState]

_FOLDS: Mapping[type[Any], Fold] = {
    **contacts.FOLDS,
    **orders.FOLDS,
    **voice.FOLDS,
    **profile.FOLDS,
    **merging.FOLDS,
    **outcomes.FOLDS,
}


def evolve(state: JourneyState, event: Touchpoint, now: datetime) -> JourneyState:
    """Return the state after the fact. ``now`` is when it arrived."""
    fold = _FOLDS.get(type(event))
    if fold is None:
        return state
    known = within_limits(as_known(event, event.occurred_at))
    if known.occurred_at > now:
        known = replace(known, occurred_at=now)
    if state.ended and is_from_before_its_end(state.ended, known):
        return state
    return fold(state, known)
