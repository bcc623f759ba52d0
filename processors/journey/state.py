"""The state of one customer: how it begins, what it remembers, what is pruned."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from processors.journey.endings import ends_remembered, stale
from streams.addresses import canonical
from streams.events import (
    Assignment,
    Consent,
    ConsentStatus,
    FeedbackKind,
    Given,
    JourneyState,
    Merge,
    MergeSide,
    Moment,
    Profile,
    Sentiment,
    Settled,
    Suppression,
    replace,
)

DEDUPLICATION_BOUND = 64
"""How many event ids are remembered for each customer; the latest are kept, and a repeat of one changes nothing."""

KEEP_CLOSED = timedelta(days=30)
"""How long a closed journey stays in the state, counted from its end."""

KEEP_AT_MOST = 20
"""Maximum closed journeys of each kind."""

KEEP_OPEN = 40
"""Maximum open journeys of each kind; beyond it, the one without news for longest is dropped."""

KEEP_WAITS = 100
"""Maximum open waits, instead of KEEP_OPEN."""

KEEP_OUTREACH = 60
"""Maximum letters, the latest; a frequency cap cannot count more."""

KEEP_SETTLED = 80
"""Maximum settled steps, the latest."""

_DIGEST = 8


class _Journey(Protocol):
    @property
    def as_of(self) -> datetime: ...

    @property
    def closed_at(self) -> datetime | None: ...


J = TypeVar("J", bound=_Journey)
T = TypeVar("T")


def begin(customer_id: str, now: datetime) -> JourneyState:
    """Return the state of a new customer."""
    return JourneyState(
        customer_id=customer_id, revision=0, updated_at=now, profile=Profile(), touchpoints=0, recent_events=b""
    )


def digest(event_id: str) -> bytes:
    """Return the 8 bytes by which an event id is remembered."""
    return hashlib.blake2b(event_id.encode(), digest_size=_DIGEST).digest()


def seen(known: bytes, wanted: bytes) -> bool:
    """Return whether an event's digest is among the latest DEDUPLICATION_BOUND."""
    at = known.find(wanted)
    while at != -1 and at % _DIGEST:  # a match across two digests does not count
        at = known.find(wanted, at + 1)
    return at != -1


def remembered(known: bytes, event: bytes) -> bytes:
    """Return the digests with the event's added, limited to the latest."""
    return (known + event)[-DEDUPLICATION_BOUND * _DIGEST :]


def put(
    items: tuple[T, ...], item: T, same: Callable[[T], Any], *, in_order: Callable[[T], Any] | None = None
) -> tuple[T, ...]:
    """Return ``items`` with ``item`` in place of the one with the same key, or at the end. With ``in_order`` they are
    sorted, so that the order of arrival does not matter."""
    key = same(item)
    for at, existing in enumerate(items):
        if same(existing) == key:
            items = (*items[:at], item, *items[at + 1 :])
            break
    else:
        items = (*items, item)
    return items if in_order is None or len(items) == 1 else tuple(sorted(items, key=in_order))


def prune(state: JourneyState, now: datetime) -> JourneyState:
    """Return the state without what ended long ago, so that its size stays bounded."""
    contacts = _current(state.contacts, now)
    orders = _current(state.orders, now)
    delays = _current(state.delays, now, most_open=KEEP_WAITS)
    wishes = _current(state.wishes, now)
    mentions = _current(state.mentions, now)
    moments = _remembered_moments(state.moments)
    notes = _latest(state.notes, KEEP_AT_MOST)
    outreach = state.outreach
    if outreach and outreach[0].requested_at <= now - KEEP_CLOSED:
        outreach = tuple(note for note in outreach if note.requested_at > now - KEEP_CLOSED)
    outreach = _latest(outreach, KEEP_OUTREACH)
    consents = _inherited(state.consents, lambda one: (one.channel, one.purpose, one.from_customer_id))
    suppressions = _inherited(
        _in_force(state), lambda one: (one.channel, one.address, one.purpose, one.reason, one.from_customer_id)
    )
    settled = _settled(state.settled, now)
    gestures = _given(state.gestures, now)
    assignments = _assigned(state)
    merged_from = _latest(state.merged_from, KEEP_OPEN)
    merges = _merges(state.merges)
    if (
        contacts is state.contacts
        and orders is state.orders
        and delays is state.delays
        and wishes is state.wishes
        and mentions is state.mentions
        and moments is state.moments
        and notes is state.notes
        and outreach is state.outreach
        and consents is state.consents
        and suppressions is state.suppressions
        and settled is state.settled
        and gestures is state.gestures
        and assignments is state.assignments
        and merged_from is state.merged_from
        and merges is state.merges
        and not stale(state.ended, now)
    ):
        return state
    pruned = replace(
        state,
        contacts=contacts,
        orders=orders,
        delays=delays,
        wishes=wishes,
        mentions=mentions,
        moments=moments,
        notes=notes,
        outreach=outreach,
        consents=consents,
        suppressions=suppressions,
        settled=settled,
        gestures=gestures,
        assignments=assignments,
        merged_from=merged_from,
        merges=merges,
    )
    return replace(pruned, ended=ends_remembered(state, pruned, now))


def _in_force(state: JourneyState) -> tuple[Suppression, ...]:
    """Return all suppressed channels, the suppressed addresses that the customer has today, and the latest of their
    former ones."""
    if len(state.suppressions) <= KEEP_OPEN:
        return state.suppressions
    today = {(known.channel, canonical(known.channel, known.address)) for known in state.profile.addresses}
    past = [
        closed
        for closed in state.suppressions
        if closed.address and (closed.channel, canonical(closed.channel, closed.address)) not in today
    ]
    forgotten = set(sorted(past, key=lambda closed: closed.as_of)[:-KEEP_OPEN])
    return tuple(one for one in state.suppressions if one not in forgotten) if forgotten else state.suppressions


