"""One step of a journey: what is remembered, what is recorded, what is forwarded."""

from __future__ import annotations

from datetime import timedelta

import pytest

from processors.journey.actions import Reach
from processors.journey.core import PASSED_OVER, advance, decide, wake
from processors.journey.identity import decision_id, forwarded_event_id, outreach_id
from processors.journey.state import DEDUPLICATION_BOUND, begin
from streams.events import (
    Decision,
    MergeSide,
    OutreachChannel,
    OutreachRetracted,
    OutreachSent,
    ProfilesMerged,
    replace,
)
from tests.journey.given import CUSTOMER, NOON, PLAYBOOK, at, delay, departure, erased, facts, given, profile

STABLE_OUTREACH = "8368fd17-b8a7-5c15-923e-1fd31ebb76e4"
STABLE_FORWARDED = "e5cc8e11-3cfd-598e-ad8f-abb2f03e0f50"
STABLE_DECISION = "b535182d-9154-5875-a446-e5e46ce8d652"


class TestSteps:
    def test_the_first_event_begins_a_journey(self) -> None:
        """The first event of an unknown customer begins a journey."""
        step = advance(None, profile(NOON), now=NOON, playbook=PLAYBOOK)
        assert step.state is not None
        assert (step.state.revision, step.state.touchpoints, step.state.updated_at) == (1, 1, NOON)
        assert step.state.last_touchpoint_at == NOON
        assert not step.outputs

    def test_every_step_counts_a_revision(self) -> None:
        """The revision grows by one with every step, including a deadline's, but not with a duplicate."""
        late = delay(minutes=45)
        journey = given(profile(), late)
        assert journey.known.revision == 2
        journey.when(late)
        assert journey.known.revision == 2
        assert journey.duplicate
        journey.when_time_passes_to(at("16:00"))
        assert journey.known.revision == 3
        assert journey.known.updated_at == at("16:00")

    def test_what_became_of_our_letter_is_no_touchpoint_of_the_customers(self) -> None:
        """The count of touchpoints does not include outcomes of our outreach."""
        journey = given(profile(), delay(minutes=60))
        sent = OutreachSent(
            **facts(at("12:01")),
            outreach_id=journey.requests[0].outreach_id,
            channel=OutreachChannel.EMAIL,
            provider="smtp",
        )
        before = journey.known.touchpoints
        journey.when(sent)
        assert journey.known.touchpoints == before
        assert [note.outcome for note in journey.known.outreach] == ["sent"]

    def test_a_late_event_does_not_make_the_last_touchpoint_older(self) -> None:
        """The time of the last touchpoint is that of the latest occurrence, not of the latest arrival."""
        journey = given(profile(), delay(at("12:30"), minutes=60))
        journey.when(departure(at("12:10"), subject="B"), now=at("12:40"))
        assert journey.known.last_touchpoint_at == at("12:30")

    def test_duplicates_are_known_within_the_bound(self) -> None:
        """The latest sixty-four event ids are remembered; an older event is folded again and changes nothing."""
        events = [profile(at("08:00"), name=f"Ana {number}") for number in range(DEDUPLICATION_BOUND + 1)]
        journey = given(*events)
        assert journey.when(events[1]).duplicate
        assert not journey.when(events[0]).duplicate
        assert len(journey.known.recent_events) == 8 * DEDUPLICATION_BOUND

    def test_deciding_is_asking_not_doing(self) -> None:
        """``decide`` returns what would be done now, without changing the state."""
        state = given(profile(), delay(minutes=10)).known
        assert decide(state, now=at("13:00"), playbook=PLAYBOOK) == ()
        (action,) = decide(state, now=at("14:30"), playbook=PLAYBOOK)
        assert isinstance(action, Reach)
        assert action.want.occasion == "notice"
        assert decide(state, now=at("14:30"), playbook=PLAYBOOK) == (action,)

    def test_time_alone_names_no_event(self) -> None:
        """A decision names the event that caused it; one that a deadline caused names none."""
        late = delay(minutes=45)
        journey = given(profile()).when(late).when_time_passes_to(at("16:00"))
        assert [decision.trigger_event_id for decision in journey.decisions] == [late.event_id, None]
        assert [request.trigger_event_id for request in journey.requests] == [late.event_id, None]

    def test_waking_early_changes_nothing_but_the_revision(self) -> None:
        """A deadline that fires when nothing is due decides nothing."""
        state = given(profile(), delay(minutes=45)).known
        step = wake(state, now=at("13:00"), playbook=PLAYBOOK)
        assert step.outputs == ()
        assert step.state is not None
        assert (step.state.timers, step.state.delays) == (state.timers, state.delays)


