"""The state of one customer: how it begins, what it remembers, what it forgets."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from streams.events import JourneyState, Profile

DEDUPLICATION_BOUND = 64
"""Of each customer the latest so many event ids are remembered: a repeat within them changes nothing."""

KEEP_CLOSED = timedelta(days=30)
"""How long what is over stays in the state, counted from its end."""

KEEP_AT_MOST = 20
"""Of each family at most so many that are over."""

_DIGEST = 8


class _Journey(Protocol):
    @property
    def closed_at(self) -> datetime | None: ...


J = TypeVar("J", bound=_Journey)
T = TypeVar("T")


def begin(customer_id: str, now: datetime) -> JourneyState:
    """A customer nobody has heard of yet."""
    return JourneyState(
        customer_id=customer_id, revision=0, updated_at=now, profile=Profile(), touchpoints=0, recent_events=b""
    )


def digest(event_id: str) -> bytes:
    """The 8 bytes by which an event id is remembered."""
    return hashlib.blake2b(event_id.encode(), digest_size=_DIGEST).digest()


def seen(state: JourneyState, event_id: str) -> bool:
    """Whether the event is among the latest DEDUPLICATION_BOUND."""
    wanted, known = digest(event_id), state.recent_events
    at = known.find(wanted)
    while at != -1 and at % _DIGEST:  # a match across two digests is none
        at = known.find(wanted, at + 1)
    return at != -1


def remember(state: JourneyState, event_id: str) -> JourneyState:
    """The state with the event's id among the latest."""
    kept = (state.recent_events + digest(event_id))[-DEDUPLICATION_BOUND * _DIGEST :]
    return replace(state, recent_events=kept)


def put(items: tuple[T, ...], item: T, same: Callable[[T], Any]) -> tuple[T, ...]:
    """``items`` with ``item`` in the place of the one that has the same key, or at the end."""
    key = same(item)
    for at, existing in enumerate(items):
        if same(existing) == key:
            return (*items[:at], item, *items[at + 1 :])
    return (*items, item)


def prune(state: JourneyState, now: datetime) -> JourneyState:
    """The state without what is long over, so that it stays bounded however long a customer stays."""
    kept = replace(
        state,
        contacts=_current(state.contacts, now),
        orders=_current(state.orders, now),
        delays=_current(state.delays, now),
        wishes=_current(state.wishes, now),
        mentions=_current(state.mentions, now),
        moments=state.moments[-KEEP_AT_MOST:],
        notes=state.notes[-KEEP_AT_MOST:],
        outreach=tuple(note for note in state.outreach if note.requested_at > now - KEEP_CLOSED)[-3 * KEEP_AT_MOST :],
    )
    return state if kept == state else kept


def _current(journeys: tuple[J, ...], now: datetime) -> tuple[J, ...]:
    over = [journey for journey in journeys if journey.closed_at is not None]
    if not over:
        return journeys
    forgotten = {id(journey) for journey in over[:-KEEP_AT_MOST]}
    forgotten |= {id(journey) for journey in over if journey.closed_at and journey.closed_at <= now - KEEP_CLOSED}
    return tuple(journey for journey in journeys if id(journey) not in forgotten) if forgotten else journeys
