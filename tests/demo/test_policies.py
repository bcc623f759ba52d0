"""What the demo counts of each policy adds up, and every policy has something to do on the storm day."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from processors.demo.policies import Tally, by_policy, sent_over_time
from processors.demo.promptness import GOAL, Promptness, promptness
from processors.journey.recording import Output
from processors.journey.wait_rules import wait_rules
from processors.playbook import load_playbook
from processors.simulator import STORM_DAY, StormDay, load_flights, storm_day
from processors.simulator.expected import expected_customers
from streams.events import (
    Address,
    Channel,
    ContactOpened,
    Decision,
    DecisionKind,
    DelayNoticed,
    DelayReason,
    Gesture,
    GestureGiven,
    OutreachChannel,
    OutreachRequested,
    OutreachRetracted,
    Purpose,
    replace,
)
from tests.demo.day import decided
from tests.journey.given import POLICIES

NOON = datetime(2013, 2, 8, 12, tzinfo=UTC)
NAMES = tuple(policy.name for policy in POLICIES)


def said(
    kind: DecisionKind, reason: str, outreach: str, minutes: int = 0, *, policy: str = "delay_care", who: str = "ana"
) -> Decision:
    return Decision(
        decision_id=f"{outreach}/{minutes}/{kind}",
        customer_id=who,
        decided_at=NOON + timedelta(minutes=minutes),
        kind=kind,
        reason=reason,
        explanation="",
        policy=policy,
        playbook_version="v",
        journey_id="j",
        occasion="notice",
        outreach_id=outreach,
    )


def asked_for(
    outreach: str, *, cost: str | None = None, currency: str = "USD", task: bool = False, minutes: int = 0
) -> OutreachRequested:
    channel = OutreachChannel.AGENT_TASK if task else OutreachChannel.EMAIL
    gesture = Gesture(code="meal", title="a meal", cost=Decimal(cost), currency=currency) if cost else None
    return OutreachRequested(
        outreach_id=outreach,
        customer_id="ana",
        requested_at=NOON + timedelta(minutes=minutes),
        decision_id="d",
        policy="delay_care",
        playbook_version="v",
        journey_id="j",
        occasion="notice",
        purpose=Purpose.SERVICE,
        addresses=(Address(channel=channel, address="somewhere"),),
        template="delay_care/notice",
        locale="en",
        time_zone="UTC",
        gesture=gesture,
        why="",
        useful_until=NOON + timedelta(days=1),
    )


def given(number: int, cost: str, currency: str = "USD") -> GestureGiven:
    return GestureGiven(
        event_id=f"e{number}", customer_id="ana", occurred_at=NOON, source="s", gesture_id=f"g{number}",
        agent_id="a", code="coffee", cost=Decimal(cost), currency=currency,
    )  # fmt: skip


def counted(*decisions: Decision, **records: Any) -> Tally:
    nothing: dict[str, Any] = {"requested": (), "retracted": (), "gestures": ()}
    return by_policy(NAMES, decisions=decisions, currency="USD", **(nothing | records))["delay_care"]


SEND, HOLD, SUPPRESS, RETRACT, ESCALATE = (
    DecisionKind.SEND, DecisionKind.HOLD, DecisionKind.SUPPRESS, DecisionKind.RETRACT, DecisionKind.ESCALATE,
)  # fmt: skip


def test_each_outreach_is_in_one_place() -> None:
    """Sent, refused at last, dropped while it was held, or still held: by the last that was decided of it."""
    tally = counted(
        *(said(HOLD, "quiet_hours", "a"), said(SEND, "wanted", "a", 60)),
        *(said(HOLD, "unknown_time_zone", "b"), said(SUPPRESS, "no_longer_useful", "b", 60)),
        *(said(HOLD, "quiet_hours", "c"), said(RETRACT, "wait_over", "c", 60)),
        said(HOLD, "quiet_hours", "d"),
        *(said(SUPPRESS, "below_threshold", "e"), said(SUPPRESS, "no_consent", "e", 60)),
        *(said(SUPPRESS, "no_address", "f"), said(ESCALATE, "wanted", "f", 60)),
    )
    assert (tally.wanted, tally.sent, tally.dropped, tally.waiting, tally.escalated) == (6, 2, 1, 1, 1)
    assert tally.suppressed == {"no_longer_useful": 1, "no_consent": 1}
    assert tally.held == {"quiet_hours": 3, "unknown_time_zone": 1}


def test_what_was_sent_stays_sent() -> None:
    """Taken back later, it is both: sent, and retracted; a hold before it counts by its first reason only."""
    back = OutreachRetracted(
        outreach_id="a", customer_id="ana", retracted_at=NOON, decision_id="d", policy="delay_care", journey_id="j",
        reason="wait_over",
    )  # fmt: skip
    tally = counted(
        *(said(HOLD, "quiet_hours", "a"), said(HOLD, "frequency_cap", "a", 30), said(SEND, "wanted", "a", 60)),
        said(RETRACT, "wait_over", "a", 90),
        retracted=(back, back),
    )
    assert (tally.wanted, tally.sent, tally.retracted, tally.suppressed) == (1, 1, 1, {})
    assert tally.held == {"quiet_hours": 1}


def test_a_record_read_twice_counts_once() -> None:
    """Decisions, requests and gestures alike."""
    sent = said(SEND, "wanted", "a")
    tally = counted(sent, sent, requested=(asked_for("a", cost="4.00"), asked_for("a", cost="4.00")))
    assert (tally.wanted, tally.sent, tally.gesture_cost) == (1, 1, Decimal("4.00"))
    found = by_policy(NAMES, decisions=(), requested=(), retracted=(), gestures=[given(1, "6.00")] * 2, currency="USD")
    assert found["agent_gestures"].gesture_cost == Decimal("6.00")


def test_money_is_added_in_one_currency() -> None:
    """That of the playbook; letters' gestures count for their policy, employees' for agent_gestures."""
    requests = (asked_for("a", cost="4.00"), asked_for("b", cost="95.50"), asked_for("c", cost="9.00", currency="EUR"))
    found = by_policy(
        NAMES, decisions=(), requested=requests, retracted=(), gestures=(given(1, "6.00"), given(2, "58.00")),
        currency="USD",
    )  # fmt: skip
    assert found["delay_care"].as_data()["gesture_cost"] == "99.50"
    assert found["agent_gestures"].as_data()["gesture_cost"] == "64.00"
    assert found["recovery"].as_data()["gesture_cost"] == "0.00"


def test_customers_are_those_who_were_reached() -> None:
    """Each once, and only where something was sent."""
    tally = counted(
        said(SEND, "wanted", "a"), said(SEND, "wanted", "b"), said(SUPPRESS, "no_consent", "c", who="ben"),
        requested=(asked_for("a", task=True), asked_for("b")),
    )  # fmt: skip
    assert (tally.customers, tally.tasks) == (1, 1)


def test_the_day_is_cut_into_equal_parts() -> None:
    """The first part begins with the day, what is outside is left out."""
    requests = [asked_for(str(minutes), minutes=minutes) for minutes in (-1, 0, 59, 60, 179, 180)]
    found = sent_over_time(requests, since=NOON, until=NOON + timedelta(hours=3), parts=3)
    assert found == {"delay_care": [2, 1, 1]}


@pytest.fixture(scope="module")
def day() -> StormDay:
    """A third of the storm day."""
    return storm_day(date=STORM_DAY, seed=1, flights=load_flights(STORM_DAY)[::3])


@pytest.fixture(scope="module")
def outputs(day: StormDay) -> list[Output]:
    """What the pure core decides of it, with the playbook as it is delivered, told of no outcome."""
    return decided(day, load_playbook())


@pytest.fixture(scope="module")
def tallies(day: StormDay, outputs: list[Output]) -> dict[str, Tally]:
    """The figures of that."""
    return by_policy(
        NAMES,
        decisions=[one for one in outputs if isinstance(one, Decision)],
        requested=[one for one in outputs if isinstance(one, OutreachRequested)],
        retracted=[one for one in outputs if isinstance(one, OutreachRetracted)],
        gestures=[arrival.event for arrival in day.arrivals if isinstance(arrival.event, GestureGiven)],
        currency="USD",
    )


def test_a_day_is_too_short_for_a_promise_of_days_to_pass_in_silence(tallies: dict[str, Tally]) -> None:
    """Every parcel of the day is delivered in time, or promised for later."""
    assert tallies["promise_watch"].wanted == 0


@pytest.mark.parametrize("policy", [name for name in NAMES if name != "promise_watch"])
def test_every_policy_has_something_to_do(tallies: dict[str, Tally], policy: str) -> None:
    """On the storm day each of them sends something, and its figures add up."""
    tally = tallies[policy]
    assert tally.sent > 0
    assert tally.wanted == tally.sent + sum(tally.suppressed.values()) + tally.dropped + tally.waiting
    assert tally.retracted <= tally.sent
    assert tally.escalated <= tally.tasks <= tally.sent
    assert 0 < tally.customers <= tally.sent
    assert sum(tally.held.values()) <= tally.wanted


def test_the_day_shows_what_the_guard_is_for(tallies: dict[str, Tally]) -> None:
    """An e-mail waits for nobody's morning, posts that are left unanswered go to a lead, and what is answered is called
    off."""
    assert not any("quiet_hours" in tally.held for tally in tallies.values())
    assert tallies["out_of_stock_save"].suppressed["holdout"] > 0
    assert tallies["out_of_stock_save"].sent > 50
    mentions = tallies["mention_reply"]
    assert 0 < mentions.escalated < mentions.retracted
    assert tallies["response_watch"].retracted > tallies["response_watch"].sent / 10
    assert tallies["agent_gestures"].gesture_cost > 500


def test_who_waits_is_told_at_once_and_before_they_ask(day: StormDay, outputs: list[Output]) -> None:
    """On the storm day, of those who may be written to and have an address; and nobody is woken by it."""
    threshold = wait_rules(load_playbook(), "flight").threshold
    told = promptness(
        expected_customers(day.flights, day.bookings, threshold),
        notices=[(arrival.at, arrival.event) for arrival in day.arrivals if isinstance(arrival.event, DelayNoticed)],
        contacts=[arrival.event for arrival in day.arrivals if isinstance(arrival.event, ContactOpened)],
        decisions=[one for one in outputs if isinstance(one, Decision)],
        threshold=threshold,
    )
    assert told.reachable > 400
    assert told.told_within_a_minute >= GOAL
    assert told.told_before_they_asked >= GOAL


def test_how_long_a_provider_takes_changes_nothing(day: StormDay, outputs: list[Output]) -> None:
    """Told within minutes, or half a day later: the same is decided, at the same time, for the same reasons."""
    chance = Random(7)
    told = decided(day, load_playbook(), takes=lambda: timedelta(hours=12 * chance.random()))
    assert Counter(map(repr, told)) == Counter(map(repr, outputs))


def _notice(who: str, minutes: int) -> DelayNoticed:
    return DelayNoticed(
        event_id=f"n-{who}-{minutes}", customer_id=who, occurred_at=NOON, source="s", subject_kind="flight",
        subject_id="UA1", description="flight UA 1", promised_at=NOON, expected_at=NOON + timedelta(minutes=minutes),
        reason=DelayReason.WEATHER,
    )  # fmt: skip


def _asked(who: str, minutes: int) -> ContactOpened:
    return ContactOpened(
        event_id=f"c-{who}", customer_id=who, occurred_at=NOON + timedelta(minutes=minutes), source="s",
        contact_id=f"c-{who}", channel=Channel.CALL, matter="UA1",
    )  # fmt: skip


def test_who_counts_as_told_at_once() -> None:
    """From the announcement that was long enough; those who may not be written to are left out, the silent are not."""
    about = {"subject": "flight UA1"}
    decisions = [
        replace(said(SEND, "wanted", "a", 21, who="in-time"), inputs=about),
        replace(said(SEND, "wanted", "b", 22, who="late"), inputs=about),
        replace(said(SEND, "wanted", "c", 20, who="asked"), inputs=about),
        replace(said(SUPPRESS, "no_consent", "d", 20, who="no"), inputs=about),
        replace(said(SUPPRESS, "frequency_cap", "e", 20, who="capped"), inputs=about),
    ]
    who = ("in-time", "late", "asked", "no", "capped", "silent")
    notices = [(NOON, _notice(one, 10)) for one in who] + [
        (NOON + timedelta(minutes=20), _notice(one, 60)) for one in who
    ]
    told = promptness(
        [(one, "UA1") for one in who],
        notices=notices,
        contacts=[_asked("asked", 19), _asked("in-time", 22)],
        decisions=decisions,
        threshold=timedelta(minutes=30),
    )
    assert told == Promptness(reachable=5, within_a_minute=2, before_they_asked=2)
    assert told.told_within_a_minute == 0.4
