"""Delay care: whoever waits hears from us first, with something that makes the wait lighter."""

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
        """Whoever will wait half an hour or more hears of it at once."""
        given(profile()).when(delay(minutes=30)).then("send notice with free-book")

    def test_a_shorter_wait_is_recorded_once_as_below_the_threshold(self) -> None:
        """A wait that is too short for a letter leaves exactly one stated reason, however often it is announced."""
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
        """The letter knows what is late, since when, until when, why, and in whose words to say it."""
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
        """A parcel is not a flight: it is written about when it is a day late."""
        journey = given(profile())
        journey.when(delay(subject_kind="parcel", minutes=23 * 60)).then("suppress notice: below_threshold")
        journey.when(delay(at("12:01"), subject_kind="parcel", minutes=24 * 60)).then("send notice with free-shipping")

    def test_only_while_they_wait(self) -> None:
        """A letter is useful until the moment the wait is expected to end, and for an hour where nobody knows."""
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
        """It says that it takes longer, not that it is late."""
        journey = given(profile(), delay(minutes=45)).when(delay(at("13:00"), minutes=130))
        assert [one.template for one in journey.requests] == ["delay_care/notice", "delay_care/longer"]


class TestRevised:
    @pytest.mark.parametrize("minutes", [70, 110])
    def test_a_time_that_moves_enough_is_told(self, minutes: int) -> None:
        """Sooner or later: when the expected time moves by twenty minutes, the customer hears the new one."""
        journey = given(profile(), delay(minutes=90))
        journey.when(delay(at("13:00"), minutes=minutes)).then("send revision-1", "replace the earlier letter")
        assert journey.requests[-1].template == "delay_care/revised"
        assert journey.requests[-1].variables["previous_expected_at"] == "2026-02-09T15:30:00+00:00"

    @pytest.mark.parametrize("minutes", [71, 90, 109])
    def test_a_time_that_hardly_moves_is_not(self, minutes: int) -> None:
        """A few minutes are not worth another letter."""
        given(profile(), delay(minutes=90)).when(delay(at("13:00"), minutes=minutes)).then_nothing()

    def test_small_moves_add_up(self) -> None:
        """What counts is how far it is from what the customer was told, not from the last announcement."""
        journey = given(profile(), delay(minutes=60), delay(at("12:30"), minutes=75))
        journey.when(delay(at("13:00"), minutes=85)).then("send revision-1", "replace the earlier letter")

    def test_back_to_almost_on_time_is_told_too(self) -> None:
        """Who was told of an hour and need not wait it has to know: they would miss their flight."""
        journey = given(profile(), delay(minutes=60))
        journey.when(delay(at("12:30"), minutes=5)).then("send revision-1", "replace the earlier letter")

    def test_a_time_where_none_was_known_is_told(self) -> None:
        """The first time anybody can name is worth a letter."""
        journey = given(profile(), delay()).when_time_passes_to(at("14:30"))
        journey.when(delay(at("14:40"), minutes=60)).then("send revision-1", "replace the earlier letter")

    def test_the_new_letter_names_the_one_it_replaces(self) -> None:
        """The retraction is for the letter that was sent, comes before the new one, and says 'revised'."""
        journey = given(profile(), delay(minutes=60)).when(delay(at("13:00"), minutes=90))
        first, second = journey.requests
        assert second.revises == first.outreach_id
        retractions = [one for one in journey.outputs if isinstance(one, OutreachRetracted)]
        assert [(one.outreach_id, one.reason) for one in retractions] == [(first.outreach_id, "revised")]
        assert journey.outputs.index(retractions[0]) < journey.outputs.index(second)

    def test_a_letter_that_is_of_no_use_any_more_is_not_taken_back(self) -> None:
        """Once the announced time has passed, nothing is left of the earlier letter to take back."""
        journey = given(profile(), delay(minutes=60))
        journey.when(delay(at("15:01"), minutes=90)).then("send revision-1")

    def test_a_late_older_notice_changes_nothing(self) -> None:
        """An announcement that was overtaken by a newer one is not told."""
        journey = given(profile(), delay(at("12:30"), minutes=90))
        journey.when(delay(at("12:00"), minutes=300), now=at("13:00")).then_nothing()
        assert journey.known.delays[0].expected_at == at("15:30")


