"""``evolve(state, event) -> state``: what a fact changes. Total: a fact that does not apply changes nothing.

Facts may come late and out of order: each is folded by when it occurred and never undoes a later one. A moment that a
fact cannot mean, as the year 9999, is not known (:mod:`streams.events.moments`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from processors.journey.evolve import contacts, delays, merging, orders, outcomes, profile, voice
from processors.journey.evolve.limits import within_limits
from streams.events import JourneyState, Touchpoint
from streams.events.moments import as_known

Fold = Callable[[JourneyState, Any], JourneyState]

_FOLDS: Mapping[type[Any], Fold] = {
    **contacts.FOLDS,
    **orders.FOLDS,
    **delays.FOLDS,
    **voice.FOLDS,
    **profile.FOLDS,
    **merging.FOLDS,
    **outcomes.FOLDS,
}


def evolve(state: JourneyState, event: Touchpoint) -> JourneyState:
    """The state after the fact."""
    fold = _FOLDS.get(type(event))
    return state if fold is None else fold(state, within_limits(as_known(event, event.occurred_at)))
