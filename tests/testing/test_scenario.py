"""The test kit fails when it should, and says what was decided instead, and why."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from processors.journey.playbook import Playbook
from processors.policies.registry import plugin_of
from processors.testing import (
    NOON,
    Scenario,
    asks,
    at,
    cannot_have,
    consent,
    delay,
    departure,
    given,
    playbook,
    posts,
    profile,
    told,
)
from streams.events import ConsentStatus, JourneyState, OutreachRequested, Purpose, Sentiment, replace

BOOK = "send notice with free-book"


def says(failure: pytest.ExceptionInfo[AssertionError]) -> list[str]:
    """Return the lines of a failed test's message."""
    return str(failure.value).splitlines()


class TestThen:
    def test_what_was_decided_is_told_in_one_line(self) -> None:
        """A letter and its gesture are one line, and checks can be chained."""
        given(profile()).when(delay(minutes=45)).then(BOOK).when(departure(at("12:30"))).then(
            "take back notice: wait_over"
        )

    def test_another_decision_fails_with_the_reason(self) -> None:
        """The failure says what was decided instead, why, and on which inputs."""
        nobody = given(profile(addresses=()))
        with pytest.raises(AssertionError) as failure:
            nobody.when(delay(minutes=45)).then(BOOK)
        lines = says(failure)
        assert lines[:4] == [
            "at 09 Feb 2026 12:00 UTC, when DelayNoticed arrived:",
            "expected",
            f"- {BOOK}",
            "but decided",
        ]
        assert lines[4:6] == [
            "+ suppress notice: no_address",
            "      delay_care: no address is known on any channel in use",
        ]
        assert "wait_minutes 45" in lines[6]
        assert lines[7:] == ["next: delay_care is asked again at 09 Feb 2026 14:30 UTC"]

    def test_a_decision_that_nobody_expected_fails(self) -> None:
        """``then_nothing`` fails for any decision."""
        with pytest.raises(AssertionError) as failure:
            given(profile()).when(delay(minutes=45)).then_nothing()
        assert says(failure)[1:5] == ["expected", "- nothing", "but decided", f"+ {BOOK}"]

    @pytest.mark.parametrize(
        ("facts", "why"),
        [
            ((), "no policy has anything to do with the customer"),
            ((delay(minutes=45),), "asked, and wanted nothing new: delay_care, promise_watch"),
        ],
        ids=["nobody's concern", "told already"],
    )
    def test_that_nothing_was_decided_fails_with_the_reason(self, facts: tuple[Any, ...], why: str) -> None:
        """If nothing was decided, the failure names the policies that were asked."""
        with pytest.raises(AssertionError) as failure:
            given(profile(), *facts).when(profile(at("12:10"))).then(BOOK)
        assert says(failure)[3:6] == ["but decided", "+ nothing", f"      {why}"]

    def test_a_repeated_fact_fails_as_one(self) -> None:
        """The failure says that the fact was a duplicate."""
        late = delay(minutes=45)
        with pytest.raises(AssertionError) as failure:
            given(profile(), late).when(late).then(BOOK)
        assert says(failure)[4:6] == ["+ nothing", "      the fact changed nothing: duplicate"]

    def test_an_empty_scenario_fails_and_says_that_nothing_happened(self) -> None:
        """The failure of an empty scenario says that nothing has happened."""
        with pytest.raises(AssertionError) as failure:
            given().then(BOOK)
        assert says(failure)[0].endswith("when nothing has happened yet:")
        assert says(failure)[-1] == "      nothing is known of the customer"

    def test_the_order_counts(self) -> None:
        """Decisions in another order fail, and the failure says that only the order differs."""
        both = given(profile(), policies=of("response_watch", "delay_care"))
        both.when(asks(matter="UA571")).when(delay(at("12:01"), minutes=45)).when_time_passes_to(at("12:30"))
        lines = told(both.outputs)
        assert len(lines) > 1
        with pytest.raises(AssertionError) as failure:
            both.then(*reversed(lines))
        assert "(the same, in another order)" in says(failure)

    def test_what_is_also_expected_is_not_marked(self) -> None:
        """Only lines that differ are marked."""
        worse = given(profile(), delay(minutes=45)).when(delay(at("12:10"), minutes=300))
        with pytest.raises(AssertionError) as failure:
            worse.then(told(worse.outputs)[0], "send something else")
        assert f"  {told(worse.outputs)[0]}" in says(failure)
        assert "- send something else" in says(failure)

    def test_the_setting_is_not_compared(self) -> None:
        """Decisions on the events in ``given`` are not checked."""
        given(profile(), delay(minutes=45)).then_nothing()


