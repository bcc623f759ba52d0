"""Delay care: customers who wait hear from us first, with a gesture that makes the wait easier."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest

from processors.journey.wait_rules import WaitRules
from streams.events import CancelledBy, DecisionKind, DelayReason, OutreachRetracted
from tests.journey.given import (
    NOON,
    WAITS,
    at,
    called_off,
    cancellation,
    delay,
    delivered,
    departure,
    given,
    profile,
    tuned,
)


class TestNotice:
    def test_as_soon_as_the_delay_passes_the_threshold(self) -> None:
        """A customer who will wait half an hour or more is told at once."""
        given(profile()).when(delay(minutes=30)).then("send notice with free-book")

    def test_a_shorter_wait_is_recorded_once_as_below_the_threshold(self) -> None:
        """A wait that is too short for a letter has exactly one reason on record, however often it is announced."""
        journey = given(profile()).when(delay(minutes=29)).then("suppress notice: below_threshold")
        journey.when(delay(at("12:10"), minutes=25)).then_nothing()
        journey.when(delay(at("12:20"), minutes=28)).then_nothing()

    def test_a_short_wait_that_grows_long_is_told(self) -> None:
        """A wait that grows past the threshold is told as soon as it does."""
        journey = given(profile(), delay(minutes=10))
        journey.when(delay(at("13:00"), minutes=45)).then("send notice with free-book")

    def test_a_wait_nobody_revised_is_told_once_the_customer_has_waited(self) -> None:
        """If the announced time passes and nothing happens, the customer hears from us at the threshold."""
        journey = given(profile(), delay(minutes=10))
        journey.when_time_passes_to(at("14:29")).then_nothing()
        journey.when_time_passes_to(at("14:30")).then("send notice with free-book")

    def test_a_wait_of_unknown_length_is_told_after_the_threshold(self) -> None:
        """Where nobody says how long it will take, the customer hears from us once they have waited long enough."""
        journey = given(profile()).when(delay()).then("suppress notice: below_threshold")
        journey.when_time_passes_to(at("14:30")).then("send notice with free-book")

    @pytest.mark.parametrize(
        ("minutes", "gift"), [(30, "free-book"), (119, "free-book"), (120, "movie"), (239, "movie"), (240, "meal")]
    )
    def test_the_gesture_fits_the_expected_wait(self, minutes: int, gift: str) -> None:
        """The longer the wait, the larger the gesture, from the first letter on."""
        given(profile()).when(delay(minutes=minutes)).then(f"send notice with {gift}")

    def test_the_letter_carries_what_is_known(self) -> None:
        """The letter says what is late, since when, until when and why, in the customer's language."""
        journey = given(profile(locale="de-AT", time_zone="Europe/Vienna")).when(delay(minutes=45))
        (request,) = journey.requests
        assert request.template == "delay_care/notice"
        assert request.useful_until == at("14:45")
        assert (request.locale, request.time_zone) == ("de-AT", "Europe/Vienna")
        assert request.gesture is not None
        assert request.gesture.title == "free-book (de)"
        assert request.variables["description"] == "flight UA571"
        assert request.variables["wait_minutes"] == "45"
        assert request.variables["reason"] == DelayReason.WEATHER
        assert request.variables["promised_at"] == "2026-02-09T14:00:00+00:00"
        assert request.variables["expected_at"] == "2026-02-09T14:45:00+00:00"
        assert request.variables["previous_expected_at"] == ""

    def test_a_subject_without_rules_of_its_own_goes_by_the_default(self) -> None:
        """A parcel has no rules of its own here, so the default applies: a letter when it is a day late."""
        journey = given(profile())
        journey.when(delay(subject_kind="parcel", minutes=23 * 60)).then("suppress notice: below_threshold")
        journey.when(delay(at("12:01"), subject_kind="parcel", minutes=24 * 60)).then("send notice with free-shipping")

    def test_only_while_they_wait(self) -> None:
        """A letter is useful until the wait is expected to end, and for an hour if that is unknown."""
        journey = given(profile()).when(delay(minutes=45)).when(delay(at("14:40"), subject="B"))
        journey.when_time_passes_to(at("14:46"))
        assert [(one.variables["description"], one.useful_until) for one in journey.requests] == [
            ("flight UA571", at("14:45")),
            ("flight B", at("15:40")),
        ]


