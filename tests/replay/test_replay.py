"""A replay under the playbook in force comes to what was decided; under another one it says who would hear what."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given as for_any
from hypothesis import settings
from hypothesis import strategies as st

from processors.journey.playbook import Playbook
from processors.replay import replay
from streams.events import (
    CancelledBy,
    Decision,
    DecisionKind,
    MergeSide,
    OutreachRequested,
    ProfilesMerged,
    replace,
)
from streams.processor.intake import partition_of
from tests.drawn import examples
from tests.journey.anything import lives
from tests.journey.given import (
    NOON,
    PLAYBOOK,
    WAITS,
    at,
    called_off,
    cancellation,
    delay,
    departure,
    erased,
    facts,
    profile,
    tuned,
    waits,
)
from tests.replay.given import Day, counts, day
from tests.streams.given import TOPICS

BEA = "bea"


def patient(minutes: int = 60) -> Playbook:
    """Flights that are less late than that are not written about."""
    rules = dataclasses.replace(WAITS.kinds["flight"], threshold=timedelta(minutes=minutes))
    return tuned(waits(flight=rules))


async def stormy(**options: Any) -> Day:
    """Ana's flight is half an hour late, then three hours, then gone; Bea's is called off at night, where she lives."""
    today = day(**options)
    today.publish(profile(), profile(customer_id=BEA, time_zone="Pacific/Auckland"))
    today.publish(delay(at("12:00"), minutes=35), cancellation(at("12:30"), customer_id=BEA, promised=at("23:00")))
    today.publish(delay(at("13:00"), minutes=180), departure(at("20:30")))
    await today.handled()
    return today


# -- the playbook in force -----------------------------------------------------------------------------------------


async def test_what_was_decided_would_be_decided_again() -> None:
    """A notice, two letters with a greater gesture, one held over the night and sent in the morning: all the same."""
    today = await stormy()
    report = await today.replayed()
    assert counts(report) == (5, 0, 0, 0)
    assert not report.difference
    policy = report.by_policy()["delay_care"]
    assert policy["recorded"] == policy["replayed"]
    assert policy["replayed"] == {
        "wanted": 4,
        "send": {"wanted": 4},
        "escalate": {},
        "hold": {"quiet_hours": 1},
        "suppress": {},
        "retract": {},
        "gesture_cost": {"USD": "16.00"},
    }
    assert (report.tally.records, report.tally.folded, report.tally.timers) == (6, 6, 2)
    assert report.versions() == {"test": {"same": 5, "changed": 0, "only_recorded": 0}}


async def test_two_replays_give_the_same_bytes() -> None:
    """And nothing in them tells when they were made."""
    today = await stormy(partitions=3)
    first = (await today.replayed()).as_json()
    assert first == (await today.replayed()).as_json()
    assert json.loads(first)["difference"]["same"] == 5


async def test_what_comes_after_the_range_changes_no_report() -> None:
    """A report of yesterday is the same tomorrow."""
    today = await stormy()
    span = {"since": at("12:00"), "until": at("19:00")}
    before = await today.replayed(**span)
    today.publish(delay(at("14:00", day=1), subject="UA9", promised=at("15:00", day=1), minutes=50))
    await today.handled()
    assert (await today.replayed(**span)).as_json() == before.as_json()
    assert len(before.difference.same) == 5


async def test_only_the_range_is_told_but_everything_is_folded() -> None:
    """From the moment itself, and up to before it; who Ana is was told long before."""
    today = await stormy()
    report = await today.replayed(since=at("12:00"), until=at("12:30"))
    assert [one.decision.occasion for one in report.difference.same] == ["notice"]
    assert (await today.replayed(since=at("12:00", day=9))).difference.same == ()


async def test_an_event_on_a_wrong_partition_is_replayed_where_it_was_forwarded_to() -> None:
    """Once, in the place that the log gives it there."""
    today = day(partitions=2)
    home = partition_of(b"ana", 2)
    today.publish(profile(), delay(at("12:00"), minutes=35))
    today.publish(delay(at("12:10"), minutes=90), partition=1 - home)
    await today.handled()
    report = await today.replayed()
    assert counts(report) == (2, 0, 0, 0)
    assert (report.tally.records, report.tally.folded, report.tally.misplaced) == (4, 3, 1)


async def test_what_is_told_twice_is_decided_once() -> None:
    """And counted as repeated."""
    today = day()
    late = delay(at("12:00"), minutes=35)
    today.publish(profile(), late, late)
    today.publish(late, at=at("15:00"))
    await today.handled()
    report = await today.replayed()
    assert counts(report) == (1, 0, 0, 0)
    assert report.tally.duplicates == 2


async def test_a_merge_is_told_to_the_other_customer_once() -> None:
    """The role's own word of it is on the topic already, and so is what the other record passed on."""
    today = day(partitions=3)
    today.publish(profile(), profile(customer_id=BEA), delay(at("12:00"), customer_id=BEA, minutes=35))
    today.publish(ProfilesMerged(**facts(at("12:30")), other_customer_id=BEA, side=MergeSide.SURVIVOR))
    await today.handled()
    today.publish(delay(at("13:00"), customer_id=BEA, minutes=180))
    await today.handled()
    report = await today.replayed()
    assert report.tally.records == 8
    assert report.tally.folded == 8
    assert not report.difference
    assert {one.decision.reason for one in report.difference.same} >= {"wanted", "merged"}


