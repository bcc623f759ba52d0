"""Moments that a fact cannot mean: not known where it can do without them, refused where it cannot."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any, get_args, get_type_hints
from zoneinfo import ZoneInfo

import pytest
from msgspec import Struct

from streams.clock import in_zone
from streams.errors import InvalidEvent
from streams.events import (
    DelayEnded,
    DelayNoticed,
    OrderPlaced,
    OrderShipped,
    Touchpoint,
    replace,
)
from streams.events.moments import EARLIEST, PLAUSIBLE, as_known, can_be_meant, wrong_moments
from streams.publishing.validation import check_outgoing, check_touchpoint
from tests.streams.given import LATE, NOON

FACTS: dict[str, Any] = {"event_id": LATE.event_id, "customer_id": "ana", "occurred_at": NOON, "source": "shop"}
NOBODY_KNOWS = [
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(1900, 1, 1, tzinfo=UTC),
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(1999, 12, 31, 23, 59, 59, tzinfo=UTC),
    datetime(2038, 1, 19, 3, 14, 7, tzinfo=UTC),
    datetime(2099, 12, 31, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC),
    NOON + PLAUSIBLE + timedelta(milliseconds=1),
    NOON - PLAUSIBLE - timedelta(milliseconds=1),
]
OPTIONAL = [
    (OrderPlaced(**FACTS, order_id="o", description="a lamp"), "promised_at"),
    (OrderShipped(**FACTS, order_id="o"), "expected_at"),
    (LATE, "expected_at"),
    (DelayEnded(**FACTS, subject_kind="flight", subject_id="UA571"), "actual_at"),
]


def test_every_moment_of_every_touchpoint_is_looked_at() -> None:
    """None is forgotten: a field that is added is held to the rule without a line of code."""
    known = {(type(event), name) for event, name in OPTIONAL} | {(DelayNoticed, "promised_at")}
    found = {
        (kind, name)
        for kind in get_args(Touchpoint)
        for name, hint in get_type_hints(kind).items()
        if datetime in (hint, *get_args(hint)) and name != "occurred_at"
    }
    assert found == known


@pytest.mark.parametrize("moment", NOBODY_KNOWS, ids=str)
@pytest.mark.parametrize(("event", "name"), OPTIONAL, ids=lambda value: value if isinstance(value, str) else "")
def test_what_nobody_knows_is_not_known(event: Any, name: str, moment: datetime) -> None:
    """The fact is taken, and says nothing of that."""
    said = replace(event, **{name: moment})
    check_outgoing(said, now=NOON)
    assert as_known(said, NOON) == replace(event, **{name: None})


@pytest.mark.parametrize("moment", [NOON - PLAUSIBLE, NOON + PLAUSIBLE, NOON], ids=str)
def test_what_may_be_meant_stays(moment: datetime) -> None:
    """Ten years either way; and the same object comes back, so that nothing is made anew."""
    said = replace(LATE, expected_at=moment, promised_at=moment)
    check_touchpoint(said, now=NOON)
    assert as_known(said, NOON) is said


@pytest.mark.parametrize("moment", NOBODY_KNOWS, ids=str)
def test_a_wait_for_what_was_promised_for_no_time(moment: datetime) -> None:
    """A delay without the time it is measured by is refused by that field, at the caller and at every reader."""
    for check in (check_outgoing, check_touchpoint):
        with pytest.raises(InvalidEvent) as caught:
            check(replace(LATE, promised_at=moment), now=NOON)
        assert caught.value.field == "promised_at"


def test_before_the_year_2000_it_is_wrong_however_near() -> None:
    """A fact of the year 2001 does not speak of 1999 either."""
    assert not can_be_meant(EARLIEST - timedelta(days=1), EARLIEST + timedelta(days=400))


@pytest.mark.parametrize("now", [datetime(9999, 12, 31, 23, tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC)])
def test_a_clock_at_the_end_of_the_calendar(now: datetime) -> None:
    """A record's own time may be anything; comparing with it does not fail."""
    if now.year == 1:
        with pytest.raises(InvalidEvent, match="occurred_at"):
            check_touchpoint(LATE, now=now)
    else:
        check_touchpoint(LATE, now=now)


class Leg(Struct, frozen=True, kw_only=True):
    """A part of a journey."""

    leaves_at: datetime
    arrives_at: datetime | None = None


class Trip(Struct, frozen=True, kw_only=True):
    """A fact with moments within, as there is none yet."""

    occurred_at: datetime
    first: Leg
    others: tuple[Leg, ...] = ()
    back: Leg | None = None


def test_moments_within_a_fact() -> None:
    """They are found in records within records, and in lists of them."""
    far = datetime(9999, 1, 1, tzinfo=UTC)
    leg = Leg(leaves_at=NOON, arrives_at=far)
    trip = Trip(occurred_at=NOON, first=leg, others=(leg, Leg(leaves_at=far)), back=leg)
    bare = Leg(leaves_at=NOON)
    assert as_known(trip, NOON) == Trip(occurred_at=NOON, first=bare, others=(bare, Leg(leaves_at=far)), back=bare)
    assert list(wrong_moments(trip, NOON)) == [("others.leaves_at", far)]


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago", "America/New_York", "UTC", "Asia/Kolkata"])
def test_the_ends_of_the_calendar_anywhere(zone: str) -> None:
    """Where a clock would show the year 0 or 10000, it is UTC that is told."""
    for end in (datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, tzinfo=UTC)):
        assert in_zone(end, ZoneInfo(zone)) == end
    assert in_zone(NOON, timezone(timedelta(hours=2))).hour == 14
