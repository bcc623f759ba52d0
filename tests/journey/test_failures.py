"""A policy that raises loses its own decision; the event, the state and the other policies' decisions are
unaffected."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from processors.journey import asking
from processors.journey.actions import Want
from processors.journey.core import advance, decide, wake
from processors.journey.playbook import Playbook
from processors.journey.policy import Policy
from processors.playbook import load_playbook
from streams.clock import to_millis
from streams.events import (
    Channel,
    ConsentStatus,
    ContactOpened,
    Decision,
    DecisionKind,
    FeedbackGiven,
    FeedbackKind,
    ItemUnavailable,
    JourneyState,
    MentionPosted,
    OutreachRetracted,
    Purpose,
    Sentiment,
    Timer,
    Touchpoint,
)
from streams.events import replace as with_changes
from tests.journey.given import NOON, POLICIES, Journey, at, consent, delay, departure, erased, facts, given, profile

METHODS = ("concerns", "wants", "is_news", "after", "timers", "lapse")
REAL = load_playbook()


class Failing:
    """A policy of which some methods raise while ``broken``; otherwise the real one."""

    def __init__(self, policy: Policy, methods: tuple[str, ...], error: Callable[[], Exception]) -> None:
        self._policy = policy
        self._methods = methods
        self._error = error
        self.broken = True
        self.raised = 0

    def __getattr__(self, name: str) -> Any:
        if name in self._methods and self.broken:
            return self._raise
        return getattr(self._policy, name)

    def _raise(self, *_: Any) -> Any:
        self.raised += 1
        raise self._error()


HERE = f"test_failures.py:{Failing._raise.__code__.co_firstlineno + 2}"
"""The place where a planted failure is raised."""

Plant = Callable[..., Failing]


@pytest.fixture
def plant(monkeypatch: pytest.MonkeyPatch) -> Plant:
    """``plant("recovery", "wants")`` makes that method of that policy raise."""

    def planted(name: str, *methods: str, error: Callable[[], Exception] = lambda: KeyError("gone")) -> Failing:
        (policy,) = (one for one in POLICIES if one.name == name)
        failing = Failing(policy, methods, error)
        policies: Any = tuple(failing if one.name == name else one for one in POLICIES)
        monkeypatch.setattr(asking, "in_order", lambda playbook: policies)
        return failing

    return planted


def without(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Remove the policy."""
    monkeypatch.setattr(asking, "in_order", lambda playbook: tuple(one for one in POLICIES if one.name != name))


def a_life() -> list[Touchpoint]:
    """Return events for every policy that reacts to customers."""
    marketing = consent(ConsentStatus.GRANTED, NOON - timedelta(days=7), purpose=Purpose.MARKETING)
    return [
        profile(time_zone="UTC"),
        marketing,
        delay(at("12:00"), minutes=240),
        ContactOpened(**facts(at("12:05")), contact_id="c1", channel=Channel.EMAIL, matter="UA571"),
        MentionPosted(**facts(at("12:10")), mention_id="m1", platform="forum", sentiment=Sentiment.NEGATIVE, reach=50),
        ItemUnavailable(**facts(at("12:15")), item_id="i1", description="red boots"),
        FeedbackGiven(**facts(at("12:20")), feedback_id="f1", kind=FeedbackKind.STORY, text="What a day."),
        delay(at("12:25"), minutes=400),
        departure(at("18:00")),
    ]


def failures_of(journey: Journey) -> list[Decision]:
    """Return the decisions that record a failed policy."""
    return [one for one in journey.decisions if one.reason == "policy_failed"]


def live(events: list[Touchpoint], playbook: Playbook = REAL) -> Journey:
    """Return the journey after the events and two more days."""
    return given(*events, playbook=playbook).when_time_passes_to(at("18:00", day=2))


