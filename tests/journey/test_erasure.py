"""An erased customer stays erased: no earlier fact brings anything back, in any order of arrival."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given as for_any
from hypothesis import settings
from hypothesis import strategies as st

from processors.journey.core import FOLDED, PASSED_OVER
from processors.journey.erasure import KEEP_MARK
from streams.events import (
    AgentTaskDone,
    ConsentStatus,
    CustomerErased,
    Engagement,
    FailureReason,
    JourneyState,
    MergeSide,
    OutreachChannel,
    OutreachEngaged,
    OutreachFailed,
    OutreachSent,
    OutreachUncertain,
    ProfilesMerged,
    replace,
)
from tests.drawn import examples
from tests.journey.anything import anything, eventful, lives
from tests.journey.codec import TOPICS, codec
from tests.journey.given import CUSTOMER, NOON, Journey, at, consent, delay, erased, facts, given, profile

ERASED_AT = at("12:30")
MARK = ("customer_id", "revision", "updated_at", "erased_at", "wake_at")


def forgotten() -> Journey:
    """Return the journey of Ana, who had a letter on its way and was erased at 12:30."""
    return given(profile(), delay(minutes=60), erased(ERASED_AT))


def outcomes(journey: Journey, when: Any) -> list[Any]:
    """Return every possible outcome of the letter, except opt-outs."""
    letter = {"outreach_id": journey.requests[0].outreach_id, "channel": OutreachChannel.EMAIL}
    return [
        *(OutreachFailed(**facts(when), **letter, reason=reason) for reason in FailureReason),
        OutreachSent(**facts(when), **letter, provider="smtp"),
        OutreachUncertain(**facts(when), **letter, provider="smtp"),
        *(
            OutreachEngaged(**facts(when), **letter, kind=kind)
            for kind in Engagement
            if kind not in (Engagement.UNSUBSCRIBED, Engagement.COMPLAINED)
        ),
    ]


def holds_nothing(state: JourneyState) -> bool:
    """Return whether the state contains nothing but the mark."""
    bare = {name: getattr(state, name) for name in MARK}
    return state == JourneyState(**bare, profile=type(state.profile)(), touchpoints=0, recent_events=b"")


def test_what_is_kept_is_a_mark_without_personal_data() -> None:
    """The mark holds the customer's key and the time up to which facts are ignored, in less than a hundred bytes."""
    state = forgotten().known
    assert state.is_erased
    assert (state.erased_at, state.wake_at) == (ERASED_AT, ERASED_AT + KEEP_MARK)
    assert holds_nothing(state)
    assert len(codec().encode(TOPICS.journeys, state)) < 100


@pytest.mark.parametrize("when", ["12:29", "12:30", "12:31", "15:00"])
def test_no_outcome_makes_a_customer_of_them(when: str) -> None:
    """Outcomes of the retracted letter change nothing, before or after the erasure."""
    ana = forgotten()
    before = ana.known
    for outcome in outcomes(ana, at(when)):
        ana.when(outcome, now=max(ana.now, at(when))).then_nothing()
        assert ana.handling == PASSED_OVER
    assert ana.known == before


@pytest.mark.parametrize("when", ["12:29", "12:30"])
def test_a_late_fact_brings_nothing_back(when: str) -> None:
    """A profile, a delay and a consent from before the erasure change nothing, and no letter is sent."""
    ana = given(profile(), consent(ConsentStatus.REVOKED), erased(ERASED_AT))
    for late in (profile(at(when)), delay(at(when), minutes=200), consent(ConsentStatus.GRANTED, at(when))):
        ana.when(late, now=at("13:00")).then_nothing()
    assert holds_nothing(ana.known)


def test_whatever_it_is_that_comes_late() -> None:
    """A merge, a completed task and the erasure itself change nothing when they arrive late."""
    ana = forgotten()
    for late in (
        ProfilesMerged(**facts(at("12:00")), other_customer_id="bea"),
        ProfilesMerged(**facts(at("12:00")), other_customer_id="bea", side=MergeSide.ABSORBED, told=True),
        AgentTaskDone(**facts(at("12:00")), task_id="t1"),
        erased(at("12:00")),
        erased(ERASED_AT),
    ):
        ana.when(late, now=at("13:00")).then_nothing()
        assert ana.outputs == []
    assert holds_nothing(ana.known)


def test_a_fact_from_after_it_begins_a_new_customer() -> None:
    """A fact one millisecond after the erasure begins a new customer, for whom earlier facts have no effect either."""
    moment = ERASED_AT + timedelta(milliseconds=1)
    ana = forgotten().when(profile(moment, name="Anna"), now=at("13:00"))
    assert (ana.known.profile.name, ana.known.touchpoints) == ("Anna", 1)
    assert not ana.known.is_erased
    ana.when(delay(at("12:10"), minutes=200), now=at("13:01")).then_nothing()
    assert ana.handling == PASSED_OVER
    ana.when(delay(at("13:02"), minutes=60)).then("send notice with free-book")
    for outcome in outcomes(ana, at("12:20")):
        ana.when(outcome, now=at("13:03")).then_nothing()
    assert ana.known.outreach[0].outcome is None


def test_an_erasure_that_comes_after_later_facts_forgets_them_too() -> None:
    """An erasure that arrives after later facts deletes them too; copies of them bring nothing back, newer facts
    count."""
    known = profile(at("12:10"), event_id="copy")
    ana = given(known, delay(at("12:20"), minutes=60)).when(erased(at("12:00")), now=at("12:25"))
    ana.then("take back notice: erased")
    ana.when(known, now=at("12:26")).then_nothing()
    assert ana.known.erased_at == at("12:20")
    assert holds_nothing(ana.known)
    assert ana.when(profile(at("12:27"))).handling == FOLDED