class TestAsTheWaitGrows:
    def test_the_next_gesture_comes_when_a_longer_wait_is_announced(self) -> None:
        """When the wait becomes longer, the gesture grows with it; the earlier letter is replaced."""
        journey = given(profile(), delay(minutes=45))
        journey.when(delay(at("13:00"), minutes=130)).then("send gesture-1 with movie", "replace the earlier letter")

    def test_the_next_gesture_comes_when_time_alone_passes(self) -> None:
        """If nobody revises the announced time, the next gesture still comes when the customer has waited that long."""
        journey = given(profile(), delay(minutes=45))
        journey.when_time_passes_to(at("15:59")).then_nothing()
        journey.when_time_passes_to(at("16:00")).then("send gesture-1 with movie")
        journey.when_time_passes_to(at("18:00")).then("send gesture-2 with meal")
        journey.when_time_passes_to(at("21:00")).then_nothing()

    def test_no_gesture_is_given_twice(self) -> None:
        """A wait that shrinks and grows again does not bring the same gesture a second time."""
        journey = given(profile(), delay(minutes=130), delay(at("12:10"), minutes=45))
        journey.when(delay(at("12:20"), minutes=130)).then("send revision-2", "replace the earlier letter")

    def test_the_letter_about_the_next_gesture_is_another_letter(self) -> None:
        """The letter with the next gesture says that it takes longer, not that it is late."""
        journey = given(profile(), delay(minutes=45)).when(delay(at("13:00"), minutes=130))
        assert [one.template for one in journey.requests] == ["delay_care/notice", "delay_care/longer"]


class TestRevised:
    @pytest.mark.parametrize("minutes", [70, 110])
    def test_a_time_that_moves_enough_is_told(self, minutes: int) -> None:
        """When the expected time moves by twenty minutes in either direction, the customer is told the new one."""
        journey = given(profile(), delay(minutes=90))
        journey.when(delay(at("13:00"), minutes=minutes)).then("send revision-1", "replace the earlier letter")
        assert journey.requests[-1].template == "delay_care/revised"
        assert journey.requests[-1].variables["previous_expected_at"] == "2026-02-09T15:30:00+00:00"

    @pytest.mark.parametrize("minutes", [71, 90, 109])
    def test_a_time_that_hardly_moves_is_not(self, minutes: int) -> None:
        """A change of less than twenty minutes causes no letter."""
        given(profile(), delay(minutes=90)).when(delay(at("13:00"), minutes=minutes)).then_nothing()

    def test_small_moves_add_up(self) -> None:
        """The change is measured from what the customer was told, not from the last announcement."""
        journey = given(profile(), delay(minutes=60), delay(at("12:30"), minutes=75))
        journey.when(delay(at("13:00"), minutes=85)).then("send revision-1", "replace the earlier letter")

    def test_back_to_almost_on_time_is_told_too(self) -> None:
        """A customer who was told of an hour's delay is told when it shrinks to five minutes, or they would miss their
        flight."""
        journey = given(profile(), delay(minutes=60))
        journey.when(delay(at("12:30"), minutes=5)).then("send revision-1", "replace the earlier letter")

    def test_a_time_where_none_was_known_is_told(self) -> None:
        """The first expected time after none was known causes a letter."""
        journey = given(profile(), delay()).when_time_passes_to(at("14:30"))
        journey.when(delay(at("14:40"), minutes=60)).then("send revision-1", "replace the earlier letter")

    def test_the_new_letter_names_the_one_it_replaces(self) -> None:
        """The earlier letter is retracted before the new one is requested, with the reason 'revised'."""
        journey = given(profile(), delay(minutes=60)).when(delay(at("13:00"), minutes=90))
        first, second = journey.requests
        assert second.revises == first.outreach_id
        retractions = [one for one in journey.outputs if isinstance(one, OutreachRetracted)]
        assert [(one.outreach_id, one.reason) for one in retractions] == [(first.outreach_id, "revised")]
        assert journey.outputs.index(retractions[0]) < journey.outputs.index(second)

    def test_a_letter_that_is_of_no_use_any_more_is_not_taken_back(self) -> None:
        """Once the announced time has passed, the earlier letter is not retracted."""
        journey = given(profile(), delay(minutes=60))
        journey.when(delay(at("15:01"), minutes=90)).then("send revision-1")

    def test_a_late_older_notice_changes_nothing(self) -> None:
        """A notice that arrives after a newer one causes no letter."""
        journey = given(profile(), delay(at("12:30"), minutes=90))
        journey.when(delay(at("12:00"), minutes=300), now=at("13:00")).then_nothing()
        assert journey.known.delays[0].expected_at == at("15:30")


