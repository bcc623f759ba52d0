"""Who the customer is and what they allow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from processors.journey.state import put
from streams.events import (
    Consent,
    ConsentChanged,
    ConsentStatus,
    JourneyState,
    MergeSide,
    Profile,
    ProfilesMerged,
    ProfileUpdated,
    replace,
)
from streams.zones import as_iana


def updated(state: JourneyState, event: ProfileUpdated) -> JourneyState:
    """What the customer told of themselves; an older telling fills only what is still unknown."""
    known = state.profile
    late = known.as_of is not None and event.occurred_at < known.as_of
    said = Profile(
        name=event.name,
        locale=event.locale,
        time_zone=as_iana(event.time_zone),
        addresses=event.addresses or (),
        as_of=event.occurred_at,
    )
    newer, older = (known, said) if late else (said, known)
    profile = Profile(
        name=newer.name if newer.name is not None else older.name,
        locale=newer.locale if newer.locale is not None else older.locale,
        time_zone=newer.time_zone if newer.time_zone is not None else older.time_zone,
        addresses=newer.addresses if late or event.addresses is not None else older.addresses,
        as_of=newer.as_of,
    )
    if late and not known.addresses:
        profile = replace(profile, addresses=said.addresses)
    return replace(state, profile=profile)


def consent(state: JourneyState, event: ConsentChanged) -> JourneyState:
    """The latest word on a channel and purpose counts; of two at the same moment the more careful."""
    said = Consent(channel=event.channel, purpose=event.purpose, status=event.status, as_of=event.occurred_at)
    for known in state.consents:
        if _about(known) == _about(said) and _weight(known) >= _weight(said):
            return state
    return replace(state, consents=put(state.consents, said, _about))


def merged(state: JourneyState, event: ProfilesMerged) -> JourneyState:
    """Two records, one person."""
    if event.other_customer_id == state.customer_id:
        return state
    if event.side is MergeSide.ABSORBED:
        return replace(state, merged_into=event.other_customer_id)
    if event.other_customer_id in state.merged_from:
        return state
    return replace(state, merged_from=(*state.merged_from, event.other_customer_id))


def _weight(consent: Consent) -> tuple[datetime, bool, str]:
    # whatever order they arrive in, the same word counts
    return (consent.as_of, consent.status is not ConsentStatus.GRANTED, consent.status)


def _about(consent: Consent) -> tuple[str | None, str]:
    return (consent.channel, consent.purpose)


FOLDS: Mapping[type[Any], Callable[[JourneyState, Any], JourneyState]] = {
    ProfileUpdated: updated,
    ConsentChanged: consent,
    ProfilesMerged: merged,
}