Closing = TypeVar("Closing", Consent, Suppression)


def _inherited(items: tuple[Closing, ...], about: Callable[[Closing], Any]) -> tuple[Closing, ...]:
    """Combine what was inherited from merged records: beyond KEEP_OPEN records, the earliest are combined into one,
    with their latest opt-out. So no opt-out is dropped, however many there are."""
    latest: dict[str, datetime] = {}
    for one in items:
        if one.from_customer_id:
            latest[one.from_customer_id] = max(one.as_of, latest.get(one.from_customer_id, one.as_of))
    if len(latest) <= KEEP_OPEN:
        return items
    together = set(sorted(latest, key=lambda record: (latest[record], record))[:-KEEP_OPEN])
    kept: tuple[Closing, ...] = tuple(one for one in items if one.from_customer_id not in together)
    for one in items:
        if one.from_customer_id not in together or getattr(one, "status", None) is ConsentStatus.GRANTED:
            continue
        same = replace(one, from_customer_id="")
        known = next((other for other in kept if about(other) == about(same)), None)
        if known is None or known.as_of < same.as_of:
            kept = put(kept, same, about)
    return kept


def _merges(merges: tuple[Merge, ...]) -> tuple[Merge, ...]:
    """Return the latest merges, and the one that says where this record went."""
    if len(merges) <= KEEP_OPEN:
        return merges
    gone = [one for one in merges if one.side is MergeSide.ABSORBED]
    kept = {id(one) for one in (*merges[-KEEP_OPEN:], *sorted(gone, key=lambda one: one.as_of)[-1:])}
    return tuple(one for one in merges if id(one) in kept)


def memorable(moment: Moment) -> bool:
    """Return whether the feedback is worth keeping for years: praise, or a story that is not marked as negative."""
    told = moment.kind in (FeedbackKind.PRAISE, FeedbackKind.STORY)
    return told and moment.sentiment in (Sentiment.POSITIVE, Sentiment.UNKNOWN)


def _remembered_moments(moments: tuple[Moment, ...]) -> tuple[Moment, ...]:
    """Return the latest moments, and the latest of those worth keeping for years, in their order."""
    if len(moments) <= KEEP_AT_MOST:
        return moments
    kept = {id(moment) for moment in moments[-KEEP_AT_MOST:]}
    kept |= {id(moment) for moment in [one for one in moments if memorable(one)][-KEEP_AT_MOST:]}
    return moments if len(kept) == len(moments) else tuple(moment for moment in moments if id(moment) in kept)


def _settled(settled: tuple[Settled, ...], now: datetime) -> tuple[Settled, ...]:
    if not settled or (len(settled) <= KEEP_SETTLED and settled[0].as_of > now - 2 * KEEP_CLOSED):
        return settled
    current = tuple(one for one in settled if one.held_until is not None or one.as_of > now - 2 * KEEP_CLOSED)
    return _latest(current, KEEP_SETTLED) if len(current) < len(settled) else _latest(settled, KEEP_SETTLED)


def _given(gestures: tuple[Given, ...], now: datetime) -> tuple[Given, ...]:
    if not gestures or (len(gestures) <= KEEP_OPEN and gestures[0].occurred_at > now - KEEP_CLOSED):
        return gestures
    current = tuple(one for one in gestures if one.occurred_at > now - KEEP_CLOSED)
    return _latest(current, KEEP_OPEN)


def _assigned(state: JourneyState) -> tuple[Assignment, ...]:
    """Return the customer's own assignments, and the latest of their cases', which the hash would give again."""
    known = state.assignments
    if len(known) <= KEEP_AT_MOST:
        return known
    of_cases = [one for one in known if one.unit != state.customer_id]
    forgotten = {id(one) for one in of_cases[:-KEEP_AT_MOST]}
    own = [one for one in known if one.unit == state.customer_id]
    forgotten |= {id(one) for one in own[:-KEEP_OPEN]}
    return tuple(one for one in known if id(one) not in forgotten) if forgotten else known


def _latest(items: tuple[T, ...], most: int) -> tuple[T, ...]:
    return items[-most:] if len(items) > most else items


def _current(journeys: tuple[J, ...], now: datetime, *, most_open: int = KEEP_OPEN) -> tuple[J, ...]:
    if len(journeys) <= KEEP_AT_MOST:  # usually there are few, and none ended long ago
        long_over = now - KEEP_CLOSED
        for journey in journeys:
            if journey.closed_at is not None and journey.closed_at <= long_over:
                break
        else:
            return journeys
    over = [(journey.closed_at, journey) for journey in journeys if journey.closed_at is not None]
    over.sort(key=lambda ended: ended[0])  # those that ended last are kept, whenever their facts arrived
    forgotten = {id(journey) for _, journey in over[:-KEEP_AT_MOST]}
    forgotten |= {id(journey) for ended_at, journey in over if ended_at <= now - KEEP_CLOSED}
    if len(journeys) - len(over) > most_open:
        still_open = sorted((one for one in journeys if one.closed_at is None), key=lambda one: one.as_of)
        forgotten |= {id(journey) for journey in still_open[:-most_open]}
    return tuple(journey for journey in journeys if id(journey) not in forgotten) if forgotten else journeys