class TestOver:
    def test_a_letter_is_taken_back_when_the_wait_ends_early(self) -> None:
        """When the flight leaves earlier than the letter said, the letter is retracted."""
        given(profile(), delay(minutes=60)).when(departure(at("14:30"))).then("take back notice: wait_over")

    def test_every_letter_still_of_use_is_taken_back_once(self) -> None:
        """Of two letters only the last is still in effect; it is retracted once."""
        journey = given(profile(), delay(minutes=60), delay(at("13:00"), minutes=90))
        journey.when(departure(at("14:30"))).then("take back revision-1: wait_over")
        journey.when(departure(at("14:35"))).then_nothing()

    def test_nothing_is_taken_back_of_what_ran_its_course(self) -> None:
        """When the flight leaves as announced, nothing is retracted."""
        given(profile(), delay(minutes=60)).when(departure(at("15:00"))).then_nothing()

    def test_nothing_more_is_sent(self) -> None:
        """After the departure no letter about the wait is sent."""
        journey = given(profile(), delay(minutes=60), departure(at("14:30")))
        assert journey.known.wake_at is None
        journey.when_time_passes_to(at("12:00", day=3)).then_nothing()

    def test_a_notice_after_the_end_opens_a_new_wait(self) -> None:
        """The same flight late again is another wait, with letters of its own."""
        journey = given(profile(), delay(minutes=60), departure(at("14:30")))
        journey.when(delay(at("15:00"), promised=at("16:00"), minutes=45)).then("send notice with free-book")
        assert len({one.outreach_id for one in journey.requests}) == 2

    def test_an_end_that_arrives_before_its_notice_keeps_it_from_opening(self) -> None:
        """A notice that arrives after the departure it precedes causes no letter."""
        journey = given(profile(), departure(at("14:30")))
        journey.when(delay(at("13:00"), minutes=60), now=at("14:31")).then_nothing()

    def test_a_notice_of_the_same_moment_does_not_open_it_again(self) -> None:
        """If a notice and an end have the same time, the wait is over whichever arrives first."""
        given(profile(), departure(at("14:30"))).when(delay(at("14:30"), minutes=60)).then_nothing()
        journey = given(profile(), delay(at("14:30"), minutes=60)).when(departure(at("14:30")))
        assert journey.known.delays[0].closed_at == at("14:30")

    def test_a_forgotten_wait_lapses(self) -> None:
        """A wait whose end nobody reported lapses two days after its expected end."""
        journey = given(profile(), delay(minutes=60))
        journey.when_time_passes_to(at("14:59", day=2))
        assert journey.known.delays[0].closed_at is None
        journey.when_time_passes_to(at("15:00", day=2))
        assert journey.known.delays[0].closed_at == at("15:00", day=2)
        assert journey.known.wake_at is None


