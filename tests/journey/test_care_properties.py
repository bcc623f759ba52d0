"""Properties that hold with every policy on, for any events in any order."""

from __future__ import annotations

import dataclasses
from datetime import time, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given as for_any
from hypothesis import settings
from hypothesis import strategies as st

from processors.journey.core import FOLDED
from processors.journey.evolve.delays import journey_id
from processors.journey.guard import quiet_until
from processors.journey.identity import matter_of
from processors.journey.playbook import DISTURBING, GLOBAL, Budget, FrequencyCap, Holdout, QuietHours
from processors.journey.wait_rules import WaitRules
from processors.policies.promise_watch.rules import PromiseRules
from processors.policies.recovery.rules import RecoveryRules
from streams.events import (
    Address,
    ConsentChanged,
    ConsentStatus,
    ContactClosed,
    ContactOpened,
    ContactReplied,
    CustomerErased,
    Decision,
    DecisionKind,
    FeedbackGiven,
    GestureGiven,
    ItemUnavailable,
    MentionPosted,
    OutreachChannel,
    OutreachRequested,
    OutreachRetracted,
    ProfileUpdated,
    Purpose,
    replace,
)
from streams.zones import zone_of
from tests.drawn import examples
from tests.journey.anything import eventful, mixed, of
from tests.journey.care import everything, named_by_policies
from tests.journey.given import HOOK, MAIL, NOON, Journey, profile
from tests.journey.parcels import PARCELS
from tests.journey.test_properties import allowed

PHONE = Address(channel=OutreachChannel.SMS, address="+15550100")
CAPS = (
    FrequencyCap(purpose=Purpose.SERVICE, most=2, window=timedelta(hours=5)),
    FrequencyCap(purpose=Purpose.SERVICE, most=1, window=timedelta(hours=9), channel=OutreachChannel.EMAIL),
    FrequencyCap(purpose=Purpose.MARKETING, most=1, window=timedelta(hours=7)),
    FrequencyCap(purpose=Purpose.MARKETING, most=1, window=timedelta(hours=24), channel=OutreachChannel.SMS),
)
BUDGET = Budget(most=Decimal("9.00"), window=timedelta(hours=24))
STRICT = everything(
    caps=CAPS,
    channel_order=(OutreachChannel.EMAIL, OutreachChannel.SMS, OutreachChannel.WEBHOOK),
    gesture_budgets=(BUDGET,),
)

_contact = st.sampled_from(["c1", "c2", "c3"])
_matter = st.sampled_from([None, "m1", "m1", "m2"])
_addresses = st.sampled_from([None, (MAIL,), (HOOK, MAIL), (PHONE, MAIL), (PHONE,), ()])
_busy: st.SearchStrategy[Any] = mixed(
    of(ContactOpened, contact_id=_contact, matter=_matter),
    of(ContactOpened, contact_id=_contact, matter=_matter),
    of(ContactReplied, contact_id=_contact),
    of(ContactClosed, contact_id=_contact),
    of(MentionPosted),
    of(MentionPosted),
    of(FeedbackGiven),
    of(FeedbackGiven),
    of(ItemUnavailable),
    of(ItemUnavailable),
    of(GestureGiven),
    of(ConsentChanged, channel=st.sampled_from([None, *OutreachChannel])),
    of(ConsentChanged, channel=st.sampled_from([None, *OutreachChannel])),
    of(ConsentChanged, channel=st.none(), purpose=st.just(Purpose.MARKETING), status=st.just(ConsentStatus.GRANTED)),
    of(ProfileUpdated, addresses=_addresses),
    eventful,
)
_pauses = st.sampled_from([0, 0, 1, 5, 10, 60, 180, 300, 720]).map(lambda minutes: timedelta(minutes=minutes))
LIVES = st.lists(st.tuples(_pauses, _busy), max_size=30)


def lived(life: list[tuple[timedelta, Any]], playbook: Any = STRICT) -> Journey:
    """Return the journey of a customer after these events and another week."""
    journey, now = Journey(playbook), NOON
    journey.when(profile(event_id="first"))
    for pause, event in life:
        now += pause
        journey.when_time_passes_to(now).when(event, now=now)
    return journey.when_time_passes_to(now + timedelta(days=7))


def letters(journey: Journey) -> list[OutreachRequested]:
    """Return the letters to the customer, without tasks."""
    return [one for one in journey.requests if one.due_at is None]


def forgets(life: list[tuple[timedelta, Any]]) -> bool:
    """Return whether the customer is erased, which also resets what caps and budgets count."""
    return any(isinstance(event, CustomerErased) for _, event in life)


@for_any(LIVES)
@settings(max_examples=examples(200), deadline=None, derandomize=True)
def test_never_more_than_the_cap_in_any_window(life: list[tuple[timedelta, Any]]) -> None:
    """No cap is exceeded, by purpose and by each channel that a letter may take, until it is known to have left on
    another."""
    if forgets(life):
        return
    journey = lived(life)
    gone_elsewhere = {one.outreach_id: one.channels for one in journey.known.outreach}
    for cap in CAPS:
        times = sorted(
            one.requested_at
            for one in letters(journey)
            if one.purpose is cap.purpose
            and (
                cap.channel is None
                or cap.channel in gone_elsewhere.get(one.outreach_id, tuple(to.channel for to in one.addresses))
            )
        )
        for first, beyond in zip(times, times[cap.most :], strict=False):
            assert beyond - first >= cap.window, cap