class TestTime:
    def test_a_deadline_fires_before_the_fact_that_is_later(self) -> None:
        """A deadline fires at its own time, before a later fact, and its decisions belong to the same step."""
        quiet = given(profile(), delay(minutes=20)).when(profile(at("15:00"), name="Ana R")).then(BOOK)
        assert [one.requested_at for one in quiet.requests] == [at("14:30")]
        assert quiet.now == at("15:00")

    def test_deadlines_fire_in_their_order(self) -> None:
        """However far time passes at once, each deadline fires at its own time."""
        asked = given(profile(), policies=of("response_watch")).when(asks()).when_time_passes_to(at("18:00"))
        moments = [one.requested_at for one in asked.requests]
        assert moments == sorted(set(moments))
        assert len(moments) == 2
        assert asked.now == at("18:00")

    def test_a_deadline_of_that_very_moment_fires(self) -> None:
        """A deadline at exactly that moment fires."""
        late = given(profile()).when(delay(minutes=20))
        late.when_time_passes_to(at("14:29")).then_nothing()
        late.when_time_passes_to(at("14:30")).then(BOOK)

    def test_time_does_not_go_back(self) -> None:
        """A fact that arrives late is decided at the current time."""
        late = given(profile(), profile(at("15:00"), name="Ana R")).when(delay(NOON, minutes=90))
        assert late.now == at("15:00")
        assert [one.decided_at for one in late.decisions] == [at("15:00")]

    def test_the_guard_is_asked(self) -> None:
        """The guard suppresses a letter after an opt-out."""
        no = consent(ConsentStatus.DENIED)
        given(profile(), no).when(delay(minutes=45)).then("suppress notice: no_consent")


class Shouting:
    """A custom policy that raises whenever it is asked what it wants."""

    name = "shouting"
    why = {"en": "Because."}  # noqa: RUF012 (a policy says it so)
    answers: tuple[type[Any], ...] = ()

    def concerns(self, state: JourneyState) -> bool:
        return state.touchpoints > 1

    def wants(self, state: JourneyState, now: datetime, playbook: Playbook) -> Iterator[Any]:
        raise LookupError("no such shelf")

    def after(self, state: JourneyState, action: Any, now: datetime, playbook: Playbook) -> JourneyState:
        return state

    def is_news(self, state: JourneyState, action: Any) -> bool:
        return True

    def timers(self, state: JourneyState, now: datetime, playbook: Playbook) -> tuple[Any, ...]:
        return ()

    def lapse(self, state: JourneyState, now: datetime, playbook: Playbook) -> JourneyState:
        return state

    def too_late(self, state: JourneyState, event: Any, now: datetime, playbook: Playbook) -> None:
        return None


def of(*names: str) -> list[Any]:
    """Return the policies with these names, in this order."""
    return [plugin.policy for name in names if (plugin := plugin_of(name)) is not None]


class TestPolicies:
    def test_only_the_given_policies_are_asked(self) -> None:
        """Only the given policies decide."""
        given(profile(), policies=of("response_watch")).when(delay(minutes=45)).then_nothing()
        only = given(profile(), policies=of("delay_care")).when(asks()).when_time_passes_to(at("20:00"))
        only.then_nothing()

    def test_their_order_is_the_priority(self) -> None:
        """The order of the given policies is their priority, whatever the playbook says."""
        one_a_day = playbook(caps=[{"purpose": "SERVICE", "most": 1, "window": "24h"}], priority=["response_watch"])
        lived = profile(), delay(minutes=20), asks(at("14:25"))
        care = given(*lived, policies=of("delay_care", "response_watch"), playbook=one_a_day)
        care.when_time_passes_to(at("14:30"))
        answers = given(*lived, policies=of("response_watch", "delay_care"), playbook=one_a_day)
        answers.when_time_passes_to(at("14:30"))
        assert [line for line in told(care.outputs) if line.startswith("send")] == [BOOK]
        assert [line for line in told(answers.outputs) if line.startswith("send")] == ["send holding"]

    def test_a_policy_that_raises_fails_the_test(self) -> None:
        """A policy that raises fails the test, even in ``given``."""
        with pytest.raises(AssertionError, match=r"^shouting: the policy failed in wants: LookupError: no such shelf"):
            given(profile(), delay(minutes=45), policies=[Shouting()])

    def test_a_letter_that_cannot_be_written_is_refused(self) -> None:
        """An invalid letter is rejected before anything is decided, with its place."""
        with pytest.raises(ValueError, match=r"texts\.shouting/hey\.en\.body: is missing"):
            given(letters={"shouting/hey": {"en": {"subject": "Hey"}}})

    def test_a_test_may_be_about_the_failure(self) -> None:
        """With ``policies_may_fail`` the failure is a decision, and the other policies decide as if that one had wanted
        nothing."""
        given(profile(), policies=[Shouting(), *of("delay_care")], policies_may_fail=True).when(delay(minutes=45)).then(
            BOOK, "suppress wants: LookupError: policy_failed"
        )


