"""``evolve(state, event) -> state``: what a fact changes. Total: a fact that does not apply changes nothing.

Facts may come late and out of order: what remains is the same in every order of arrival, and no end is undone by an
older beginning. Of two words the one that was said later counts (:mod:`.latest`), and what became of a thing is
worked out from everything that happened to it (:mod:`.history`). A fact that is dated ahead of its arrival counts as
of now. A moment that a fact cannot mean, as the year 9999, is not known (:mod:`streams.events.moments`).
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
    """The state after the fact. ``now`` is when it arrived."""
    fold = _FOLDS.get(type(event))
    if fold is None:
        return state
    known = within_limits(as_known(event, event.occurred_at))
    if known.occurred_at > now:
        known = replace(known, occurred_at=now)
    if state.ended and is_from_before_its_end(state.ended, known):
        return state
    return fold(state, known)