@pytest.mark.parametrize("name", [policy.name for policy in POLICIES])
@pytest.mark.parametrize("method", METHODS)
def test_the_others_decide_as_if_it_had_not_spoken(
    plant: Plant, monkeypatch: pytest.MonkeyPatch, name: str, method: str
) -> None:
    """Whichever policy fails in whichever method, the others decide as they do without it."""
    events = a_life()
    failing = plant(name, method)
    with_failures = live(events)
    told = failures_of(with_failures)
    if failing.raised:
        assert {(one.policy, one.kind, one.occasion) for one in told} == {
            (name, DecisionKind.SUPPRESS, f"{method}: KeyError")
        }
        assert told[0].explanation == f"the policy failed in {method}: KeyError: 'gone' ({HERE})"
    if method == "wants" and name in ("delay_care", "response_watch", "recovery"):
        assert failing.raised, "this life has something for it"
    if method in ("concerns", "wants", "lapse"):  # it fails whenever it is asked, so it never wants anything
        without(monkeypatch, name)
        alone = live(events)
        assert [one for one in with_failures.decisions if one.reason != "policy_failed"] == alone.decisions
        assert with_failures.requests == alone.requests


@pytest.mark.parametrize("method", METHODS)
def test_a_failure_is_recorded_once_and_not_with_every_event(plant: Plant, method: str) -> None:
    """A policy's failure is recorded once, however many touchpoints a customer has meanwhile."""
    failing = plant("delay_care", method)
    journey = given(profile(), delay(minutes=60))
    for minute in range(1, 40):
        journey.when(delay(at("12:00") + timedelta(minutes=minute), minutes=60 + minute))
    assert failing.raised >= 40
    assert len(failures_of(journey)) == 1


def test_its_state_is_kept_and_it_goes_on_where_it_was(plant: Plant) -> None:
    """While a policy fails none of its letters is sent; once it works, the letter that is due then is."""
    failing = plant("delay_care", "wants")
    journey = given(profile()).when(delay(minutes=60)).then("suppress wants: KeyError: policy_failed")
    assert journey.known.delays, "the wait itself is known"
    failing.broken = False
    journey.when(delay(at("12:30"), minutes=60)).then("send notice with free-book")


def test_it_is_asked_again_by_time_alone(plant: Plant) -> None:
    """Without a touchpoint, a timer asks a failed policy again within an hour."""
    failing = plant("delay_care", "wants")
    journey = given(profile(), delay(minutes=120))
    failing.broken = False
    journey.when_time_passes_to(at("13:00")).then("send notice with movie")


@pytest.mark.parametrize("method", METHODS)
def test_a_failing_policy_does_not_spin(plant: Plant, method: str) -> None:
    """A policy that always fails is asked a few times on the first day, then once a day per customer."""
    failing = plant("response_watch", method)
    journey = given(
        profile(), ContactOpened(**facts(NOON), contact_id="c1", channel=Channel.EMAIL), playbook=REAL
    ).when_time_passes_to(at("12:00", day=30))
    if failing.raised:
        assert len(failures_of(journey)) == 1
    # each step asks at most twice: it fails, and the step is repeated without it
    assert failing.raised <= 2 * 60


