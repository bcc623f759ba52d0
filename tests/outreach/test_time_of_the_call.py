"""What counts is the time of the call: no letter leaves past its use, at night, or after its cause ended."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.outreach.leaving import HEARD_FIRST, NIGHT
from streams.config import TimeSource
from streams.events import (
    Address,
    AgentTask,
    FailureReason,
    OutreachChannel,
    OutreachFailed,
    OutreachRequested,
    OutreachRetracted,
    OutreachSent,
    OutreachUncertain,
    QuietHoursInForce,
)
from tests.drawn import examples
from tests.outreach.given import NOON, outreach_id, request
from tests.outreach.outage import Drive

WALL, EVENTS = TimeSource.WALL, TimeSource.EVENTS
BOTH = pytest.mark.parametrize("source", [WALL, EVENTS])
EMAIL, SMS, TASK = OutreachChannel.EMAIL, OutreachChannel.SMS, OutreachChannel.AGENT_TASK
MAIL = Address(channel=EMAIL, address="ana@mail.example")
PHONE = Address(channel=SMS, address="+15555550100")
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
BERLIN = ZoneInfo("Europe/Berlin")
NIGHT_THERE = QuietHoursInForce(begin="22:00", end="07:00", time_zone="Europe/Berlin", channels=(EMAIL, SMS))
"""From 21:00 to 06:00 UTC in winter."""


def asked(number: int, at: datetime = NOON, *, of_use: timedelta = 3 * HOUR, **changes: Any) -> OutreachRequested:
    """A letter that the journeys role asks for at that time."""
    return request(
        **{"addresses": (MAIL,), "quiet_hours": NIGHT_THERE, **changes},
        outreach_id=outreach_id(number), customer_id=f"customer-{number % 3}", requested_at=at,
        useful_until=at + of_use,
    )  # fmt: skip


def retracted(one: OutreachRequested, at: datetime) -> OutreachRetracted:
    """The wait was over then."""
    return OutreachRetracted(
        outreach_id=one.outreach_id, customer_id=one.customer_id, retracted_at=at, decision_id=outreach_id(9),
        policy="delay_care", journey_id="j", reason="wait_over",
    )  # fmt: skip


def failed(drive: Drive) -> dict[str, OutreachFailed]:
    """What did not leave, as journeys hear of it."""
    return {one.outreach_id: one for one in drive.told if isinstance(one, OutreachFailed)}


async def test_after_four_minutes_away_nothing_leaves_past_its_use() -> None:
    """Useful for two minutes, found after four: it ends as expired, and its journey hears of it."""
    drive = await Drive.of(WALL, NOON + 4 * MINUTE)
    late, still = asked(1, of_use=2 * MINUTE), asked(2)
    drive.publish(NOON, late, still)
    await drive.run(NOON + HOUR)
    assert [one.outreach_id for one in drive.seen] == [still.outreach_id]
    told = failed(drive)[late.outreach_id]
    assert (told.reason, told.occurred_at) == (FailureReason.EXPIRED, NOON + 4 * MINUTE)
    assert [type(one) for one in drive.told if one.outreach_id == late.outreach_id] == [OutreachFailed] * 2


async def test_a_letter_is_told_as_sent_when_it_was_sent() -> None:
    """Not when it was asked for."""
    drive = await Drive.of(WALL, NOON + HOUR)
    drive.publish(NOON, asked(1))
    await drive.run(NOON + 2 * HOUR)
    sent = [one.occurred_at for one in drive.told if isinstance(one, OutreachSent)]
    assert sent == [NOON + HOUR] * 2


async def test_what_would_leave_at_night_waits_for_the_morning() -> None:
    """Asked for at noon, found at eleven in the evening: it leaves at seven the customer's time."""
    night = NOON + 10 * HOUR
    drive = await Drive.of(WALL, night)
    one = asked(1, of_use=24 * HOUR)
    drive.publish(NOON, one)
    await drive.run(NOON + 22 * HOUR)
    [seen] = drive.seen
    assert (seen.at.astimezone(BERLIN).hour, seen.at.astimezone(BERLIN).minute) == (7, 0)


async def test_what_is_of_no_use_in_the_morning_does_not_wait_for_it() -> None:
    """It ends at once, and says why."""
    night = NOON + 10 * HOUR
    drive = await Drive.of(WALL, night)
    one = asked(1, of_use=12 * HOUR)
    drive.publish(NOON, one)
    await drive.run(night + MINUTE)
    assert not drive.seen
    told = failed(drive)[one.outreach_id]
    assert told.reason is FailureReason.EXPIRED
    assert told.detail == f"{NIGHT}, and by the morning it would be of no use"