async def test_somebody_who_was_forgotten_is_forgotten_again() -> None:
    """What was on its way is taken back; who comes back is somebody new."""
    today = day()
    today.publish(profile(), delay(at("12:00"), minutes=200), erased(at("12:10")))
    today.publish(delay(at("12:20"), minutes=220, subject="UA9"), profile(at("12:30")))
    await today.handled()
    report = await today.replayed()
    assert not report.difference
    told = [(one.decision.kind, one.decision.reason) for one in report.difference.same]
    assert told[:3] == [
        (DecisionKind.SEND, "wanted"),
        (DecisionKind.RETRACT, "erased"),
        (DecisionKind.SUPPRESS, "no_address"),
    ]


async def test_what_is_told_again_of_somebody_who_was_forgotten_is_passed_over() -> None:
    """Hours later as in the very millisecond of the erasure; on record as in the replay."""
    today = day()
    late = delay(at("12:00"), minutes=200)
    today.publish(profile(), late, erased(at("12:00")), late)
    today.publish(late, at=at("15:00"))
    await today.handled()
    report = await today.replayed()
    assert report.exact
    told = [one.decision for one in report.difference.same if one.decision.trigger_event_id == late.event_id]
    assert [one.decided_at for one in told] == [at("12:00")]
    assert (report.tally.passed_over, report.tally.moved) == (2, 0)
    assert (report.recorded_twice, report.replayed_twice) == (0, 0)


async def test_what_nobody_can_read_is_passed_over() -> None:
    """Or can't be true; the clock goes on with it all the same, as the role's did."""
    today = day()
    today.publish(profile(), delay(at("12:00"), minutes=35))
    today.publish_bytes(b"nonsense", at=at("12:01"))
    today.publish_bytes(None, at=at("12:02"))
    today.publish(delay(at("12:00", day=3), minutes=90), at=at("12:03"))
    today.publish(delay(at("12:00"), minutes=70, subject="UA9"), at=at("11:00"))
    await today.handled()
    report = await today.replayed()
    assert counts(report) == (2, 0, 0, 0)
    assert report.tally.dead_letters == {"not_avro": 1, "tombstone": 1, "invalid_occurred_at": 1}
    assert report.difference.same[-1].decision.decided_at == at("12:03")


async def test_what_could_not_be_true_at_first_is_taken_when_it_was() -> None:
    """A fact from three days ahead was put aside; the same one was told again when its day had come."""
    today = day()
    ahead = delay(at("12:00", day=3), minutes=35, promised=at("14:00", day=3))
    today.publish(profile(), ahead, at=at("12:00"))
    today.publish(delay(at("13:00"), minutes=90, subject="UA9"), ahead)
    await today.handled()
    report = await today.replayed()
    assert not report.difference
    [told] = [one.decision for one in report.difference.same if one.decision.trigger_event_id == ahead.event_id]
    assert told.decided_at == at("12:00", day=3)
    assert (report.tally.moved, report.tally.dead_letters.total()) == (0, 1)


