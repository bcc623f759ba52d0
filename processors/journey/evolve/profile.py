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
    Profile,
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
    vouched = event.reopened_by is not None and event.status is ConsentStatus.GRANTED
    word = Consent(
        channel=event.channel,
        purpose=event.purpose,
        status=event.status,
        as_of=event.occurred_at,
        reopened_at=event.occurred_at if vouched else None,
        urgent_at_night=event.urgent_at_night and event.status is ConsentStatus.GRANTED,
    )
    return said(state, word)


def said(state: JourneyState, word: Consent) -> JourneyState:
    """The state that knows of the word. That an employee vouched for the customer stays, whatever is said later."""
    known = next((one for one in state.consents if _about(one) == _about(word)), None)
    if known is None:
        return replace(state, consents=(*state.consents, word))
    latest = word if _weight(word) > _weight(known) else known
    vouched = [at for at in (known.reopened_at, word.reopened_at) if at is not None]
    if vouched and latest.reopened_at != max(vouched):
        latest = replace(latest, reopened_at=max(vouched))
    return state if latest is known else replace(state, consents=put(state.consents, latest, _about))


def _weight(consent: Consent) -> tuple[datetime, bool, str, bool]:
    # whatever order they arrive in, the same word counts
    return (consent.as_of, consent.status is not ConsentStatus.GRANTED, consent.status, not consent.urgent_at_night)


def _about(consent: Consent) -> tuple[str | None, str, str | None]:
    return (consent.channel, consent.purpose, consent.from_customer_id)


FOLDS: Mapping[type[Any], Callable[[JourneyState, Any], JourneyState]] = {
    ProfileUpdated: updated,
    ConsentChanged: consent,
}