@for_any(LIVES)
@settings(max_examples=examples(200), deadline=None, derandomize=True)
def test_nobody_is_woken_who_did_not_agree_and_nothing_is_sent_past_its_use(life: list[tuple[timedelta, Any]]) -> None:
    """At night, in the customer's time zone of that moment, letters use quiet channels only, unless they are urgent and
    the customer agreed. Nothing, not even a task, is requested when it is no longer useful."""
    playbook = everything(
        caps=CAPS,
        channel_order=(OutreachChannel.SMS, OutreachChannel.EMAIL, OutreachChannel.PUSH, OutreachChannel.WEBHOOK),
        quiet_hours=QuietHours(begin=time(22), end=time(7)),
    )
    journey, now = Journey(playbook), NOON
    journey.when(profile(event_id="first"))
    assert playbook.quiet_hours is not None
    agreed: set[tuple[OutreachChannel | None, Purpose]] = set()
    seen = 0
    for pause, event in [*life, (timedelta(days=7), None)]:
        now += pause
        before = journey.state
        journey.when_time_passes_to(now)
        zones = {state.profile.time_zone for state in (before, journey.state) if state is not None}
        if isinstance(event, ConsentChanged) and event.urgent_at_night and event.status is ConsentStatus.GRANTED:
            agreed.add((event.channel, event.purpose))
        if event is not None:
            journey.when(event, now=now)
            zones |= {journey.state.profile.time_zone} if journey.state is not None else set()
        for one in journey.requests[seen:]:
            assert one.requested_at < one.useful_until
            waking = {to.channel for to in one.addresses} & DISTURBING
            if one.due_at is None and waking:
                homes = [zone_of(name or "UTC") for name in zones]
                nights = [home and quiet_until(one.requested_at, home, playbook.quiet_hours) for home in homes]
                by_day = any(home is not None and night is None for home, night in zip(homes, nights, strict=True))
                asked_for = all({(channel, one.purpose), (None, one.purpose)} & agreed for channel in waking)
                urgent = any(night is not None and one.useful_until <= night for night in nights) or None in homes
                assert by_day or (asked_for and urgent)
        seen = len(journey.requests)


@for_any(LIVES)
@settings(max_examples=examples(600), deadline=None, derandomize=True)
def test_never_after_consent_is_withdrawn(life: list[tuple[timedelta, Any]]) -> None:
    """For any interleaving, every letter that is still on its way goes to channels that the customer allows."""
    heard: list[ConsentChanged] = []
    journey, now = Journey(STRICT), NOON
    journey.when(profile(event_id="first"))
    for pause, event in life:
        now += pause
        journey.when_time_passes_to(now)
        journey.when(event, now=now)
        erased = journey.state is not None and journey.state.is_erased
        if erased:
            heard.clear()
        elif isinstance(event, ConsentChanged) and journey.handling == FOLDED:
            heard.append(replace(event, occurred_at=min(event.occurred_at, now)))  # a future date counts as now
        taken_back = {one.outreach_id for one in journey.everything if isinstance(one, OutreachRetracted)}
        for one in letters(journey):
            if erased or one.outreach_id in taken_back or one.useful_until <= journey.now:
                continue
            left = {note.outreach_id: note.channels for note in journey.known.outreach}.get(one.outreach_id)
            if left is None:
                continue  # requested before the erasure, and retracted then
            for channel in left:
                assert allowed(channel, one.purpose, heard), (channel, one.purpose)


@for_any(LIVES)
@settings(max_examples=examples(200), deadline=None, derandomize=True)
def test_an_opted_out_customer_is_never_reached(life: list[tuple[timedelta, Any]]) -> None:
    """Neither a letter nor a task to contact them is requested; only tasks that answer their own requests are."""
    no = [
        ConsentChanged(
            event_id=f"no-{purpose}", customer_id="ana", occurred_at=NOON, source="test",
            purpose=purpose, status=ConsentStatus.DENIED,
        )
        for purpose in Purpose
    ]  # fmt: skip
    yes = ConsentStatus.GRANTED
    life = [
        (pause, one)
        for pause, one in life
        if not isinstance(one, CustomerErased) and not (isinstance(one, ConsentChanged) and one.status is yes)
    ]
    journey = Journey(STRICT)
    journey.when(profile(event_id="first"))
    for event in no:
        journey.when(event, now=NOON)
    now = NOON
    for pause, event in life:
        now += pause
        journey.when_time_passes_to(now).when(event, now=now)
    journey.when_time_passes_to(now + timedelta(days=7))
    for one in journey.requests:
        assert one.due_at is not None
        assert one.template in UNASKED


