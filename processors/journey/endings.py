"""Remembers when pruned journeys ended, for as long as facts from before their end can arrive, so that a late fact does
not reopen one.

Sixteen bytes per end: eight of the digest of its name, six of its time, two of the day on which it was pruned.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from streams.clock import EPOCH, from_millis, to_millis
from streams.events import (
    ContactClosed,
    ContactOpened,
    ContactReplied,
    DelayEnded,
    DelayNoticed,
    ItemUnavailable,
    JourneyState,
    MentionPosted,
    OrderCancelled,
    OrderDelivered,
    OrderPlaced,
    OrderShipped,
    Touchpoint,
)

KEEP_ENDED = 100
"""How many ends of pruned journeys are remembered for one customer; the latest are kept."""

FACTS_ARRIVE = timedelta(days=120)
"""How long an end is remembered after the journey was pruned: touchpoints are kept for 30 days, and dead letters, which
can be republished, for 90."""

CONTACT, ORDER, DELAY, WISH, MENTION = "contacts", "orders", "delays", "wishes", "mentions"

_WIDTH, _NAME, _TIME = 16, 8, 6
_DAY = timedelta(days=1)


def ends_remembered(before: JourneyState, after: JourneyState, now: datetime) -> bytes:
    """Return the ends, with those of the journeys pruned between ``before`` and ``after``, and without the expired
    ones."""
    ended, today = before.ended, _day(now)
    for family, name_of in _NAMES.items():
        known, kept = getattr(before, family), getattr(after, family)
        if known is kept:
            continue
        stay = {id(one) for one in kept}
        for one in known:
            if id(one) not in stay and one.closed_at is not None:
                mark = _mark(family, name_of(one))
                past = _find(ended, mark)
                if past != -1:
                    ended = ended[:past] + ended[past + _WIDTH :]
                ended += mark + max(to_millis(one.closed_at), 0).to_bytes(_TIME, "big") + today.to_bytes(2, "big")
    ended = ended[-KEEP_ENDED * _WIDTH :]
    while stale(ended, now):
        ended = ended[_WIDTH:]
    return ended


def stale(ended: bytes, now: datetime) -> bool:
    """Return whether the oldest end has expired."""
    return bool(ended) and _day(now) - int.from_bytes(ended[_WIDTH - 2 : _WIDTH], "big") > FACTS_ARRIVE // _DAY


def is_from_before_its_end(ended: bytes, event: Touchpoint) -> bool:
    """Return whether the fact is about a pruned journey and occurred before its end."""
    for family, name in _things(event):
        at = _find(ended, _mark(family, name))
        if at != -1:
            millis = int.from_bytes(ended[at + _NAME : at + _NAME + _TIME], "big")
            if event.occurred_at <= from_millis(millis):
                return True
    return False


def _things(event: Touchpoint) -> tuple[tuple[str, str], ...]:
    match event:
        case ContactOpened(contact_id=name) | ContactClosed(contact_id=name):
            return ((CONTACT, name),)
        case ContactReplied(contact_id=name):
            return ((CONTACT, name), (MENTION, name))
        case OrderPlaced() | OrderShipped() | OrderDelivered() | OrderCancelled():
            return ((ORDER, event.order_id),)
        case DelayNoticed(order_id=str() as order):
            return ((DELAY, f"{event.subject_kind}/{event.subject_id}"), (ORDER, order))
        case DelayNoticed() | DelayEnded():
            return ((DELAY, f"{event.subject_kind}/{event.subject_id}"),)
        case ItemUnavailable(item_id=name):
            return ((WISH, name),)
        case MentionPosted(mention_id=name):
            return ((MENTION, name),)
        case _:
            return ()


_NAMES: Mapping[str, Callable[[Any], str]] = {
    CONTACT: lambda one: one.contact_id,
    ORDER: lambda one: one.order_id,
    DELAY: lambda one: f"{one.subject_kind}/{one.subject_id}",
    WISH: lambda one: one.item_id,
    MENTION: lambda one: one.mention_id,
}


def _day(now: datetime) -> int:
    return max((now - EPOCH) // _DAY, 0)


def _mark(family: str, name: str) -> bytes:
    return hashlib.blake2b(f"{family}/{name}".encode("utf-8", "replace"), digest_size=_NAME).digest()


def _find(ended: bytes, mark: bytes) -> int:
    at = ended.find(mark)
    while at != -1 and at % _WIDTH:  # a match across two entries does not count
        at = ended.find(mark, at + 1)
    return at