class TestOver:
    def test_a_letter_is_taken_back_when_the_wait_ends_early(self) -> None:
        """When it leaves sooner than we wrote, what we wrote is taken back."""
        given(profile(), delay(minutes=60)).when(departure(at("14:30"))).then("take back notice: wait_over")

    def test_every_letter_still_of_use_is_taken_back_once(self) -> None:
        """Of two letters only the last still stands; it is taken back, and only once."""
        journey = given(profile(), delay(minutes=60), delay(at("13:00"), minutes=90))
        journey.when(departure(at("14:30"))).then("take back revision-1: wait_over")
        journey.when(departure(at("14:35"))).then_nothing()

    def test_nothing_is_taken_back_of_what_ran_its_course(self) -> None:
        """When it leaves as announced there is nothing to take back."""
        given(profile(), delay(minutes=60)).when(departure(at("15:00"))).then_nothing()

    def test_nothing_more_is_sent(self) -> None:
        """Nobody who left hears that they wait."""
        journey = given(profile(), delay(minutes=60), departure(at("14:30")))
        assert journey.known.wake_at is None
        journey.when_time_passes_to(at("12:00", day=3)).then_nothing()

    def test_a_notice_after_the_end_opens_a_new_wait(self) -> None:
        """The same flight late again is another wait, with letters of its own."""
        journey = given(profile(), delay(minutes=60), departure(at("14:30")))
        journey.when(delay(at("15:00"), promised=at("16:00"), minutes=45)).then("send notice with free-book")
        assert len({one.outreach_id for one in journey.requests}) == 2

    def test_an_end_that_arrives_before_its_notice_keeps_it_from_opening(self) -> None:
        """A notice that was still on its way when the flight left is not told."""
        journey = given(profile(), departure(at("14:30")))
        journey.when(delay(at("13:00"), minutes=60), now=at("14:31")).then_nothing()

    def test_a_notice_of_the_same_moment_does_not_open_it_again(self) -> None:
        """Whichever of a notice and an end of the same moment arrives first, nobody waits afterwards."""
        given(profile(), departure(at("14:30"))).when(delay(at("14:30"), minutes=60)).then_nothing()
        journey = given(profile(), delay(at("14:30"), minutes=60)).when(departure(at("14:30")))
        assert journey.known.delays[0].closed_at == at("14:30")

    def test_a_forgotten_wait_lapses(self) -> None:
        """Two days after it should have ended, a wait whose end nobody reported is over for us."""
        journey = given(profile(), delay(minutes=60))
        journey.when_time_passes_to(at("14:59", day=2))
        assert journey.known.delays[0].closed_at is None
        journey.when_time_passes_to(at("15:00", day=2))
        assert journey.known.delays[0].closed_at == at("15:00", day=2)
        assert journey.known.wake_at is None


class TestCancelled:
    def test_another_letter(self) -> None:
        """What will not come at all is told in another letter, with a larger gesture."""
        journey = given(profile()).when(cancellation()).then("send cancelled-0 with hotel")
        assert journey.requests[0].template == "delay_care/cancelled"
        assert journey.requests[0].useful_until == at("14:00", day=1)

    def test_after_notices(self) -> None:
        """A flight that was late and is then cancelled is told again; the earlier letter is replaced."""
        journey = given(profile(), delay(minutes=60))
        journey.when(cancellation(at("13:00"))).then("send cancelled-1 with hotel", "replace the earlier letter")
        journey.when(cancellation(at("13:10"))).then_nothing()

    def test_stays_true_when_the_wait_is_closed(self) -> None:
        """That it does not come stays true: the letter is not taken back."""
        given(profile(), cancellation()).when(departure(at("13:00"))).then_nothing()

    def test_it_comes_after_all(self) -> None:
        """A cancellation that is called off is told, with the gesture for the wait that is left."""
        journey = given(profile(), delay(minutes=60), cancellation(at("12:30")))
        journey.when(delay(at("13:00"), minutes=150)).then("send revision-2 with movie", "replace the earlier letter")
        journey.when(cancellation(at("13:30"))).then("send cancelled-3 with hotel", "replace the earlier letter")

    def test_a_short_wait_may_still_be_cancelled(self) -> None:
        """Whoever heard nothing because it was short hears of the cancellation."""
        given(profile(), delay(minutes=10)).when(cancellation(at("13:00"))).then("send cancelled-0 with hotel")


