"""Properties that hold for any events in any order."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import given as for_any
from hypothesis import settings
from hypothesis import strategies as st
from msgspec.structs import fields

from processors.journey.core import FOLDED
from processors.journey.evolve import evolve
from processors.journey.guard import quiet_until
from processors.journey.playbook import Playbook
from processors.journey.state import DEDUPLICATION_BOUND, begin
from streams.events import (
    ConsentChanged,
    ConsentStatus,
    DelayNoticed,
    JourneyState,
    OutreachChannel,
    OutreachRequested,
    ProfileUpdated,
    Purpose,
    Touchpoint,
    replace,
)
from streams.zones import zone_of
from tests.drawn import examples
from tests.journey.anything import KINDS, anything, eventful, lives, mixed, of
from tests.journey.codec import TOPICS, at_once, codec
from tests.journey.given import HOOK, MAIL, NOON, PLAYBOOK, Journey, capped, delay, profile, tuned

FAR = NOON + timedelta(days=30)
"""A time after all events."""

STRICT = capped(2, 5)


def lived(life: list[tuple[timedelta, Any]], playbook: Playbook = PLAYBOOK) -> Journey:
    """Return the journey of a customer after these events and some days."""
    journey, now = Journey(playbook), NOON
    journey.when(profile(event_id="first"))
    for pause, event in life:
        now += pause
        journey.when(event, now=now)
        if journey.state is not None and not journey.duplicate:
            assert all(timer.due_at > journey.now for timer in journey.state.timers), "a deadline is later than now"
            due = min((timer.due_at for timer in journey.state.timers), default=None)
            assert journey.state.wake_at == due or journey.state.is_erased
    return journey.when_time_passes_to(now + timedelta(days=4))


@for_any(st.lists(anything, max_size=8))
@settings(max_examples=examples(60), deadline=None, derandomize=True)
def test_every_fact_can_be_folded_into_any_state(events: list[Any]) -> None:
    """Any touchpoint can be folded into any state, and the result can be encoded."""
    state = begin("ana", NOON)
    for event in events:
        state = evolve(state, event, FAR)
    assert isinstance(state, JourneyState)
    kept = codec().encode(TOPICS.journeys, state)
    assert at_once(codec().decode(kept)) == state


@for_any(lives())
@settings(max_examples=examples(40), deadline=None, derandomize=True)
def test_what_is_kept_is_what_was_known(life: list[tuple[timedelta, Any]]) -> None:
    """A state and its outputs are the same after encoding and decoding."""
    journey = lived(life)
    if journey.state is not None:
        kept = codec().encode(TOPICS.journeys, journey.state)
        assert at_once(codec().decode(kept)) == journey.state
        due = journey.state.wake_at
        peeked = codec().wake_at(TOPICS.journeys, JourneyState, kept)
        assert (peeked is None) == (due is None)
    for output in journey.everything:
        topic = TOPICS.decisions if output in journey.decisions else TOPICS.outreach
        if isinstance(output, Touchpoint):
            topic = TOPICS.touchpoints
        assert at_once(codec().decode(codec().encode(topic, output))) == output


@for_any(lives())
@settings(max_examples=examples(40), deadline=None, derandomize=True)
def test_the_same_life_leads_to_the_same_decisions(life: list[tuple[timedelta, Any]]) -> None:
    """The same events in the same order give the same decisions with the same ids."""
    first, second = lived(life), lived(life)
    assert first.everything == second.everything
    assert first.state == second.state


@for_any(lives(), st.integers(0, 30))
@settings(max_examples=examples(40), deadline=None, derandomize=True)
def test_what_arrives_twice_changes_nothing(life: list[tuple[timedelta, Any]], back: int) -> None:
    """A repeat of any of the latest sixty-four events changes nothing."""
    journey = lived(life)
    heard = [event for _, event in life][-DEDUPLICATION_BOUND:]
    if journey.state is None or not heard:
        return
    again, before = heard[-1 - back % len(heard)], journey.state
    if any(type(event).__name__ == "CustomerErased" for event in heard):
        return  # what was forgotten is forgotten
    journey.when(again).then_nothing()
    assert journey.duplicate
    assert journey.state.recent_events == before.recent_events
    assert journey.state.touchpoints == before.touchpoints


@for_any(lives())
@settings(max_examples=examples(60), deadline=None, derandomize=True)
def test_nobody_is_written_to_at_night_too_late_or_too_often(life: list[tuple[timedelta, Any]]) -> None:
    """Every letter is requested by day in the customer's time zone, while it is useful, within the cap, and once."""
    # without a time zone of the wait the letter has the customer's, which decides on quiet hours
    life = [(wait, replace(e, time_zone=None) if isinstance(e, DelayNoticed) else e) for wait, e in life]
    journey = lived(life, STRICT)
    assert STRICT.quiet_hours is not None
    for request in journey.requests:
        zone = zone_of(request.time_zone)
        assert zone is not None, "nobody knows whether it is night there"
        assert quiet_until(request.requested_at, zone, STRICT.quiet_hours) is None
        assert request.requested_at < request.useful_until
        assert request.addresses
    if not any(type(event).__name__ == "CustomerErased" for _, event in life):
        sent = sorted(request.requested_at for request in journey.requests)
        for first, third in zip(sent, sent[2:], strict=False):
            assert third - first >= timedelta(hours=5)
        assert len({request.outreach_id for request in journey.requests}) == len(sent)
        decisions = [decision.decision_id for decision in journey.decisions]
        assert len(set(decisions)) == len(decisions)