UNASKED = named_by_policies("NEED_NO_CONSENT")
"""Tasks that answer the customer, or contact nobody."""

LIVES_TOLD = examples(300)
"""How many made-up lives are tried."""

_LONG = dataclasses.replace(
    PARCELS,
    threshold=timedelta(minutes=30),
    open_ended_useful=timedelta(hours=4),
    lapse=timedelta(days=2),
    update_every=timedelta(hours=6),
    unannounced_after=timedelta(hours=2),
)
_OF_DAYS = STRICT.with_rules(
    WaitRules(kinds={"flight": _LONG, "default": _LONG}), PromiseRules(team="order-care", within=timedelta(days=1))
)
"""A playbook in which letters are combined, updates are regular, and waits may begin unannounced."""


@pytest.mark.parametrize("playbook", [STRICT, _OF_DAYS], ids=["of hours", "of days"])
@for_any(life=LIVES)
@settings(max_examples=LIVES_TOLD, deadline=None, derandomize=True)
def test_nothing_is_said_twice_and_no_hold_is_left_open(playbook: Any, life: list[tuple[timedelta, Any]]) -> None:
    """Each outreach is requested once and each decision recorded once; every hold is followed by another decision;
    every letter that a decision names was requested."""
    if forgets(life):
        return
    journey = lived(life, playbook)
    asked = [one.outreach_id for one in journey.requests]
    assert len(set(asked)) == len(asked)
    decided = [one.decision_id for one in journey.decisions]
    assert len(set(decided)) == len(decided)
    last: dict[str, Decision] = {}
    for one in journey.decisions:
        if (matter := matter_of(one)) is not None:
            last[matter] = one
            assert one.kind not in (DecisionKind.SEND, DecisionKind.ESCALATE) or one.outreach_id in asked
    held = {one.journey_id for one in journey.known.settled if one.held_until is not None}
    held |= {journey_id(wait) for wait in journey.known.delays if wait.held_until is not None}
    for one in last.values():
        # repeated holds for the same reason, as in an unknown time zone, are recorded once
        assert one.kind is not DecisionKind.HOLD or one.journey_id in held, one


_unhappy: st.SearchStrategy[Any] = mixed(
    of(FeedbackGiven, score=st.integers(0, 3)),
    of(FeedbackGiven, score=st.integers(0, 3)),
    of(MentionPosted),
    of(ContactOpened, contact_id=_contact, matter=_matter),
    of(ItemUnavailable),
    of(ConsentChanged, channel=st.none(), purpose=st.just(Purpose.MARKETING), status=st.just(ConsentStatus.GRANTED)),
)
_nights = st.sampled_from([0, 0, 5, 60, 720, 1440, 4320]).map(lambda minutes: timedelta(minutes=minutes))


@for_any(st.lists(st.tuples(_nights, _unhappy), max_size=25))
@settings(max_examples=LIVES_TOLD, deadline=None, derandomize=True)
def test_one_question_in_thirty_days_and_nobody_late_before_they_know(life: list[tuple[timedelta, Any]]) -> None:
    """A customer is asked at most once in thirty days, and every task's deadline is after its request."""
    playbook = everything()
    journey = lived(life, playbook)
    rules = playbook.rules_of(RecoveryRules)
    assert rules is not None
    asked = sorted(one.requested_at for one in journey.requests if one.occasion == "follow_up")
    assert all(later - first >= rules.follow_up_every for first, later in pairwise(asked))
    assert all(one.due_at > one.requested_at for one in journey.requests if one.due_at is not None)


@for_any(LIVES)
@settings(max_examples=examples(120), deadline=None, derandomize=True)
def test_no_gesture_beyond_the_budget(life: list[tuple[timedelta, Any]]) -> None:
    """In any window, the gestures that policies give cost no more than the budget."""
    if forgets(life):
        return
    gifts = [(one.requested_at, one.gesture.cost) for one in lived(life).requests if one.gesture is not None]
    for end, _ in gifts:
        within = sum((cost for moment, cost in gifts if end - BUDGET.window < moment <= end), Decimal(0))
        assert within <= BUDGET.most


@for_any(LIVES)
@settings(max_examples=examples(60), deadline=None, derandomize=True)
def test_whoever_is_held_out_hears_nothing(life: list[tuple[timedelta, Any]]) -> None:
    """With a global holdout of everybody no policy requests anything, and each exposure is recorded once."""
    playbook = everything(caps=CAPS, holdouts={GLOBAL: Holdout(share=1.0, seed="all")})
    journey = lived(life, playbook)
    assert journey.requests == []
    if not forgets(life):
        met = [one.event_id for one in journey.everything if type(one).__name__ == "ExperimentExposed"]
        assert len(set(met)) == len(met)


@for_any(LIVES)
@settings(max_examples=examples(60), deadline=None, derandomize=True)
def test_the_same_life_leads_to_the_same_decisions(life: list[tuple[timedelta, Any]]) -> None:
    """The same events lead to the same decisions, with the same ids, times and reasons."""
    first, second = lived(life), lived(life)
    assert first.everything == second.everything
    assert first.state == second.state
