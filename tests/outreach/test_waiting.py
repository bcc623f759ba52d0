"""What operators see of outreach that has not left: how much waits for what, and how long the oldest has waited."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from processors.outreach.ledger import LedgerLogic
from processors.outreach.results import Postponed
from processors.outreach.waiting import REASONS, Waiting
from streams.clock import ManualClock, to_millis
from streams.config import TimeSource
from streams.events import Address, OutreachChannel, OutreachLedgerEntry, QuietHoursInForce, replace
from streams.processor import Class, Figures, Incoming, Step
from tests.outreach.given import NOON, outreach_id, request
from tests.outreach.outage import Drive
from tests.scraped import Growth, scraped
from tests.streams.given import TOPICS

EMAIL, SMS = OutreachChannel.EMAIL, OutreachChannel.SMS
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
LOGIC = LedgerLogic(topics=TOPICS, idempotent={EMAIL: False})
NIGHT_THERE = QuietHoursInForce(begin="22:00", end="07:00", time_zone="Europe/Berlin", channels=(SMS,))
MAIL = (Address(channel=EMAIL, address="ana@mail.example"),)
PHONE = (Address(channel=SMS, address="+4915112345678"),)
ASKED = request(addresses=MAIL, useful_until=NOON + 48 * HOUR)
LATER = Postponed(channel=EMAIL, provider="smtp", detail="451 try again")


@pytest.fixture
def waiting() -> Waiting:
    return Waiting(clock=ManualClock(NOON))


def entry(step: Step[OutreachLedgerEntry]) -> OutreachLedgerEntry:
    """What a step leaves."""
    assert step.state is not None
    return step.state


def heard(now: datetime = NOON, **changes: object) -> OutreachLedgerEntry:
    """The request has come."""
    asked = replace(ASKED, **changes)
    return entry(LOGIC.receive(Incoming(record=asked, value=b"", headers=[]), None, now, busy=False))


def called(now: datetime = NOON, **changes: object) -> OutreachLedgerEntry:
    """Its turn has come."""
    one = heard(now, **changes)
    return entry(LOGIC.wake(one.outreach_id, one, now, busy=False))


def came_to(result: Postponed, now: datetime = NOON) -> OutreachLedgerEntry:
    """The call came to this."""
    one = called()
    return entry(LOGIC.completed(one.outreach_id, one, result, now))


NIGHT = NOON + 10 * HOUR
MORNING = NOON + 18 * HOUR
BY_CLASS = {
    "its_turn": (heard(), NOON),
    "not_yet": (heard(caused_at=NOON - HOUR), NOON + timedelta(seconds=3)),
    "quiet_hours": (called(NIGHT, addresses=PHONE, quiet_hours=NIGHT_THERE), MORNING),
    "retry": (came_to(LATER, NOON + MINUTE), NOON),
    "in_doubt": (came_to(Postponed(channel=EMAIL, provider="smtp", detail="?", perhaps_left=True)), NOON),
    "calling": (called(NOON + MINUTE), NOON),
}


@pytest.mark.parametrize("name", REASONS)
def test_an_entry_waits_for_one_thing(waiting: Waiting, name: str) -> None:
    """And is due when it might first leave, however often it was tried; what is held at night, in the morning."""
    one, due = BY_CLASS[name]
    assert waiting.class_of(one) == Class(name=name, due=due)


def test_what_was_asked_for_at_night_is_due_in_the_morning(waiting: Waiting) -> None:
    """Also before its turn has come."""
    found = waiting.class_of(heard(NIGHT, requested_at=NIGHT, addresses=PHONE, quiet_hours=NIGHT_THERE))
    assert found == Class(name="its_turn", due=MORNING)


def test_in_event_time_nothing_is_overdue() -> None:
    """The storm of 2013 is not thirteen years late."""
    waiting = Waiting(clock=ManualClock(NOON), time_source=TimeSource.EVENTS)
    assert waiting.class_of(called()) == Class(name="calling", due=None)


def test_the_figures_of_all_partitions_add_up_and_go_with_them(waiting: Waiting) -> None:
    """What another worker took over is not counted twice."""
    retry, calling = (
        Growth("careline_outreach_waiting", reason="retry"),
        Growth("careline_outreach_waiting", reason="calling"),
    )
    waiting.show(0, Figures(counts={"retry": 3, "calling": 1}))
    waiting.show(1, Figures(counts={"retry": 2}))
    assert (retry.value, calling.value) == (5, 1)
    waiting.show(0, Figures(counts={"retry": 1}))
    assert (retry.value, calling.value) == (3, 0)
    waiting.show(0, None)
    waiting.show(0, None)
    assert (retry.value, calling.value) == (2, 0)
    waiting.show(1, None)
    assert (retry.value, calling.value) == (0, 0)


def test_the_oldest_grows_older_without_any_event() -> None:
    """The figure is true when it is scraped: a worker that hangs shows it, too."""
    clock = ManualClock(NOON)
    waiting = Waiting(clock=clock)
    waiting.show(0, Figures(counts={"retry": 1}, oldest=to_millis(NOON - MINUTE)))
    waiting.show(1, Figures(counts={"quiet_hours": 1}, oldest=to_millis(NOON + HOUR)))
    assert scraped("careline_outreach_oldest_overdue_seconds") == 60
    clock.advance(HOUR)
    assert scraped("careline_outreach_oldest_overdue_seconds") == 3_660
    waiting.show(0, None)
    assert scraped("careline_outreach_oldest_overdue_seconds") == 0
    waiting.show(1, None)
    clock.advance(10 * HOUR)
    assert scraped("careline_outreach_oldest_overdue_seconds") == 0


async def test_while_the_mail_server_is_away_its_letters_wait_and_grow_old() -> None:
    """Each is tried again and again, and overdue since it was asked for; afterwards nothing waits."""
    drive = await Drive.of(TimeSource.WALL, NOON)
    drive.away = (NOON, NOON + HOUR)
    for number in range(5):
        drive.publish(NOON, replace(ASKED, outreach_id=outreach_id(number), customer_id=f"customer-{number}"))
    await drive.run(NOON + 30 * MINUTE)
    assert drive.waits.figures == Figures(counts={"retry": 5}, oldest=to_millis(NOON))
    await drive.run(NOON + 2 * HOUR)
    assert drive.waits.figures == Figures(counts={}, oldest=None)