async def test_at_night_it_takes_the_way_that_wakes_nobody() -> None:
    """Quiet hours hold for the channels that the request names; without any it leaves at any hour."""
    night = NOON + 10 * HOUR
    drive = await Drive.of(WALL, night)
    quietly = QuietHoursInForce(begin="22:00", end="07:00", time_zone="Europe/Berlin", channels=(SMS,))
    mixed = asked(1, addresses=(PHONE, MAIL), quiet_hours=quietly, of_use=12 * HOUR)
    urgent = asked(2, addresses=(PHONE,), quiet_hours=None, of_use=12 * HOUR)
    loud = asked(3, addresses=(PHONE,), quiet_hours=quietly, of_use=24 * HOUR)
    drive.publish(NOON, mixed, urgent, loud)
    await drive.run(night + HOUR)
    assert {(one.outreach_id, one.channel) for one in drive.seen} == {
        (mixed.outreach_id, EMAIL),
        (urgent.outreach_id, SMS),
    }


@pytest.mark.parametrize("between", [0, 2, 50])
async def test_what_was_taken_back_meanwhile_does_not_leave(between: int) -> None:
    """However far behind the request the retraction stands on the topic."""
    drive = await Drive.of(WALL, NOON + 2 * HOUR)
    over = asked(1)
    others = [asked(10 + number, NOON + number * timedelta(seconds=10)) for number in range(between)]
    drive.publish(NOON, over)
    for one in others:
        drive.publish(one.requested_at, one)
    drive.publish(NOON + HOUR, retracted(over, NOON + HOUR))
    await drive.run(NOON + 2 * HOUR + MINUTE)
    assert {one.outreach_id for one in drive.seen} == {one.outreach_id for one in others}
    assert failed(drive)[over.outreach_id].reason is FailureReason.RETRACTED


async def test_letters_leave_in_the_order_they_were_asked_for() -> None:
    """Also those of one moment, after an outage."""
    drive = await Drive.of(WALL, NOON + HOUR)
    letters = [asked(number) for number in range(20)]
    drive.publish(NOON, *letters)
    await drive.run(NOON + HOUR + MINUTE)
    assert [one.outreach_id for one in drive.seen] == [one.outreach_id for one in letters]


@BOTH
async def test_the_mail_server_is_away_for_hours(source: TimeSource) -> None:
    """What is of use when it is back leaves then; what is not, or was taken back, never; and none at night."""
    drive = await Drive.of(source, NOON)
    drive.away = (NOON - HOUR, NOON + 4 * HOUR)
    short, long, over = asked(1), asked(2, of_use=8 * HOUR), asked(3, of_use=8 * HOUR)
    late = asked(4, NOON + 4 * HOUR - MINUTE, of_use=8 * HOUR)
    drive.publish(NOON, short, long, over)
    drive.publish(NOON + HOUR, retracted(over, NOON + HOUR))
    drive.publish(NOON + 4 * HOUR - MINUTE, late)
    for number in range(30):  # the stream goes on
        drive.publish(NOON + number * 10 * MINUTE, asked(100 + number, NOON + number * 10 * MINUTE))
    await drive.run(NOON + 8 * HOUR)
    seen = {one.outreach_id: one.at for one in drive.seen}
    assert NOON + 4 * HOUR <= seen[long.outreach_id] < long.useful_until
    assert seen[late.outreach_id] >= NOON + 4 * HOUR
    assert failed(drive)[short.outreach_id].reason is FailureReason.EXPIRED
    assert failed(drive)[over.outreach_id].reason is FailureReason.RETRACTED
    assert {short.outreach_id, over.outreach_id}.isdisjoint(seen)


async def test_old_news_waits_for_what_came_with_it() -> None:
    """A publisher was away for a weekend: the end of the wait comes a moment after its beginning."""
    drive = await Drive.of(WALL, NOON - MINUTE)
    old = asked(1, caused_at=NOON - 50 * HOUR)
    fresh = asked(2, caused_at=NOON - timedelta(seconds=1))
    drive.publish(NOON, old, fresh)
    drive.publish(NOON + timedelta(seconds=2), retracted(old, NOON + timedelta(seconds=2)))
    kept = asked(3, NOON + MINUTE, caused_at=NOON - 50 * HOUR)
    drive.publish(NOON + MINUTE, kept)
    await drive.run(NOON + 5 * MINUTE, pause=timedelta(seconds=1))
    assert [(one.outreach_id, one.at) for one in drive.seen] == [
        (fresh.outreach_id, NOON),
        (kept.outreach_id, NOON + MINUTE + HEARD_FIRST),
    ]


async def test_in_event_time_the_worker_was_never_away() -> None:
    """Handled hours of the stream later, a letter leaves at its own time, and a retraction behind it is too late."""
    drive = await Drive.of(EVENTS, NOON + 300 * HOUR)
    one, other = asked(1, of_use=HOUR), asked(2, NOON + 9 * HOUR, quiet_hours=None)
    drive.publish(NOON, one)
    drive.publish(NOON + 2 * MINUTE, retracted(one, NOON + 2 * MINUTE))
    drive.publish(NOON + 9 * HOUR, other)
    drive.publish(NOON + 200 * HOUR, asked(3, NOON + 200 * HOUR))
    await drive.run(NOON + 300 * HOUR)
    told = {told.outreach_id: told.occurred_at for told in drive.told if isinstance(told, OutreachSent)}
    assert told == {
        one.outreach_id: NOON,
        other.outreach_id: NOON + 9 * HOUR,
        outreach_id(3): NOON + 200 * HOUR,
    }


