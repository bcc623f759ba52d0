"""Caps, priority, budgets and opt-outs with several policies at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from processors.journey.playbook import Budget, FrequencyCap
from processors.policies.registry import names
from streams.events import (
    Address,
    Channel,
    ConsentStatus,
    DecisionKind,
    Engagement,
    FeedbackKind,
    OutreachChannel,
    OutreachEngaged,
    OutreachRetracted,
    Purpose,
    Sentiment,
)
from tests.journey.care import asks, cannot_have, engages, everything, feedback, given_by_agent, posts, sent
from tests.journey.given import HOOK, MAIL, Journey, at, consent, delay, departure, facts, given, profile, told

SMS, EMAIL = OutreachChannel.SMS, OutreachChannel.EMAIL
PHONE = Address(channel=SMS, address="+15550100")
YES = consent(ConsentStatus.GRANTED, purpose=Purpose.MARKETING)


def cap(most: int, hours: float, *, channel: OutreachChannel | None = None) -> FrequencyCap:
    """Return a cap of ``most`` service letters in ``hours`` hours."""
    return FrequencyCap(purpose=Purpose.SERVICE, most=most, window=timedelta(hours=hours), channel=channel)


class TestCaps:
    def test_a_full_channel_leaves_the_others(self) -> None:
        """With one text message a day allowed, the second letter goes by e-mail."""
        playbook = everything(caps=(cap(1, 24, channel=SMS),), channel_order=(SMS, EMAIL))
        ana = given(profile(addresses=(PHONE, MAIL)), playbook=playbook)
        ana.when(delay(at("12:00"), minutes=90, subject="A"))
        assert [one.channel for one in ana.requests[-1].addresses] == [SMS, EMAIL]
        ana.when(sent(at("12:01"), ana, channel=SMS)).when(delay(at("12:10"), minutes=90, subject="B"))
        assert [one.channel for one in ana.requests[-1].addresses] == [EMAIL]

    def test_a_channel_that_a_letter_may_fall_back_to_counts_until_it_did_not(self) -> None:
        """A letter counts on every channel that it may fall through to, until it is known to have left on another."""
        playbook = everything(caps=(cap(1, 24, channel=SMS),), channel_order=(EMAIL, SMS))
        ana = given(profile(addresses=(PHONE, MAIL)), playbook=playbook)
        ana.when(delay(at("12:00"), minutes=90, subject="A")).when(delay(at("12:01"), minutes=90, subject="B"))
        assert [one.channel for one in ana.requests[-1].addresses] == [EMAIL]
        ana.when(sent(at("12:02"), ana))
        free = given(profile(addresses=(PHONE, MAIL)), playbook=playbook).when(delay(at("12:00"), minutes=90))
        free.when(sent(at("12:01"), free)).when(delay(at("12:02"), minutes=90, subject="B"))
        assert [one.channel for one in free.requests[-1].addresses] == [EMAIL, SMS]

    def test_where_every_channel_is_full_it_waits_for_the_first_to_free(self) -> None:
        """If the caps on all channels are reached, the letter is held until the first of them frees up."""
        caps = (cap(1, 2, channel=SMS), cap(1, 3, channel=EMAIL))
        ana = given(profile(addresses=(PHONE, MAIL)), playbook=everything(caps=caps, channel_order=(SMS, EMAIL)))
        ana.when(delay(at("12:00"), minutes=90, subject="A"))
        ana.when(delay(at("12:30"), minutes=200, subject="B")).then("hold notice until 09 Feb 14:00: frequency_cap")
        ana.when_time_passes_to(at("14:00")).then("send notice with movie")
        assert [one.channel for one in ana.requests[-1].addresses] == [SMS]

    def test_tasks_for_our_own_people_are_no_messages(self) -> None:
        """Tasks for staff do not count towards caps."""
        ana = given(profile(), posts(Sentiment.NEGATIVE), playbook=everything(caps=(cap(1, 24),)))
        ana.when(delay(at("12:30"), minutes=90)).then("send notice with free-book")


class TestPriority:
    def held(self, *priority: str) -> Journey:
        """Return a journey with a holding message and a delay notice held for seven o'clock."""
        ana = given(profile(), playbook=everything(caps=(cap(1, 24),), priority=priority))
        ana.when(asks(at("04:00"), channel=Channel.EMAIL)).when_time_passes_to(at("05:00"))
        ana.then("hold holding until 09 Feb 07:00: quiet_hours")
        ana.when(delay(at("06:00"), minutes=90)).then("hold notice until 09 Feb 07:00: quiet_hours")
        return ana

    def test_one_slot_goes_to_whoever_comes_first(self) -> None:
        """If the cap leaves room for one, the policy with priority sends, and the other's refusal names it."""
        ana = self.held().when_time_passes_to(at("07:00"))
        ana.then("send notice with free-book", "suppress holding: gave_way")
        assert "delay_care has priority" in ana.decisions[-1].explanation

    def test_giving_way_is_told_once(self) -> None:
        """A refusal that gave way is recorded once; later refusals by the same cap are not."""
        ana = given(profile(), playbook=everything(caps=(cap(1, 2),)))
        ana.when(asks(at("05:30"), channel=Channel.EMAIL)).when(delay(at("06:00"), minutes=300, promised=at("09:00")))
        ana.when_time_passes_to(at("07:00"))
        assert "hold holding until 09 Feb 09:00: gave_way" in told(ana.outputs)
        ana.when(given_by_agent(at("07:10"))).then_nothing()
        ana.when(given_by_agent(at("07:20"), name="g2")).then_nothing()

    def test_the_playbook_says_who_comes_first(self) -> None:
        """The playbook's order of priority decides which policy sends."""
        ana = self.held("response_watch", "delay_care").when_time_passes_to(at("07:00"))
        ana.then("send holding", "suppress notice: gave_way")