async def test_a_playbook_that_was_changed_on_the_way_is_told_apart() -> None:
    """Decisions are counted by the version under which they were made."""
    today = day()
    today.publish(profile(), delay(at("12:00"), minutes=35))
    await today.handled()
    today.reload(patient())
    today.publish(delay(at("12:30"), minutes=35, subject="UA9"))
    await today.handled()
    report = await today.replayed()
    assert report.versions() == {
        "test": {"same": 0, "changed": 0, "only_recorded": 1},
        "tuned": {"same": 1, "changed": 0, "only_recorded": 0},
    }


# -- another playbook ----------------------------------------------------------------------------------------------


async def test_a_higher_threshold_lets_ana_hear_later() -> None:
    """Not of 35 minutes, but of three hours: one letter less, and one gesture."""
    report = await (await stormy()).replayed(playbook=patient())
    found = report.difference
    assert [(one.decision.kind, one.decision.occasion) for one in found.only_recorded] == [
        (DecisionKind.SEND, "notice"),
        (DecisionKind.SEND, "gesture-1"),
    ]
    assert [(one.decision.kind, one.decision.reason, one.decision.decided_at) for one in found.only_replayed] == [
        (DecisionKind.SUPPRESS, "below_threshold", at("12:00")),
        (DecisionKind.SEND, "wanted", at("13:00")),
    ]
    assert found.customers == ("ana",)
    assert found.hear_otherwise() == {"ana"}
    policy = report.by_policy()["delay_care"]
    assert policy["recorded"]["gesture_cost"] == {"USD": "16.00"}
    assert policy["replayed"]["gesture_cost"] == {"USD": "12.00"}
    assert report.as_data()["sends_per_hour"] == {
        "2026-02-09T12:00Z": {"recorded": 1, "replayed": 0},
        "2026-02-09T13:00Z": {"recorded": 1, "replayed": 1},
        "2026-02-09T18:00Z": {"recorded": 2, "replayed": 2},
    }


async def test_a_dearer_gesture_is_a_change_and_a_mere_version_is_none() -> None:
    """The decision is the same, its letter is not; who gets the same letter hears nothing else."""
    rules = WAITS.kinds["flight"]
    assert rules.cancelled is not None
    dear = dataclasses.replace(rules, cancelled=dataclasses.replace(rules.cancelled, cost=Decimal("95.50")))
    report = await (await stormy()).replayed(playbook=tuned(waits(flight=dear)))
    assert counts(report) == (4, 1, 0, 0)
    [changed] = report.difference.changed
    assert changed.fields == ("request.gesture",)
    assert report.difference.hear_otherwise() == {BEA}
    assert report.by_policy()["delay_care"]["replayed"]["gesture_cost"] == {"USD": "107.50"}


# -- a check that can fail -----------------------------------------------------------------------------------------


async def test_a_decision_that_was_lost_doubled_or_altered_is_found() -> None:
    """The record is taken at its word, field by field."""
    today = await stormy()
    [first, *others] = [one async for one in today.source.records(TOPICS.decisions, 0)]
    decision = await today.source.codec.decode(others[0].value)
    assert isinstance(decision, Decision)
    altered = day()
    altered.source = type(today.source)(topics=TOPICS, codec=today.source.codec)
    for topic in (TOPICS.touchpoints, TOPICS.outreach, TOPICS.journeys):
        async for raw in today.source.records(topic, 0):
            altered.source.put_bytes(topic, raw.value, at=raw.timestamp, key=raw.key.decode(), partition=0)
    changed = replace(decision, reason="for no reason at all")
    altered.source.put(TOPICS.decisions, changed, at=others[0].timestamp, key=decision.customer_id)
    for raw in (*others[1:], others[-1]):
        altered.source.put_bytes(TOPICS.decisions, raw.value, at=raw.timestamp, key=raw.key.decode(), partition=0)
    assert first.value not in [raw.value for raw in others]
    report = await altered.replayed()
    assert counts(report) == (3, 1, 0, 1)
    assert report.difference.changed[0].fields == ("reason",)
    assert (report.recorded_twice, report.replayed_twice) == (1, 0)


# -- the ends of what is kept --------------------------------------------------------------------------------------


