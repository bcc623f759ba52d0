"""Hypothesis strategies for any touchpoint of any kind, in any order."""

from __future__ import annotations

import types
import typing
import uuid
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, get_args

from hypothesis import strategies as st

from streams.events import (
    ConsentChanged,
    DelayEnded,
    DelayNoticed,
    OutreachEngaged,
    OutreachFailed,
    OutreachSent,
    OutreachUncertain,
    ProfileUpdated,
    Touchpoint,
    Value,
)
from streams.events.sources import GATEWAY, OUTREACH
from tests.journey.given import CUSTOMER, NOON

KINDS: tuple[type[Any], ...] = get_args(Touchpoint)

_names = st.sampled_from(["a", "b", "c"])

moments = st.integers(0, 6 * 24 * 12).map(lambda steps: NOON + timedelta(minutes=5 * steps))
"""Moments within six days, in steps of five minutes, so that some coincide."""

_named: dict[str, st.SearchStrategy[Any]] = {
    "event_id": st.integers(0, 10**9).map(lambda number: str(uuid.UUID(int=number))),
    "customer_id": st.just(CUSTOMER),
    "source": st.just("test"),
    "subject_kind": st.sampled_from(["flight", "parcel"]),
    "time_zone": st.sampled_from(
        [None, "UTC", "America/New_York", "Asia/Kolkata", "Pacific/Kiritimati", "Mars/Olympus"]
    ),
    "locale": st.sampled_from([None, "en", "de-AT", "xx"]),
    "currency": st.sampled_from([None, "USD"]),
    "task_id": st.integers(0, 3).map(lambda number: str(uuid.UUID(int=number))),
    "outreach_id": st.integers(0, 3).map(lambda number: str(uuid.UUID(int=number))),
    "score": st.none() | st.integers(0, 10),
    "reach": st.none() | st.integers(0, 10**6),
    "quantity": st.integers(1, 9),
}

_SOURCES: dict[type[Any], str] = {
    OutreachSent: OUTREACH,
    OutreachUncertain: OUTREACH,
    OutreachFailed: OUTREACH,
    OutreachEngaged: GATEWAY,
}
"""Sources of outcomes: those of our own roles, because others are rejected."""


def _value(hint: Any) -> st.SearchStrategy[Any]:
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        return st.one_of(*(_value(part) for part in get_args(hint)))
    if typing.get_origin(hint) is tuple:
        return st.lists(_value(get_args(hint)[0]), max_size=2).map(tuple)
    if hint is type(None):
        return st.none()
    if hint is datetime:
        return moments
    if hint is bool:
        return st.booleans()
    if hint is Decimal:
        return st.integers(0, 10**6).map(lambda cents: Decimal(cents).scaleb(-2))
    if hint is str:
        return _names
    if isinstance(hint, type) and issubclass(hint, Value):
        return of(hint)
    assert issubclass(hint, StrEnum), hint
    return st.sampled_from(list(hint))


def of(cls: Any, **fixed: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return a strategy for any record of that class."""
    hints = typing.get_type_hints(cls)
    known = _named | fixed
    values = {name: known[name] if name in known else _value(hint) for name, hint in hints.items()}
    if cls in _SOURCES:
        values["source"] = st.just(_SOURCES[cls])
    if hints.get("currency") is str:
        values["currency"] = st.sampled_from(["USD", "EUR"])
    return st.builds(cls, **values)


anything: st.SearchStrategy[Any] = st.one_of(*(of(kind) for kind in KINDS))
"""Any touchpoint."""

_late = of(
    DelayNoticed,
    promised_at=st.integers(0, 60).map(lambda hours: NOON + timedelta(hours=hours)),
    subject_kind=st.just("flight"),
)


def mixed(*strategies: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Choose each strategy equally often; ``one_of`` would weigh them by the kinds within."""
    return st.sampled_from(strategies).flatmap(lambda strategy: strategy)


eventful: st.SearchStrategy[Any] = mixed(
    _late,
    _late,
    _late,
    of(DelayEnded, subject_kind=st.just("flight")),
    of(ConsentChanged),
    of(ProfileUpdated),
    anything,
)
"""Any touchpoint, with those that cause letters more often."""


def lives(most: int = 25) -> st.SearchStrategy[list[tuple[timedelta, Any]]]:
    """Return a strategy for a customer's events, each with the time since the previous one arrived."""
    pauses = st.sampled_from([0, 0, 1, 10, 60, 300, 720]).map(lambda minutes: timedelta(minutes=minutes))
    return st.lists(st.tuples(pauses, eventful), max_size=most)