class TestCancelled:
    def test_another_letter(self) -> None:
        """A cancellation has a letter of its own, with a larger gesture."""
        journey = given(profile()).when(cancellation()).then("send cancelled-0 with hotel")
        assert journey.requests[0].template == "delay_care/cancelled"
        assert journey.requests[0].useful_until == at("14:00", day=1)

    def test_after_notices(self) -> None:
        """A late flight that is then cancelled causes another letter, which replaces the earlier one."""
        journey = given(profile(), delay(minutes=60))
        journey.when(cancellation(at("13:00"))).then("send cancelled-1 with hotel", "replace the earlier letter")
        journey.when(cancellation(at("13:10"))).then_nothing()

    def test_stays_true_when_the_wait_is_closed(self) -> None:
        """The letter about a cancellation is not retracted when the wait ends."""
        given(profile(), cancellation()).when(departure(at("13:00"))).then_nothing()

    def test_it_comes_after_all(self) -> None:
        """When a cancellation is reversed, the customer is told, with the gesture for the remaining wait."""
        journey = given(profile(), delay(minutes=60), cancellation(at("12:30")))
        journey.when(delay(at("13:00"), minutes=150)).then("send revision-2 with movie", "replace the earlier letter")
        journey.when(cancellation(at("13:30"))).then("send cancelled-3 with hotel", "replace the earlier letter")

    def test_a_short_wait_may_still_be_cancelled(self) -> None:
        """A customer whose wait was too short for a letter is told of the cancellation."""
        given(profile(), delay(minutes=10)).when(cancellation(at("13:00"))).then("send cancelled-0 with hotel")


class TestOrders:
    def test_delivered_ends_the_wait(self) -> None:
        """A delivery ends the wait for the order."""
        journey = given(profile(), delay(minutes=60, order_id="booking-1"))
        journey.when(delivered(at("14:10"))).then("take back notice: wait_over")

    def test_cancelled_by_the_customer_ends_the_wait(self) -> None:
        """A cancellation by the customer ends the wait, and they get no letter about it."""
        journey = given(profile(), delay(minutes=60, order_id="booking-1"))
        journey.when(called_off(at("13:00"), CancelledBy.CUSTOMER)).then("take back notice: wait_over")

    @pytest.mark.parametrize("by", [CancelledBy.COMPANY, CancelledBy.UNKNOWN])
    def test_cancelled_by_the_company_is_told(self, by: CancelledBy) -> None:
        """A cancellation by the company causes a letter to the customer."""
        journey = given(profile(), delay(minutes=60, order_id="booking-1"))
        journey.when(called_off(at("13:00"), by)).then("send cancelled-1 with hotel", "replace the earlier letter")

    def test_the_end_of_another_order_changes_nothing(self) -> None:
        """One parcel's arrival does not end the wait for another."""
        given(profile(), delay(minutes=60, order_id="booking-1")).when(delivered(at("14:10"), "other")).then_nothing()

    def test_an_older_end_does_not_undo_a_later_notice(self) -> None:
        """An end that happened before the latest notice does not close the wait."""
        journey = given(profile(), delay(at("12:30"), minutes=60, order_id="booking-1"))
        journey.when(delivered(at("12:00")), now=at("13:00")).then_nothing()
        assert journey.known.delays[0].closed_at is None

    def test_a_notice_that_comes_after_the_delivery_opens_nothing(self) -> None:
        """A notice that arrives after the delivery it precedes causes no letter."""
        journey = given(profile(), delivered(at("13:00")))
        journey.when(delay(at("12:30"), minutes=60, order_id="booking-1"), now=at("13:05")).then_nothing()