async def test_customers_whose_first_touchpoints_are_gone_are_left_out() -> None:
    """Nobody knows Ana's address any more: that she would not hear from us now says nothing of the playbook."""
    today = await stormy()
    today.source.forget_before(0, 1)
    report = await today.replayed()
    assert counts(report) == (2, 0, 0, 0)
    aside = report.set_aside
    assert (aside.customers, aside.recorded, aside.replayed) == ({"ana"}, 3, 1)


async def test_what_is_new_does_not_hide_what_is_gone() -> None:
    """Ana's latest touchpoint makes up for the number of the first, but not for what it said."""
    today = await stormy()
    today.publish(delay(at("21:00"), minutes=200, subject="UA9", promised=at("22:00")))
    today.source.forget_before(0, 1)
    assert (await today.replayed()).set_aside.customers == {"ana"}
    [role] = today._roles
    before = {0: (role.position, role.clock)}
    await today.handled()
    assert (await today.replayed()).set_aside.customers == {"ana"}
    today.source.handled(before)  # as for a role that went on after it was asked
    assert (await today.replayed()).set_aside.customers == {"ana"}


async def test_letters_that_are_gone_are_no_difference() -> None:
    """Decisions are kept longer; what their letters gave is said to be unknown."""
    today = await stormy()
    log = today.source._logs[TOPICS.outreach.name, 0]
    assert isinstance(await today.source.codec.decode(log[0].value), OutreachRequested)
    del log[0]
    report = await today.replayed()
    assert not report.difference
    assert report.letters_lost == 1
    assert report.as_data()["letters_no_longer_kept"] == 1


async def test_what_the_role_has_yet_to_handle_is_no_difference() -> None:
    """It is behind; the report says how far it has come."""
    today = await stormy()
    today.publish(delay(at("21:00"), minutes=200, subject="UA9", promised=at("22:00")))
    report = await today.replayed()
    assert counts(report) == (5, 0, 0, 0)
    assert report.as_data()["decided_up_to"] == "2026-02-09T20:30:00.000Z"


async def test_what_the_role_decided_while_we_read_is_no_difference() -> None:
    """Its position was asked for first; a decision of the same millisecond behind it is later, too."""
    today = day()
    today.publish(profile(), delay(at("12:00"), minutes=35))
    await today.handled()
    [role] = today._roles
    before = {0: (role.position, role.clock)}
    today.publish(delay(at("12:00"), minutes=50, subject="UA9"), delay(at("13:00"), minutes=90, subject="UA10"))
    await today.handled()
    today.source.handled(before)
    assert counts(await today.replayed()) == (1, 0, 0, 0)


async def test_a_deadline_after_the_last_record_has_not_come_in_event_time() -> None:
    """Bea's letter waits for the morning, and no record says that it has come: neither the role nor we send it."""
    today = day()
    today.publish(profile(time_zone="Pacific/Auckland"), cancellation(at("12:30"), promised=at("23:00")))
    await today.handled()
    report = await today.replayed()
    assert [one.decision.kind for one in report.difference.same] == [DecisionKind.HOLD]
    assert counts(report) == (1, 0, 0, 0)


# -- with the wall's clock -----------------------------------------------------------------------------------------


async def test_live_a_deadline_fires_though_nothing_comes() -> None:
    """The role's clock went on with the wall's, and it was committed: so it fires here, too."""
    today = day(live=True)
    today.publish(profile(time_zone="Pacific/Auckland"), cancellation(at("12:30"), promised=at("23:00")))
    await today.handled(at("12:30"))
    await today.idle_until(at("19:00"))
    report = await today.replayed()
    assert [one.decision.kind for one in report.difference.same] == [DecisionKind.HOLD, DecisionKind.SEND]
    assert counts(report) == (2, 0, 0, 0)


async def test_live_a_record_that_came_late_was_handled_later_than_it_says() -> None:
    """What was decided on it tells when; deadlines before that fire first, as they did."""
    today = day(live=True)
    today.publish(profile(time_zone="Pacific/Auckland"), cancellation(at("12:30"), promised=at("23:00")))
    await today.handled(at("12:30"))
    await today.idle_until(at("19:00"))
    today.publish(delay(at("17:30"), minutes=90, subject="UA9", promised=at("22:00")))
    await today.handled(at("19:01"))
    report = await today.replayed()
    assert counts(report) == (3, 0, 0, 0)
    assert report.tally.moved == 1
    assert report.difference.same[-1].decision.decided_at == at("18:59:59") + timedelta(milliseconds=500)