def test_a_second_erasure_forgets_what_came_between() -> None:
    """A customer who returns and is erased again is erased up to the second time."""
    ana = forgotten().when(profile(at("13:00"))).when(erased(at("13:30")))
    assert ana.known.erased_at == at("13:30")
    assert holds_nothing(ana.known)
    assert ana.when(profile(at("13:10")), now=at("14:00")).handling == PASSED_OVER


def test_their_own_no_after_it_is_kept() -> None:
    """An opt-out by the link in an old letter is kept after the erasure, and holds if the customer returns."""
    ana = forgotten()
    letter = {"outreach_id": ana.requests[0].outreach_id, "channel": OutreachChannel.EMAIL, "detail": "SERVICE"}
    ana.when(OutreachEngaged(**facts(at("12:40")), **letter, kind=Engagement.UNSUBSCRIBED)).then_nothing()
    assert ana.known.is_erased
    ana.when(profile(at("13:00"))).when(delay(at("13:01"), minutes=60)).then("suppress notice: suppressed")


def test_the_mark_ends_and_no_sooner() -> None:
    """After a year nothing is kept of the customer, not even the key."""
    ana = forgotten().when_time_passes_to(ERASED_AT + KEEP_MARK - timedelta(milliseconds=1))
    assert ana.known.is_erased
    assert ana.when(profile(at("12:00")), now=ana.now).handling == PASSED_OVER
    ana.when_time_passes_to(ERASED_AT + KEEP_MARK).then_nothing()
    assert ana.state is None


def test_a_no_outlives_the_mark() -> None:
    """An opt-out after the erasure is kept when the mark expires."""
    ana = forgotten()
    said = OutreachEngaged(
        **facts(at("12:40")), outreach_id="o", channel=OutreachChannel.EMAIL, kind=Engagement.COMPLAINED
    )
    ana.when(said).when_time_passes_to(ERASED_AT + KEEP_MARK)
    assert [closed.reason for closed in ana.known.suppressions] == ["complained"]
    assert (ana.known.erased_at, ana.known.wake_at) == (None, None)


def test_the_records_that_turned_out_to_be_theirs_go_too() -> None:
    """An erasure covers the records that were merged into the customer's, but not the one that it was merged into."""
    ana = given(profile(), ProfilesMerged(**facts(at("12:00")), other_customer_id="bea"))
    ana.when(erased(ERASED_AT))
    (told,) = ana.outputs
    assert isinstance(told, CustomerErased)
    assert (told.customer_id, told.occurred_at) == ("bea", ERASED_AT)
    bea = given(ProfilesMerged(**facts(at("12:00")), other_customer_id="ana", side=MergeSide.ABSORBED))
    bea.when(replace(told, customer_id=CUSTOMER)).then_nothing()
    assert bea.outputs == []


@for_any(st.lists(anything, max_size=12), st.lists(eventful, max_size=6), st.randoms(use_true_random=False))
@settings(max_examples=examples(150), deadline=None, derandomize=True)
def test_nothing_of_before_is_in_the_state_whatever_comes_when(
    before: list[Any], after: list[Any], chance: Any
) -> None:
    """With any events, in any order and twice, the state after an erasure is that of the later events alone."""
    erasure = erased(NOON + timedelta(days=2))
    before = [one for one in before if not isinstance(one, CustomerErased)]
    early = [one for one in before if one.occurred_at <= erasure.occurred_at]
    later = [
        replace(one, event_id=f"later-{n}", occurred_at=erasure.occurred_at + timedelta(minutes=1 + n))
        for n, one in enumerate(after)
        if not isinstance(one, CustomerErased)
    ]
    now = NOON + timedelta(days=3)
    ana, alone = Journey(), Journey()
    for one in early:
        ana.when(one, now=NOON + timedelta(days=1))
    ana.when(erasure, now=now)
    alone.when(erasure, now=now)
    copies = [*early, *early, erasure]
    chance.shuffle(copies)
    for n, one in enumerate(later):
        for late in copies[n::3]:
            ana.when(late, now=now).then_nothing()
        ana.when(one, now=now)
        alone.when(one, now=now)
    for late in copies:
        ana.when(late, now=now).then_nothing()
    assert ana.state is not None
    assert alone.state is not None
    assert replace(ana.state, revision=0) == replace(alone.state, revision=0)
    if not later:
        assert holds_nothing(ana.state)


@for_any(lives(), st.integers(0, 24))
@settings(max_examples=examples(100), deadline=None, derandomize=True)
def test_nobody_writes_to_an_erased_customer(life: list[tuple[timedelta, Any]], place: int) -> None:
    """Whatever earlier events arrive after an erasure, no letter and no task is requested."""
    ana, now = Journey(), NOON
    ana.when(profile())
    for pause, event in life[:place]:
        now += pause
        ana.when_time_passes_to(now).when(event, now=now)
    now = max([now, *(event.occurred_at for _, event in life)])
    ana.when(erased(now), now=now)
    asked = len(ana.requests)
    for pause, event in life:
        now += pause
        ana.when_time_passes_to(now).when(event, now=now)
    ana.when_time_passes_to(now + timedelta(days=9))
    assert len(ana.requests) == asked
    assert ana.known.is_erased