class TestHeldAndHeldBack:
    def test_held_over_night_and_sent_in_the_morning(self) -> None:
        """A letter that is due at night is sent in the morning if it is still useful then."""
        night = {"promised": at("09:00", day=1), "minutes": 60}
        journey = given(profile()).when(delay(at("23:00"), **night)).then("hold notice until 10 Feb 07:00: quiet_hours")
        journey.when_time_passes_to(at("07:00", day=1)).then("send notice with free-book")

    def test_what_was_held_goes_by_what_is_true_in_the_morning(self) -> None:
        """A held letter has the facts and the gesture of the morning."""
        journey = given(profile(), delay(at("23:00"), promised=at("09:00", day=1), minutes=60))
        journey.when(delay(at("23:30"), promised=at("09:00", day=1), minutes=150)).then_nothing()
        journey.when_time_passes_to(at("07:00", day=1)).then("send notice with movie")

    def test_a_held_letter_is_dropped_when_the_wait_ends(self) -> None:
        """If the wait ends before the morning, the held letter is released, with the reason on record."""
        journey = given(profile(), delay(at("23:00"), promised=at("09:00", day=1), minutes=60))
        journey.when(departure(at("23:30"))).then("drop notice: wait_over")
        journey.when_time_passes_to(at("07:00", day=1)).then_nothing()

    def test_a_held_letter_ends_on_record_when_the_wait_lapses(self) -> None:
        """A letter held for an unknown time zone is released on record when the wait lapses after two days."""
        journey = given(profile(time_zone="Nowhere/At_All")).when(delay(at("13:00")))
        journey.when_time_passes_to(NOON + timedelta(days=4))
        assert [one.kind for one in journey.decisions if one.occasion == "notice"][-2:] == [
            DecisionKind.HOLD, DecisionKind.RETRACT,
        ]  # fmt: skip

    def test_a_held_cancellation_is_dropped_when_the_wait_ends(self) -> None:
        """A held letter about a cancellation is released on record once the customer has cancelled the order."""
        order = {"promised": at("09:00", day=1), "order_id": "booking-1"}
        journey = given(profile()).when(cancellation(at("23:00"), **order))
        journey.then("hold cancelled-0 until 10 Feb 07:00: quiet_hours")
        journey.when(called_off(at("23:30"), CancelledBy.CUSTOMER)).then("drop cancelled-0: wait_over")

    def test_a_held_letter_that_would_come_too_late_says_so(self) -> None:
        """If a held letter's wait now ends before the morning, its suppression is recorded once."""
        promised = at("05:00", day=1)
        journey = given(profile()).when(delay(at("23:00"), promised=promised, minutes=180))
        journey.then("hold notice until 10 Feb 07:00: quiet_hours")
        journey.when(delay(at("23:30"), promised=promised, minutes=60)).then("suppress notice: quiet_hours")
        journey.when(delay(at("23:40"), promised=promised, minutes=60)).then_nothing()

    def test_a_letter_refused_for_the_night_may_be_held_after_all(self) -> None:
        """When the wait grows into the day, the suppressed letter is held, and that is recorded."""
        promised = at("05:00", day=1)
        journey = given(profile()).when(delay(at("23:00"), promised=promised, minutes=60))
        journey.then("suppress notice: quiet_hours")
        journey.when(delay(at("23:30"), promised=promised, minutes=180))
        journey.then("hold notice until 10 Feb 07:00: quiet_hours")

    def test_a_held_notice_whose_wait_shrinks_below_the_threshold(self) -> None:
        """If the wait of a held letter shrinks below the threshold, that is the reason on record."""
        promised = at("09:00", day=1)
        journey = given(profile(), delay(at("23:00"), promised=promised, minutes=60))
        journey.when(delay(at("23:30"), promised=promised, minutes=5)).then("suppress notice: below_threshold")
        journey.when_time_passes_to(at("07:00", day=1)).then_nothing()

    def test_a_held_revision_that_is_no_news_any_more(self) -> None:
        """If the time moves back to what the customer was told, the held revision is released on record."""
        promised = at("09:00", day=1)
        journey = given(profile(), delay(at("21:00"), promised=promised, minutes=60))
        journey.when(delay(at("23:00"), promised=promised, minutes=100))
        journey.then("hold revision-1 until 10 Feb 07:00: quiet_hours")
        journey.when(delay(at("23:30"), promised=promised, minutes=60)).then("drop revision-1: no_longer_news")
        journey.when_time_passes_to(at("07:00", day=1)).then_nothing()

    def test_whoever_still_waits_in_the_morning_hears_from_us(self) -> None:
        """If a wait that was to end at night still lasts in the morning, the customer is told then."""
        journey = given(profile()).when(delay(at("22:30"), promised=at("21:00"), minutes=150))
        journey.then("suppress notice: quiet_hours")
        journey.when_time_passes_to(at("06:29", day=1)).then_nothing()
        journey.when_time_passes_to(at("08:00", day=1))
        assert [one.occasion for one in journey.requests] == ["notice"]
        assert at("07:00", day=1) <= journey.requests[0].requested_at <= at("08:00", day=1)


