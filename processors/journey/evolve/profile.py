"""Folds the customer's profile and consents."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from processors.journey.evolve.latest import counts, told
from processors.journey.state import put
from streams.events import (
    Consent,
    ConsentChanged,
    ConsentStatus,
    JourneyState,
    ProfileUpdated,
    replace,
)
from streams.zones import as_iana


def updated(state: JourneyState, event: ProfileUpdated) -> JourneyState:
    """Update the profile: each field keeps its latest value, and fields that the event does not set stay."""
    at, known = event.occurred_at, state.profile
    profile = told(told(known, "name", event.name, at), "locale", event.locale, at)
    profile = told(profile, "time_zone", as_iana(event.time_zone), at)
    profile = told(profile, "addresses", event.addresses, at)
    as_of = at if known.as_of is None else max(known.as_of, at)
    return replace(state, profile=replace(profile, as_of=as_of))


def consent(state: JourneyState, event: ConsentChanged) -> JourneyState:
    """Record a consent. The latest for a channel and purpose counts; of two at the same moment, the more restrictive
    one."""
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
    """Return the state with the consent. A reopening that an employee vouched for is kept, whatever is recorded
    later."""
    known = next((one for one in state.consents if _about(one) == _about(word)), None)
    latest = word if known is None or counts(_no(word), word.as_of, _no(known), known.as_of) else known
    vouched = [one.reopened_at for one in (known, word) if one is not None and one.reopened_at is not None]
    if vouched and latest.reopened_at != max(vouched):
        latest = replace(latest, reopened_at=max(vouched))
    if latest is known:
        return state
    return replace(state, consents=put(state.consents, latest, _about, in_order=_consents_in_order))


def _no(consent: Consent) -> tuple[int, str, int]:
    # of two consents at the same moment the more restrictive one
    careful = int(consent.status is not ConsentStatus.GRANTED)
    return (careful, consent.status.value, int(not consent.urgent_at_night))


def _consents_in_order(consent: Consent) -> tuple[str, str, str, bool]:
    record = consent.from_customer_id
    return (consent.channel or "", consent.purpose, record or "", record is None)


def _about(consent: Consent) -> tuple[str | None, str, str | None]:
    return (consent.channel, consent.purpose, consent.from_customer_id)


FOLDS: Mapping[type[Any], Callable[[JourneyState, Any], JourneyState]] = {
    ProfileUpdated: updated,
    ConsentChanged: consent,
}