class TestOrders:
    def test_delivered_ends_the_wait(self) -> None:
        """Whoever has the parcel does not wait for it."""
        journey = given(profile(), delay(minutes=60, order_id="booking-1"))
        journey.when(delivered(at("14:10"))).then("take back notice: wait_over")

    def test_cancelled_by_the_customer_ends_the_wait(self) -> None:
        """Whoever cancelled does not wait, and need not be told that they cancelled."""
        journey = given(profile(), delay(minutes=60, order_id="booking-1"))
        journey.when(called_off(at("13:00"), CancelledBy.CUSTOMER)).then("take back notice: wait_over")

    @pytest.mark.parametrize("by", [CancelledBy.COMPANY, CancelledBy.UNKNOWN])
    def test_cancelled_by_the_company_is_told(self, by: CancelledBy) -> None:
        """What the company cancels will not come at all, and the customer hears it from us."""
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
        """Nobody who holds the parcel in hand reads that it is late, though the notice was overtaken on its way."""
        journey = given(profile(), delivered(at("13:00")))
        journey.when(delay(at("12:30"), minutes=60, order_id="booking-1"), now=at("13:05")).then_nothing()


class TestHeldAndHeldBack:
    def test_held_over_night_and_sent_in_the_morning(self) -> None:
        """A letter that comes up at night waits for the morning while it is of use."""
        night = {"promised": at("09:00", day=1), "minutes": 60}
        journey = given(profile()).when(delay(at("23:00"), **night)).then("hold notice until 10 Feb 07:00: quiet_hours")
        journey.when_time_passes_to(at("07:00", day=1)).then("send notice with free-book")

    def test_what_was_held_goes_by_what_is_true_in_the_morning(self) -> None:
        """In the morning the letter says what is known then."""
        journey = given(profile(), delay(at("23:00"), promised=at("09:00", day=1), minutes=60))
        journey.when(delay(at("23:30"), promised=at("09:00", day=1), minutes=150)).then_nothing()
        journey.when_time_passes_to(at("07:00", day=1)).then("send notice with movie")

    def test_a_held_letter_is_dropped_when_the_wait_ends(self) -> None:
        """If it is over before the morning, the record says why nothing came."""
        journey = given(profile(), delay(at("23:00"), promised=at("09:00", day=1), minutes=60))
        journey.when(departure(at("23:30"))).then("drop notice: wait_over")
        journey.when_time_passes_to(at("07:00", day=1)).then_nothing()

    def test_a_held_letter_ends_on_record_when_the_wait_lapses(self) -> None:
        """Nobody reports the end of a wait, in a zone that nobody knows: after two days the hold has an end, too."""
        journey = given(profile(time_zone="Nowhere/At_All")).when(delay(at("13:00")))
        journey.when_time_passes_to(NOON + timedelta(days=4))
        assert [one.kind for one in journey.decisions if one.occasion == "notice"][-2:] == [
            DecisionKind.HOLD, DecisionKind.RETRACT,
        ]  # fmt: skip

    def test_a_held_cancellation_is_dropped_when_the_wait_ends(self) -> None:
        """A cancellation that nobody was told of yet need not be told once the order is settled, and we say so."""
        order = {"promised": at("09:00", day=1), "order_id": "booking-1"}
        journey = given(profile()).when(cancellation(at("23:00"), **order))
        journey.then("hold cancelled-0 until 10 Feb 07:00: quiet_hours")
        journey.when(called_off(at("23:30"), CancelledBy.CUSTOMER)).then("drop cancelled-0: wait_over")

    def test_a_held_letter_that_would_come_too_late_says_so(self) -> None:
        """A letter held until the morning that the wait no longer lasts to is not left without a word."""
        promised = at("05:00", day=1)
        journey = given(profile()).when(delay(at("23:00"), promised=promised, minutes=180))
        journey.then("hold notice until 10 Feb 07:00: quiet_hours")
        journey.when(delay(at("23:30"), promised=promised, minutes=60)).then("suppress notice: quiet_hours")
        journey.when(delay(at("23:40"), promised=promised, minutes=60)).then_nothing()

    def test_a_letter_refused_for_the_night_may_be_held_after_all(self) -> None:
        """When the wait grows into the day, the letter that was refused is held, and the record shows it."""
        promised = at("05:00", day=1)
        journey = given(profile()).when(delay(at("23:00"), promised=promised, minutes=60))
        journey.then("suppress notice: quiet_hours")
        journey.when(delay(at("23:30"), promised=promised, minutes=180))
        journey.then("hold notice until 10 Feb 07:00: quiet_hours")

    def test_a_held_notice_whose_wait_shrinks_below_the_threshold(self) -> None:
        """If the held wait becomes too short for a letter, that is the reason on record."""
        promised = at("09:00", day=1)
        journey = given(profile(), delay(at("23:00"), promised=promised, minutes=60))
        journey.when(delay(at("23:30"), promised=promised, minutes=5)).then("suppress notice: below_threshold")
        journey.when_time_passes_to(at("07:00", day=1)).then_nothing()

    def test_a_held_revision_that_is_no_news_any_more(self) -> None:
        """If the time moves back to what the customer was told, the held revision is dropped, on record."""
        promised = at("09:00", day=1)
        journey = given(profile(), delay(at("21:00"), promised=promised, minutes=60))
        journey.when(delay(at("23:00"), promised=promised, minutes=100))
        journey.then("hold revision-1 until 10 Feb 07:00: quiet_hours")
        journey.when(delay(at("23:30"), promised=promised, minutes=60)).then("drop revision-1: no_longer_news")
        journey.when_time_passes_to(at("07:00", day=1)).then_nothing()

    def test_whoever_still_waits_in_the_morning_hears_from_us(self) -> None:
        """A wait that should have ended in the night and did not: they hear from us in the morning."""
        journey = given(profile()).when(delay(at("22:30"), promised=at("21:00"), minutes=150))
        journey.then("suppress notice: quiet_hours")
        journey.when_time_passes_to(at("06:29", day=1)).then_nothing()
        journey.when_time_passes_to(at("08:00", day=1))
        assert [one.occasion for one in journey.requests] == ["notice"]
        assert at("07:00", day=1) <= journey.requests[0].requested_at <= at("08:00", day=1)