class TestBudgets:
    def test_the_news_are_told_without_the_gesture_that_is_too_much(self) -> None:
        """With a budget of ten and gestures of four, the third letter has no gesture, and the decision says why."""
        ana = given(
            profile(), playbook=everything(gesture_budgets=(Budget(most=Decimal(10), window=timedelta(days=1)),))
        )
        ana.when(delay(at("12:00"), minutes=60, subject="A")).then("send notice with free-book")
        ana.when(delay(at("12:01"), minutes=60, subject="B")).then("send notice with free-book")
        ana.when(delay(at("12:02"), minutes=60, subject="C")).then("send notice")
        assert ana.requests[-1].variables["gesture_title"] == ""
        assert ana.decisions[-1].inputs["gesture_withheld"] == "free-book costs 4.00; 2.00 is left in 24 hours"
        ana.when_time_passes_to(at("14:59")).then_nothing()

    def test_what_an_employee_gave_counts(self) -> None:
        """Gestures of employees count towards the budget."""
        playbook = everything(gesture_budgets=(Budget(most=Decimal(10), window=timedelta(days=1)),))
        ana = given(profile(), given_by_agent(at("11:00"), "7.00"), playbook=playbook)
        ana.when(delay(at("12:00"), minutes=60)).then("send notice")

    def test_a_day_later_there_is_room_again(self) -> None:
        """The budget's window rolls: a day later there is room again."""
        playbook = everything(gesture_budgets=(Budget(most=Decimal(5), window=timedelta(days=1)),))
        waited = (delay(at("12:00"), minutes=60, subject="A"), departure(at("13:00"), subject="A"))
        ana = given(profile(), *waited, playbook=playbook)
        ana.when(delay(at("12:00", day=1), subject="B", promised=at("14:00", day=1), minutes=60))
        ana.then("send notice with free-book")

    def test_a_coupon_that_is_too_much_takes_its_code_along(self) -> None:
        """A letter whose coupon exceeds the budget is sent without the coupon and its code."""
        playbook = everything(gesture_budgets=(Budget(most=Decimal(3), window=timedelta(days=1)),))
        ana = given(profile(), YES, playbook=playbook).when(cannot_have(at("12:00"), "boots-42", "89.00"))
        ana.then("send save")
        assert {ana.requests[0].variables[name] for name in ("gesture_title", "gesture_link", "gesture_code")} == {""}