class TestLetters:
    def test_a_letter_is_shown_as_its_customer_reads_it(self) -> None:
        """A letter is in the customer's language and time zone, with the footer and the unsubscribe link."""
        ana = given(profile(locale="de-AT", time_zone="Europe/Vienna")).when(delay(minutes=45))
        ana.then_the_letter_says("Guten Tag Ana", "flight UA571", "15:45 Uhr", "https://care.example/unsubscribe/")
        assert ana.letter.locale == "de-AT"
        assert ana.letters == [ana.letter]

    def test_a_task_is_shown_as_staff_read_it(self) -> None:
        """A task is in the team's language, without a footer."""
        posted = given(profile(locale="de"), policies=of("mention_reply")).when(posts(Sentiment.NEGATIVE))
        posted.then_the_letter_says("Four hours!")
        assert posted.letter.html is None
        assert "unsubscribe" not in posted.letter.text

    def test_what_the_letter_does_not_say_fails_with_the_letter(self) -> None:
        """The failure names the missing words and shows the letter."""
        with pytest.raises(AssertionError) as failure:
            given(profile()).when(delay(minutes=45)).then_the_letter_says("UA571", "a warm meal")
        assert says(failure)[0] == "the letter does not say 'a warm meal'"
        assert "Hello Ana," in says(failure)

    def test_without_a_letter_there_is_nothing_to_say(self) -> None:
        """A check of a letter fails if none was requested."""
        with pytest.raises(AssertionError, match="no letter was requested"):
            given(profile()).then_the_letter_says("UA571")
        with pytest.raises(AssertionError, match="nothing was requested"):
            _ = given(profile()).letter

    def test_an_offer_has_a_code_and_the_way_out(self) -> None:
        """A marketing letter has a code, which is the same in every run, and an unsubscribe link."""
        yes = consent(ConsentStatus.GRANTED, purpose=Purpose.MARKETING)
        offers = [given(profile(), yes).when(cannot_have(NOON, "boots-42", "79.00")) for _ in range(2)]
        offers[0].then_the_letter_says("red boots", "Your code: ", "Unsubscribe from our offers: https://")
        assert "wanted" not in offers[0].letter.text
        assert offers[0].letter == offers[1].letter


def test_a_scenario_is_one_customers() -> None:
    """A fact about another customer raises ValueError."""
    with pytest.raises(ValueError, match="the scenario is about 'ana' and the fact about 'bea'"):
        given(profile(), replace(profile(), customer_id="bea"))


def test_every_request_has_its_decision() -> None:
    """The kit fails if the core requests a letter without a decision."""
    ana = given(profile()).when(delay(minutes=45))
    [request] = [one for one in ana.outputs if isinstance(one, OutreachRequested)]
    assert request.decision_id in {one.decision_id for one in ana.decisions}
    again = Scenario()
    with pytest.raises(AssertionError, match="without a decision"):
        again._take(ana_without_decisions(ana))


def ana_without_decisions(ana: Scenario) -> Any:
    """Return a step that requests a letter and records no decision."""
    from processors.journey.core import Advance

    return Advance(state=ana.state, outputs=(ana.requests[-1],))


def test_the_cap_of_the_packaged_playbook_is_in_force() -> None:
    """Without a playbook of its own a scenario uses the packaged one."""
    ana = given(profile())
    for number in range(12):
        ana.when(delay(NOON + timedelta(minutes=number), minutes=60, subject=f"UA{number}"))
    assert any("frequency_cap" in line for line in told(ana.everything))