@pytest.mark.parametrize(("batch", "room"), [(1, 1), (2, 16), (100, 16), (100, 3)])
async def test_in_event_time_two_runs_tell_the_same(batch: int, room: int) -> None:
    """However it is cut into transactions: the same outcomes, tasks, and times of both."""
    told = await _run_of_a_stream(batch=batch, room=room)
    assert told == await _run_of_a_stream(batch=7, room=5)
    assert len([one for one in told if isinstance(one, AgentTask)]) == 30


async def _run_of_a_stream(*, batch: int, room: int) -> list[Any]:
    drive = await Drive.of(EVENTS, NOON, batch=batch, room=room)
    for number in range(90):
        at = NOON + number * 7 * HOUR
        to = (Address(channel=TASK, address="rescue"),) if number % 3 == 0 else (MAIL, PHONE)
        one = asked(number, at, addresses=to, quiet_hours=None if number % 3 == 0 else NIGHT_THERE)
        drive.publish(at, one)
        if number % 4 == 0:
            drive.publish(at + number % 3 * MINUTE, retracted(one, at))
    await drive.run(NOON + 1_000 * HOUR)
    return sorted(drive.told, key=lambda one: (type(one).__name__, getattr(one, "outreach_id", ""), repr(one)))


LIFE = st.lists(
    st.tuples(
        st.integers(0, 48 * 60),  # asked for, minutes from noon
        st.sampled_from([2, 30, 90, 600, 1_500]),  # of use for so many minutes
        st.sampled_from([None, 0, 1, 20, 300]),  # taken back so many minutes later
        st.sampled_from([(MAIL,), (PHONE, MAIL), (PHONE,)]),
        st.sampled_from([NIGHT_THERE, QuietHoursInForce(
            begin="22:00", end="07:00", time_zone="America/New_York", channels=(SMS,)
        ), None]),
    ),
    min_size=1, max_size=25,
)  # fmt: skip


@pytest.mark.parametrize("source", [WALL, EVENTS])
@given(life=LIFE, up_from=st.integers(0, 40 * 60), away=st.tuples(st.integers(0, 2_000), st.integers(0, 900)))
@settings(max_examples=examples(40), deadline=None, derandomize=True)
async def test_whatever_is_away_and_for_how_long(
    source: TimeSource, life: list[Any], up_from: int, away: tuple[int, int]
) -> None:
    """No letter is seen past its use, in its quiet hours or after it was taken back; each has one end, told twice."""
    drive = await Drive.of(source, NOON + up_from * MINUTE)
    drive.away = (NOON + away[0] * MINUTE, NOON + (away[0] + away[1]) * MINUTE)
    over: dict[str, datetime] = {}
    letters: dict[str, OutreachRequested] = {}
    for number, (minute, of_use, back, to, hours) in enumerate(life):
        at = NOON + minute * MINUTE
        one = letters[outreach_id(number)] = asked(
            number, at, of_use=of_use * MINUTE, addresses=to, quiet_hours=hours if _may(hours, to, at) else None
        )
        drive.publish(at, one)
        if back is not None:
            over[one.outreach_id] = at + back * MINUTE
            drive.publish(over[one.outreach_id], retracted(one, over[one.outreach_id]))
    drive.publish(NOON + 200 * HOUR, asked(1_000, NOON + 200 * HOUR))
    letters[outreach_id(1_000)] = asked(1_000, NOON + 200 * HOUR)
    await drive.run(NOON + 200 * HOUR, pause=5 * MINUTE)
    at_of = {one.outreach_id: one.occurred_at for one in drive.told if isinstance(one, OutreachSent)}
    for seen in drive.seen:
        at = seen.at if source is WALL else at_of[seen.outreach_id]
        one = letters[seen.outreach_id]
        assert at < one.useful_until
        assert one.outreach_id not in over or at <= over[one.outreach_id]
        if one.quiet_hours is not None and seen.channel in one.quiet_hours.channels:
            local = at.astimezone(ZoneInfo(one.quiet_hours.time_zone)).hour
            assert 7 <= local < 22
    ends = [one.outreach_id for one in drive.told if isinstance(one, OutreachSent | OutreachFailed | OutreachUncertain)]
    assert sorted(ends) == sorted([*letters, *letters])
    assert len(drive.seen) == len({one.outreach_id for one in drive.seen})


def _may(hours: QuietHoursInForce | None, to: tuple[Address, ...], at: datetime) -> bool:
    """Journeys do not ask for a letter in its own quiet hours."""
    if hours is None:
        return False
    local = at.astimezone(ZoneInfo(hours.time_zone)).hour
    return 7 <= local < 22 or not all(address.channel in hours.channels for address in to)