@for_any(lives())
@settings(max_examples=examples(40), deadline=None, derandomize=True)
def test_no_wait_is_silent(life: list[tuple[timedelta, Any]]) -> None:
    """Every known wait has a decision on record: a letter, or a reason against it."""
    journey = lived(life)
    if journey.state is None or any(type(event).__name__ == "CustomerErased" for _, event in life):
        return
    decided = {decision.journey_id for decision in journey.decisions}
    for wait in journey.state.delays:
        if wait.closed_at is None or wait.letters or wait.refused:
            assert any(one.startswith(f"delay/{wait.subject_kind}/{wait.subject_id}/") for one in decided)


words = of(
    ConsentChanged,
    occurred_at=st.integers(0, 3).map(lambda minutes: NOON + timedelta(minutes=minutes)),
    channel=st.sampled_from([None, OutreachChannel.EMAIL, OutreachChannel.WEBHOOK]),
    purpose=st.just(Purpose.SERVICE),
)
waits = of(
    DelayNoticed,
    occurred_at=st.just(NOON),
    subject_kind=st.just("flight"),
    subject_id=st.sampled_from("abcdef"),
    promised_at=st.just(NOON + timedelta(hours=6)),
    expected_at=st.just(NOON + timedelta(hours=9)),
)
homes = of(ProfileUpdated, addresses=st.sampled_from([None, (MAIL,), (HOOK, MAIL)]), time_zone=st.just("UTC"))
ANY_TIME = tuned(quiet_hours=None, caps=())


@for_any(st.lists(mixed(words, words, words, waits, waits, eventful, homes), max_size=25))
@settings(max_examples=examples(120), deadline=None, derandomize=True)
def test_an_opted_out_customer_is_never_reached(events: list[Any]) -> None:
    """In any order of arrival, nothing is sent while the latest consent is an opt-out."""
    journey, now = Journey(ANY_TIME), NOON
    journey.when(profile(event_id="first"))
    heard: list[ConsentChanged] = []
    for event in events:
        now += timedelta(minutes=7)
        journey.when_time_passes_to(now)
        check(journey, heard)
        journey.when(event, now=now)
        if isinstance(event, ConsentChanged) and journey.handling == FOLDED:
            heard.append(replace(event, occurred_at=min(event.occurred_at, now)))  # a future date counts as now
        if journey.state is not None and journey.state.is_erased:
            heard.clear()
        check(journey, heard)


def check(journey: Journey, heard: list[ConsentChanged]) -> None:
    for one in journey.outputs:
        if isinstance(one, OutreachRequested):
            for address in one.addresses:
                assert allowed(address.channel, one.purpose, heard)