class TestNo:
    """An opt-out takes effect immediately, also on letters that were already requested."""

    @pytest.mark.parametrize("channel", [None, EMAIL])
    def test_a_letter_that_may_not_have_left_is_called_back(self, channel: OutreachChannel | None) -> None:
        """An opt-out retracts a letter that was requested a minute before."""
        ana = given(profile(), delay(at("12:00"), minutes=90), playbook=everything())
        ana.when(consent(ConsentStatus.REVOKED, at("12:01"), channel=channel))
        ana.then("take back notice: consent_withdrawn")
        assert any(isinstance(one, OutreachRetracted) for one in ana.outputs)

    def test_a_no_to_offers_leaves_the_service_alone(self) -> None:
        """An opt-out of marketing retracts no service letter."""
        ana = given(profile(), delay(at("12:00"), minutes=90), playbook=everything())
        ana.when(consent(ConsentStatus.REVOKED, at("12:01"), purpose=Purpose.MARKETING)).then_nothing()

    def test_one_way_out_that_is_closed_calls_the_whole_letter_back(self) -> None:
        """An opt-out of one of a letter's channels retracts the letter."""
        ana = given(profile(addresses=(MAIL, HOOK)), delay(at("12:00"), minutes=90), playbook=everything())
        ana.when(consent(ConsentStatus.REVOKED, at("12:01"), channel=OutreachChannel.WEBHOOK))
        ana.then("take back notice: consent_withdrawn")

    def test_unsubscribed_from_an_offer_still_told_of_a_delay(self) -> None:
        """The link in a marketing letter ends marketing on that channel; service letters continue."""
        ana = given(profile(), YES, cannot_have(at("12:00"), "boots-42", "89.00"), playbook=everything())
        assert ana.requests
        ana.when(engages(at("12:10"), ana, Engagement.UNSUBSCRIBED)).then_nothing()
        (closed,) = ana.known.suppressions
        assert (closed.reason, closed.purpose) == ("unsubscribed", Purpose.MARKETING)
        ana.when(cannot_have(at("12:20"), "coat-7", "9.00")).then("suppress save: suppressed")
        ana.when(delay(at("12:30"), minutes=90)).then("send notice with free-book")

    def test_a_link_in_an_old_offer_still_ends_offers_alone(self) -> None:
        """The link in an unknown marketing letter ends marketing only."""
        ana = given(profile(), YES, playbook=everything())
        old = OutreachEngaged(
            **facts(at("12:00")), outreach_id="long-ago", channel=EMAIL, kind=Engagement.UNSUBSCRIBED,
            detail="MARKETING",
        )  # fmt: skip
        ana.when(old).when(delay(at("12:30"), minutes=90)).then("send notice with free-book")
        assert [one.purpose for one in ana.known.suppressions] == [Purpose.MARKETING]

    def test_unsubscribed_from_a_service_letter_is_a_no_to_everything_there(self) -> None:
        """The link in a service letter closes the channel for service and marketing."""
        ana = given(profile(), YES, delay(at("12:00"), minutes=90), playbook=everything())
        ana.when(engages(at("12:10"), ana, Engagement.UNSUBSCRIBED))
        assert [one.purpose for one in ana.known.suppressions] == [None]
        ana.when(cannot_have(at("12:20"), "boots-42", "89.00")).then("suppress save: suppressed")

    def test_a_complaint_calls_back_what_else_is_on_its_way(self) -> None:
        """A complaint about one letter retracts the other that is still on its way."""
        ana = given(profile(), delay(at("12:00"), minutes=90, subject="A"), playbook=everything())
        first = ana.requests[0]
        ana.when(delay(at("12:01"), minutes=90, subject="B"))
        complaint = engages(at("12:02"), ana, Engagement.COMPLAINED)
        ana.when(complaint).then("take back notice: consent_withdrawn")
        (back,) = (one for one in ana.outputs if isinstance(one, OutreachRetracted))
        assert back.outreach_id == first.outreach_id


class TestRecords:
    def test_every_decision_says_who_why_and_by_which_playbook(self) -> None:
        """Every decision has its policy, playbook version, reason, explanation and subject."""
        ana = given(profile(), YES, playbook=everything())
        ana.when(delay(at("12:00"), minutes=90)).when(posts(Sentiment.NEGATIVE, at("12:01")))
        ana.when(feedback(FeedbackKind.CSAT, at("12:02"), score=1)).when(cannot_have(at("12:03"), "boots", "9.00"))
        ana.when(asks(at("12:04"))).when_time_passes_to(at("12:30"))
        spoke = {one.policy for one in ana.decisions}
        assert len(spoke) > 3
        assert spoke <= set(names())
        for one in ana.decisions:
            assert one.playbook_version == "tuned"
            assert one.reason
            assert one.explanation
            assert one.inputs["subject"]

    def test_a_new_playbook_is_told_of_with_the_first_decision_under_it(self) -> None:
        """A change of the playbook is recorded with each customer's first decision under it, once."""
        ana = given(profile(), delay(at("12:00"), minutes=90, subject="A"), playbook=everything())
        later = Journey(replace(everything(), version="newer"))
        later.state, later.now = ana.state, ana.now
        later.when(delay(at("12:10"), minutes=90, subject="B")).when(delay(at("12:20"), minutes=90, subject="C"))
        assert [(one.playbook_version, one.inputs.get("playbook_before")) for one in later.decisions] == [
            ("newer", "tuned"), ("newer", None)
        ]  # fmt: skip

    def test_an_escalation_is_told_apart(self) -> None:
        """An escalation has its own kind of decision, and a flag on the request."""
        ana = given(profile(), asks(), playbook=everything()).when_time_passes_to(at("12:20"))
        kinds = {one.occasion: one.kind for one in ana.decisions}
        assert kinds == {"holding": DecisionKind.SEND, "escalation": DecisionKind.ESCALATE}
        assert [one.escalation for one in ana.requests] == [False, True]