class TestSeveral:
    def test_two_waits_at_once_are_two_letters(self) -> None:
        """Each flight has its own letter, and the end of one does not end the other."""
        journey = given(profile(), delay(minutes=60))
        journey.when(delay(at("12:10"), subject="BA112", minutes=130)).then("send notice with movie")
        journey.when(departure(at("14:10"))).then("take back notice: wait_over")
        journey.when(delay(at("14:20"), subject="BA112", minutes=170)).then(
            "send revision-1", "replace the earlier letter"
        )

    def test_a_flight_and_a_parcel_of_the_same_number_are_two(self) -> None:
        """The kind of what is late belongs to its name."""
        journey = given(profile(), delay(minutes=60)).when(departure(at("13:00"), subject_kind="parcel"))
        journey.then_nothing()
        assert [one.closed_at for one in journey.known.delays if one.subject_kind == "flight"] == [None]

    def test_without_a_gesture_in_the_playbook_the_letter_still_comes(self) -> None:
        """Word is worth more than a gift: no gesture is no reason to be silent."""
        rules = dataclasses.replace(WAITS.kinds["flight"], stages=(), cancelled=None)
        journey = given(profile(), playbook=tuned(WaitRules(kinds={"default": rules})))
        journey.when(delay(minutes=60)).then("send notice")
        journey.when(cancellation(at("13:00"))).then("send cancelled-1", "replace the earlier letter")

    def test_a_time_at_the_end_of_the_calendar_breaks_nothing(self) -> None:
        """'Nobody knows' written as the year 9999 is a wait whose end is not known; such a promise can be cancelled."""
        end = at("00:00").replace(year=9999, month=12, day=31, hour=23)
        journey = given(profile()).when(delay(expected=end)).then("suppress notice: below_threshold")
        journey.when_time_passes_to(at("14:30")).then("send notice with free-book")
        journey.when(cancellation(at("14:40"), promised=end)).then(
            "send cancelled-1 with hotel", "replace the earlier letter"
        )
        assert journey.known.wake_at is not None

    def test_the_record_names_what_the_decision_went_by(self) -> None:
        """Every decision shows the figures it was made on."""
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
        """Who waits at a gate in New York reads New York's time, although at home it is another hour."""
        journey = given(profile(time_zone="Europe/Berlin")).when(delay(minutes=60, time_zone="America/New_York"))
        assert [request.time_zone for request in journey.requests] == ["America/New_York"]

    def test_elsewhere_times_are_the_customers_own(self) -> None:
        """Where nobody says, or says a place that does not exist, the customer's own clock counts."""
        for zone in (None, "America/Gotham"):
            journey = given(profile(time_zone="Europe/Berlin")).when(delay(minutes=60, time_zone=zone))
            assert [request.time_zone for request in journey.requests] == ["Europe/Berlin"]


@pytest.mark.parametrize("year", [1, 1900, 2099, 9999])
def test_an_expected_time_that_nobody_can_mean_is_not_known(year: int) -> None:
    """A wait of thousands of years is told as a wait whose end is not known yet."""
    nobody_knows = datetime(year, 12, 31, 23, 59, tzinfo=UTC)
    ana = given(profile()).when(delay(promised=NOON, expected=nobody_knows))
    ana.when_time_passes_to(at("13:30"))
    assert ana.known.delays[0].expected_at is None
    assert ana.requests[-1].variables["expected_at"] == ""
    assert int(ana.requests[-1].variables["wait_minutes"]) <= 90