def allowed(channel: OutreachChannel, purpose: Purpose, heard: list[ConsentChanged]) -> bool:
    """Return whether it is allowed, derived from all events and not from the state."""
    said = [one for one in heard if one.purpose is purpose and one.channel in (None, channel)]
    if not said:
        return purpose is Purpose.SERVICE
    latest = max(one.occurred_at for one in said)
    at_last = [one for one in said if one.occurred_at == latest]
    specific = [one for one in at_last if one.channel is not None] or at_last
    return all(one.status is ConsentStatus.GRANTED for one in specific)


def test_a_state_stays_bounded() -> None:
    """The size of a state does not grow for ever, however much happens to one customer."""
    chance = random.Random(7)
    journey, sizes = Journey(), []
    journey.when(profile())
    makers = [of(kind) for kind in KINDS if kind.__name__ != "CustomerErased"]
    pool = [sample(maker, chance) for maker in makers for _ in range(20)]
    for number in range(2_000):
        event = renamed(chance.choice(pool), f"{number:08d}", NOON + timedelta(minutes=number))
        journey.when(event)
        if number % 250 == 249:
            sizes.append(len(codec().encode(TOPICS.journeys, journey.known)))
    assert max(sizes) < 100_000
    assert all(later < 1.5 * earlier for earlier, later in pairwise(sizes[2:]))


def test_a_state_fits_its_topic_whatever_people_write() -> None:
    """With thousands of events with very long texts the state still fits its topic."""
    chance = random.Random(11)
    journey = Journey()
    journey.when(profile())
    makers = [of(kind) for kind in KINDS if kind.__name__ not in ("CustomerErased", "ProfilesMerged")]
    pool = [sample(maker, chance) for maker in makers for _ in range(12)]
    for number in range(1_500):
        moment = NOON + timedelta(seconds=number)
        journey.when(renamed(chance.choice(pool), f"{number:08d}" + "🦊" * 3_000, moment))
    size = len(codec().encode(TOPICS.journeys, journey.known))
    assert size < TOPICS.journeys.max_bytes, size


def sample(strategy: Any, chance: random.Random) -> Any:
    """Return one value of a strategy, the same for the same random state."""
    found: list[Any] = []

    @settings(max_examples=1, database=None, deadline=None)
    @for_any(st.randoms(use_true_random=False), strategy)
    def take(_: Any, value: Any) -> None:
        found.append(value)

    take()
    return found[0]


def renamed(event: Any, name: str, moment: datetime) -> Any:
    """Return the event as another one, about other things, with ``name`` in every text."""
    changes: dict[str, Any] = {"event_id": name, "occurred_at": moment}
    for field in fields(type(event)):
        if field.name in ("event_id", "customer_id", "occurred_at", "source", "time_zone", "locale", "currency"):
            continue
        if field.type in (str, str | None):
            changes[field.name] = name
    if "kind" in changes or "subject_kind" in changes:
        changes = {key: value for key, value in changes.items() if key not in ("subject_kind",)}
    return replace(event, **changes)


def test_the_order_of_independent_facts_does_not_matter() -> None:
    """Facts about different things give the same state in every order of arrival."""
    facts_ = [
        delay(NOON, subject="A", minutes=60),
        delay(NOON, subject="B", minutes=90),
        *(sample(of(kind), random.Random(3)) for kind in KINDS if kind.__name__ in INDEPENDENT),
    ]
    chance, seen = random.Random(5), []
    for _ in range(40):
        chance.shuffle(facts_)
        state = begin("ana", NOON)
        for fact in facts_:
            state = evolve(state, fact, FAR)
        seen.append(unordered(state))
    assert all(state == seen[0] for state in seen)


INDEPENDENT = ("ItemUnavailable", "MentionPosted", "FeedbackGiven", "AgentNoted", "ProfileUpdated", "ConsentChanged")


def unordered(state: JourneyState) -> dict[str, Any]:
    """Return the parts of the state as sets, because the order of a list only reflects the arrival."""
    parts = {}
    for name in ("consents", "contacts", "orders", "delays", "wishes", "mentions", "moments", "notes", "suppressions"):
        parts[name] = set(getattr(state, name))
    return parts | {"profile": state.profile}