class TestErasure:
    def test_nothing_is_kept(self) -> None:
        """After an erasure only the mark is kept."""
        journey = given(profile(), delay(minutes=60)).when(erased(at("12:30")))
        mark = replace(begin(CUSTOMER, at("12:30")), revision=3, erased_at=at("12:30"), wake_at=at("12:30", day=365))
        assert journey.state == mark

    def test_what_is_under_way_is_taken_back_on_record(self) -> None:
        """An erasure retracts a letter that is still in effect, with the reason on record."""
        journey = given(profile(), delay(minutes=60)).when(erased(at("12:30"))).then("take back notice: erased")
        (retracted,) = [one for one in journey.outputs if isinstance(one, OutreachRetracted)]
        assert (retracted.reason, retracted.retracted_at) == ("erased", at("12:30"))

    def test_what_ran_its_course_or_was_taken_back_is_not(self) -> None:
        """An erasure retracts no letter that is no longer in effect."""
        given(profile(), delay(minutes=60)).when(erased(at("15:00"))).then_nothing()
        given(profile(), delay(minutes=60), departure(at("14:10"))).when(erased(at("14:20"))).then_nothing()

    def test_of_whom_we_know_nothing(self) -> None:
        """Erasing an unknown customer leaves the mark only; a second erasure changes nothing."""
        journey = given().when(erased(NOON)).then_nothing()
        assert journey.known.is_erased
        again = erased(NOON)
        for late in (again, again, erased(at("11:00"))):
            step = advance(journey.state, late, now=at("12:10"), playbook=PLAYBOOK)
            assert (step.state, step.outputs, step.handling) == (journey.state, (), PASSED_OVER)

    def test_a_customer_may_come_back(self) -> None:
        """An erased customer who returns is a new customer."""
        journey = given(profile(), delay(minutes=60), erased(at("12:30"))).when(profile(at("13:00")))
        assert not journey.known.is_erased
        assert journey.known.touchpoints == 1
        assert journey.known.delays == ()


class TestMerging:
    merge = ProfilesMerged(**facts(at("13:00")), other_customer_id="bea")

    def test_is_told_to_the_other(self) -> None:
        """The record that is merged away gets a ProfilesMerged event with an id of its own."""
        journey = given(profile()).when(self.merge)
        (told,) = journey.outputs
        assert isinstance(told, ProfilesMerged)
        assert (told.customer_id, told.other_customer_id, told.side) == ("bea", "ana", MergeSide.ABSORBED)
        assert told.event_id == forwarded_event_id(self.merge.event_id, "bea")
        assert told.occurred_at == self.merge.occurred_at
        assert told.told
        assert journey.known.merged_from == ("bea",)

    def test_the_other_does_not_tell_it_back(self) -> None:
        """The record that is merged away sends no letters; it forwards its profile and no merge."""
        gone = ProfilesMerged(**facts(at("13:00")), other_customer_id="bea", side=MergeSide.ABSORBED)
        journey = given(profile()).when(gone).then_nothing()
        assert [(type(one).__name__, one.customer_id) for one in journey.outputs] == [("ProfileUpdated", "bea")]
        assert journey.known.merged_into == "bea"

    def test_with_oneself_is_nothing(self) -> None:
        """A merge of a record with itself changes nothing."""
        journey = given(profile()).when(ProfilesMerged(**facts(NOON), other_customer_id="ana"))
        assert journey.known.merged_from == ()
        assert journey.known.merged_into is None
        assert journey.outputs == []

    def test_the_same_merge_again_is_one(self) -> None:
        """A merge that two systems report is one merge."""
        journey = given(profile(), self.merge)
        journey.when(ProfilesMerged(**facts(at("13:05")), other_customer_id="bea"))
        assert journey.known.merged_from == ("bea",)


class TestIdentity:
    def test_names_are_stable(self) -> None:
        """These ids are stored in other systems, so they must never change."""
        assert outreach_id("ana", "delay_care", "delay/flight/UA571/0", "notice") == STABLE_OUTREACH
        assert forwarded_event_id("e1", "bea") == STABLE_FORWARDED
        assert decision_id("o1", "SEND", "wanted", NOON, "e1") == STABLE_DECISION

    @pytest.mark.parametrize(
        "other",
        [("an", "adelay_care", "j", "o"), ("ana", "delay_care", "jo", ""), ("ana", "delay_care", "", "jo")],
    )
    def test_parts_do_not_run_together(self, other: tuple[str, str, str, str]) -> None:
        """Ids whose parts concatenate to the same text are different."""
        assert outreach_id("ana", "delay_care", "j", "o") != outreach_id(*other)

    def test_a_decision_is_another_at_another_time(self) -> None:
        """The same refusal an hour later has another decision id."""
        names = {decision_id("o", "HOLD", "quiet_hours", NOON + timedelta(hours=hours), None) for hours in range(3)}
        assert len(names) == 3

    def test_decisions_do_not_depend_on_when_outcomes_come_back(self) -> None:
        """The same touchpoints lead to the same decisions and letters, whenever outcomes arrive."""
        known, first = profile(), delay(minutes=60)
        worse = delay(at("12:10"), minutes=180)
        (request,) = given(known).when(first).requests
        sent = OutreachSent(
            **facts(at("12:01")), outreach_id=request.outreach_id, channel=OutreachChannel.EMAIL, provider="smtp"
        )
        quick = given(known, first, sent).when(worse)
        slow = given(known, first).when(worse)
        assert quick.outputs
        assert quick.outputs == slow.outputs

    def test_every_request_names_its_decision(self) -> None:
        """A request names its decision, and the decision names the request."""
        journey = given(profile()).when(delay(minutes=60))
        (request,), (decision,) = journey.requests, journey.decisions
        assert isinstance(decision, Decision)
        assert request.decision_id == decision.decision_id
        assert decision.outreach_id == request.outreach_id
        assert decision.playbook_version == request.playbook_version == "test"
        assert decision.channel is OutreachChannel.EMAIL