def test_a_timer_that_is_not_later_than_now_is_a_failure(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    """A policy whose timer is not later than now fails, because it would fire for ever."""
    failing = plant("delay_care")

    def due(state: JourneyState, now: datetime, playbook: Playbook) -> Iterator[Timer]:
        yield Timer(timer_id="at once", due_at=now, policy="delay_care", journey_id="")

    monkeypatch.setattr(failing, "timers", due, raising=False)
    journey = given(profile()).when(delay(minutes=60)).then("suppress timers: ValueError: policy_failed")
    assert journey.known.wake_at == at("13:00")


def test_a_policy_that_hands_back_nothing_fails_alone(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    """A policy that returns no state fails, and the policies after it get the previous state."""
    failing = plant("delay_care")
    monkeypatch.setattr(failing, "after", lambda *_: None, raising=False)
    contact = ContactOpened(**facts(at("12:00")), contact_id="c1", channel=Channel.EMAIL)
    journey = given(profile(), contact, playbook=REAL).when(delay(at("12:01"), minutes=60))
    assert [one.policy for one in failures_of(journey)] == ["delay_care"]


def test_a_want_that_the_guard_cannot_judge_fails_alone(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    """A naive time in a want makes the guard raise, and only that policy's decision is lost."""
    failing = plant("delay_care")
    (real,) = (one for one in POLICIES if one.name == "delay_care")

    def wants(state: JourneyState, now: datetime, playbook: Playbook) -> Iterator[Any]:
        for one in real.wants(state, now, playbook):
            yield replace(one, useful_until=one.useful_until.replace(tzinfo=None)) if isinstance(one, Want) else one

    monkeypatch.setattr(failing, "wants", wants, raising=False)
    given(profile()).when(delay(minutes=60)).then("suppress guard: TypeError: policy_failed")


def test_a_want_that_cannot_be_recorded_fails_alone(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    """A decision that cannot be recorded counts as the policy's failure and leaves nothing behind."""
    failing = plant("delay_care")
    (real,) = (one for one in POLICIES if one.name == "delay_care")

    def wants(state: JourneyState, now: datetime, playbook: Playbook) -> Iterator[Any]:
        for one in real.wants(state, now, playbook):
            yield replace(one, variables=None)

    monkeypatch.setattr(failing, "wants", wants, raising=False)
    journey = given(profile()).when(delay(minutes=60)).then("suppress record: TypeError: policy_failed")
    assert journey.known.outreach == ()


def test_a_want_in_another_policys_name_fails_alone(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    """A want in another policy's name counts as a failure of the policy that returned it."""
    failing = plant("delay_care")
    (real,) = (one for one in POLICIES if one.name == "delay_care")

    def wants(state: JourneyState, now: datetime, playbook: Playbook) -> Iterator[Any]:
        for one in real.wants(state, now, playbook):
            yield replace(one, policy="nobody", variables=None)

    monkeypatch.setattr(failing, "wants", wants, raising=False)
    monkeypatch.setattr(failing, "is_news", lambda *_: True, raising=False)
    monkeypatch.setattr(failing, "after", lambda state, *_: state, raising=False)
    given(profile()).when(delay(minutes=60)).then("suppress record: TypeError: policy_failed")


@pytest.mark.parametrize("method", METHODS)
def test_withdrawn_consent_holds_all_the_same(plant: Plant, method: str) -> None:
    """An opt-out retracts a letter even if its policy fails at that moment."""
    failing = plant("delay_care", method)
    failing.broken = False
    journey = given(profile(), delay(minutes=60))
    failing.broken = True
    journey.when(consent(ConsentStatus.REVOKED, at("12:10")))
    assert [one.reason for one in journey.outputs if isinstance(one, OutreachRetracted)] == ["consent_withdrawn"]
    journey.when(delay(at("12:20"), minutes=300))
    assert len(journey.requests) == 1


@pytest.mark.parametrize("method", METHODS)
def test_erasure_holds_all_the_same(plant: Plant, method: str) -> None:
    """A customer is erased even if a policy fails."""
    failing = plant("delay_care", method)
    failing.broken = False
    journey = given(profile(), delay(minutes=60))
    failing.broken = True
    journey.when(erased(at("12:30"))).then("take back notice: erased")
    assert journey.state is None or journey.state.is_erased
    assert journey.when_time_passes_to(at("12:30", day=400)).state is None


def test_all_of_them_may_fail_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """If every policy fails, each failure is recorded, and the customer's journey continues."""
    broken: Any = tuple(Failing(policy, ("concerns",), RuntimeError) for policy in POLICIES)
    monkeypatch.setattr(asking, "in_order", lambda playbook: broken)
    journey = live(a_life())
    assert sorted(one.policy for one in failures_of(journey)) == sorted(policy.name for policy in POLICIES)
    assert journey.known.touchpoints == len(a_life())
    assert decide(journey.known, now=journey.now, playbook=REAL) == ()


class Unspeakable(Exception):
    """An exception whose ``str`` raises."""

    def __str__(self) -> str:
        raise RuntimeError("not even this")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (lambda: ValueError(f"{object()} is odd"), "ValueError: <object object at 0x…> is odd"),
        (lambda: ValueError("x" * 1_000_000), "x…"),
        (lambda: ValueError("half \ud83d of a pair"), r"half \ud83d of a pair"),
        (lambda: ValueError("two\nlines \x1b[31m and a colour"), "two lines  [31m and a colour"),
        (Unspeakable, "Unspeakable"),
        (RecursionError, "RecursionError"),
        (lambda: type("Odd\n\x1bname", (Exception,), {})(), "Odd name"),
    ],
)
def test_what_failed_can_be_written_down(plant: Plant, error: Callable[[], Exception], words: str) -> None:
    """Any exception becomes one short, printable line that is the same in every process."""
    plant("delay_care", "wants", error=error)
    journey = given(profile(), delay(minutes=60))
    (decision,) = failures_of(journey)
    assert decision.explanation.removesuffix(f" ({HERE})").endswith(words)
    assert len(decision.explanation) < 300
    assert decision.explanation.isprintable()
    decision.explanation.encode()
    decision.occasion.encode()


def test_running_out_of_memory_is_not_the_policys_failure(plant: Plant) -> None:
    """A MemoryError is raised and not recorded, because a replay would not repeat it."""
    plant("delay_care", "wants", error=MemoryError)
    with pytest.raises(MemoryError):
        given(profile(), delay(minutes=60))


def test_a_replay_comes_to_the_same(plant: Plant) -> None:
    """The same events at the same times give the same outputs, including failures."""
    events = a_life()
    plant("delay_care", "after")
    one, other = live(events), live(events)
    assert one.everything == other.everything
    assert one.state == other.state


def test_a_failure_that_comes_and_goes_is_recorded_once_a_day(plant: Plant) -> None:
    """A policy that fails with every other touchpoint is recorded once a day."""
    failing = plant("delay_care", "wants")
    journey = given(profile())
    for number in range(60):
        failing.broken = number % 2 == 0
        journey.when(delay(at("12:00") + timedelta(minutes=number), minutes=60 + number))
    assert len(failures_of(journey)) == 1
    failing.broken = False
    journey.when(delay(at("13:00", day=1), promised=at("14:00", day=1), subject="B", minutes=10))
    failing.broken = True
    journey.when(delay(at("13:10", day=1), promised=at("14:00", day=1), subject="B", minutes=90))
    assert len(failures_of(journey)) == 2


def test_a_policy_that_works_again_leaves_no_mark(plant: Plant) -> None:
    """A day after a policy works again the state holds no trace of its failure."""
    failing = plant("delay_care", "wants")
    journey = given(profile(), delay(minutes=60))
    failing.broken = False
    journey.when(departure(at("12:30", day=2)))
    assert [one for one in journey.known.settled if one.reason == "policy_failed"] == []
    assert all(not timer.timer_id.endswith("policy_failed") for timer in journey.known.timers)


def test_a_failed_wake_is_later_again(plant: Plant) -> None:
    """If a policy fails when its deadline fires, the next deadline is later."""
    failing = plant("delay_care")
    state = given(profile(), delay(minutes=10)).known
    assert state.wake_at is not None
    failing._methods = METHODS
    step = wake(state, now=state.wake_at, playbook=REAL)
    assert step.state is not None
    assert step.state.wake_at is not None
    assert to_millis(step.state.wake_at) > to_millis(state.wake_at)


def test_a_step_that_fails_changes_nothing_of_what_it_was_given(plant: Plant) -> None:
    """A step that is repeated does not change the state it was given."""
    plant("delay_care", "after")
    before = given(profile()).known
    copy = with_changes(before, revision=before.revision)
    advance(before, delay(minutes=60), now=NOON, playbook=REAL)
    assert before == copy