class TestSeveral:
    def test_two_waits_at_once_are_two_letters(self) -> None:
        """Each flight has its own letter, and the end of one wait does not end the other."""
        journey = given(profile(), delay(minutes=60))
        journey.when(delay(at("12:10"), subject="BA112", minutes=130)).then("send notice with movie")
        journey.when(departure(at("14:10"))).then("take back notice: wait_over")
        journey.when(delay(at("14:20"), subject="BA112", minutes=170)).then(
            "send revision-1", "replace the earlier letter"
        )

    def test_a_flight_and_a_parcel_of_the_same_number_are_two(self) -> None:
        """A flight and a parcel with the same id are two different waits."""
        journey = given(profile(), delay(minutes=60)).when(departure(at("13:00"), subject_kind="parcel"))
        journey.then_nothing()
        assert [one.closed_at for one in journey.known.delays if one.subject_kind == "flight"] == [None]

    def test_without_a_gesture_in_the_playbook_the_letter_still_comes(self) -> None:
        """A playbook without gestures still sends the letters."""
        rules = dataclasses.replace(WAITS.kinds["flight"], stages=(), cancelled=None)
        journey = given(profile(), playbook=tuned(WaitRules(kinds={"default": rules})))
        journey.when(delay(minutes=60)).then("send notice")
        journey.when(cancellation(at("13:00"))).then("send cancelled-1", "replace the earlier letter")

    def test_a_time_at_the_end_of_the_calendar_breaks_nothing(self) -> None:
        """An expected time in the year 9999 counts as unknown, and a wait with such a promise can be cancelled."""
        end = at("00:00").replace(year=9999, month=12, day=31, hour=23)
        journey = given(profile()).when(delay(expected=end)).then("suppress notice: below_threshold")
        journey.when_time_passes_to(at("14:30")).then("send notice with free-book")
        journey.when(cancellation(at("14:40"), promised=end)).then(
            "send cancelled-1 with hotel", "replace the earlier letter"
        )
        assert journey.known.wake_at is not None

    def test_the_record_names_what_the_decision_went_by(self) -> None:
        """Every decision records the figures it was based on."""
        journey = given(profile()).when(delay(NOON, minutes=29))
        (decision,) = journey.decisions
        assert decision.inputs["wait_minutes"] == "29"
        assert decision.inputs["threshold_minutes"] == "30"
        assert decision.inputs["subject"] == "flight UA571"
        assert decision.explanation == "the wait is shorter than 30 minutes"
        assert decision.decided_at == NOON
        assert timedelta(0) < WAITS.kinds["flight"].threshold


class TestWhoseClock:
    def test_times_are_told_where_the_wait_takes_place(self) -> None:
        """A customer at a gate in New York reads New York's time, whatever their own time zone."""
        journey = given(profile(time_zone="Europe/Berlin")).when(delay(minutes=60, time_zone="America/New_York"))
        assert [request.time_zone for request in journey.requests] == ["America/New_York"]

    def test_elsewhere_times_are_the_customers_own(self) -> None:
        """Without a time zone, or with an invalid one, the times are in the customer's own."""
        for zone in (None, "America/Gotham"):
            journey = given(profile(time_zone="Europe/Berlin")).when(delay(minutes=60, time_zone=zone))
            assert [request.time_zone for request in journey.requests] == ["Europe/Berlin"]


@pytest.mark.parametrize("year", [1, 1900, 2099, 9999])
def test_an_expected_time_that_nobody_can_mean_is_not_known(year: int) -> None:
    """An impossible expected time is treated as unknown."""
    nobody_knows = datetime(year, 12, 31, 23, 59, tzinfo=UTC)
    ana = given(profile()).when(delay(promised=NOON, expected=nobody_knows))
    ana.when_time_passes_to(at("13:30"))
    assert ana.known.delays[0].expected_at is None
    assert ana.requests[-1].variables["expected_at"] == ""
    assert int(ana.requests[-1].variables["wait_minutes"]) <= 90