async def test_live_a_publishers_clock_that_is_ahead_was_not_believed() -> None:
    """The role took it for an hour ahead; the decision on it says so."""
    today = day(live=True)
    today.publish(profile())
    await today.handled(at("12:00"))
    today.publish(delay(at("12:00"), minutes=35), at=at("23:00"))
    await today.handled(at("12:00"))
    report = await today.replayed()
    assert counts(report) == (1, 0, 0, 0)
    assert report.difference.same[0].decision.decided_at == at("13:00")
    assert report.tally.moved == 1


# -- whatever happens ----------------------------------------------------------------------------------------------

_somebody = st.sampled_from(["ana", BEA, "cem", "dora"])
_lives = st.lists(st.tuples(_somebody, lives(9)), min_size=1, max_size=5)
_places = st.lists(st.none() | st.integers(0, 2), min_size=50, max_size=50)


def _interleaved(people: list[tuple[str, Any]]) -> list[tuple[datetime, Any]]:
    """Everybody's life, in the order of time."""
    found: list[tuple[datetime, Any]] = []
    for customer, life in people:
        now = NOON
        for pause, event in life:
            now += pause
            found.append((now, replace(event, customer_id=customer)))
    return sorted(found, key=lambda pair: pair[0])


async def _same_again(people: list[tuple[str, Any]], places: list[int | None], *, live: bool) -> None:
    today = day(partitions=3, live=live)
    for somebody in ("ana", BEA, "cem"):
        today.publish(profile(customer_id=somebody, time_zone="America/New_York"))
    for number, (now, event) in enumerate(_interleaved(people)):
        if live:
            await today.idle_until(now)
        today.publish(event, at=now, partition=None if live else places[number % len(places)])
        if live or number % 3 == 0:
            await today.handled(now)
    await today.handled()
    if live:
        await today.idle_until(NOON + timedelta(days=9))
    report = await today.replayed()
    assert report.exact, (report.difference.only_recorded, report.difference.only_replayed)
    assert (await today.replayed()).as_json() == report.as_json()


@for_any(_lives, _places)
@settings(max_examples=examples(100), deadline=None, derandomize=True)
def test_whatever_happened_would_be_decided_again(people: list[tuple[str, Any]], places: list[int | None]) -> None:
    """In event time, on any partition, repeated or not: decision by decision, letter by letter."""
    asyncio.run(_same_again(people, places, live=False))


@for_any(_lives)
@settings(max_examples=examples(80), deadline=None, derandomize=True)
def test_live_too_whatever_happened_would_be_decided_again(people: list[tuple[str, Any]]) -> None:
    """With the wall's clock, where records come as they are published."""
    asyncio.run(_same_again(people, [], live=True))


@pytest.mark.parametrize("partitions", [1, 2, 5])
async def test_progress_ends_where_it_said(partitions: int) -> None:
    """However the touchpoints lie, and if there are none."""
    today = await stormy(partitions=partitions)
    told: list[tuple[int, int]] = []
    span = {"since": at("00:00"), "until": at("12:00", day=9)}
    await replay(today.source, playbook=PLAYBOOK, progress=lambda read, of: told.append((read, of)), **span)
    assert told[-1] == (6, 6)
    assert told == sorted(told)


async def test_what_came_in_another_order_would_be_decided_again() -> None:
    """Ends before beginnings, repeats, notices of before and of tomorrow: the replay comes to what was decided."""
    today = day()
    today.publish(profile())
    late = delay(at("12:00"), minutes=90, order_id="booking-1")
    today.publish(departure(at("13:00")), late, delay(at("11:50"), minutes=40), at=at("13:01"))
    today.publish(delay(at("18:00"), minutes=200, subject="B", promised=at("23:00")), at=at("13:02"))
    today.publish(delay(at("13:30"), minutes=400, subject="B", promised=at("23:00")), at=at("13:31"))
    today.publish(called_off(at("12:30"), CancelledBy.COMPANY), delay(at("12:10"), subject="C", order_id="booking-1"),
                  at=at("13:40"))  # fmt: skip
    await today.handled()
    report = await today.replayed()
    assert not report.difference
    same, *others = counts(report)
    assert same >= 3
    assert others == [0, 0, 0]
