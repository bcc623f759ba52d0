"""Parcels are delayed by days and arrive one by one, and promised updates are sent."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from itertools import permutations

import pytest

from processors.journey.evolve import evolve
from processors.journey.state import begin
from processors.policies.promise_watch.rules import PromiseRules
from streams.avro.codec import as_written
from streams.events import DelayEnded, OrderItem, Touchpoint
from tests.journey.given import PLAYBOOK, delay, facts, given, profile
from tests.journey.parcels import DAY, FRIDAY, arrived, late, noon, ordered, shipped, shop

TEN = timedelta(minutes=10)


def orders(*events: Touchpoint) -> list[tuple[bool, int]]:
    """Return whether the order is closed, and how many waits are open, for every order of arrival of the events."""
    found = set()
    for arrival in permutations(events):
        state = begin("ana", noon(9))
        for event in arrival:
            state = evolve(state, event, noon(9))
        (order,) = state.orders
        found.add((order.closed_at is not None, sum(one.closed_at is None for one in state.delays)))
    return sorted(found)


class TestSeveralParcels:
    def test_the_order_is_delivered_when_its_last_parcel_is(self) -> None:
        """With one of two parcels delivered, the order is still open."""
        two = (shipped(noon(1), "A1", "p1"), shipped(noon(1), "A1", "p2"))
        assert orders(ordered(), *two, arrived(noon(2), "A1", "p1")) == [(False, 0)]
        assert orders(*two, arrived(noon(2), "A1", "p1"), arrived(noon(3), "A1", "p2")) == [(True, 0)]

    def test_what_was_ordered_and_is_in_no_parcel_is_still_to_come(self) -> None:
        """With two lamps ordered and one parcel of one lamp, the order is open, if every parcel lists its contents."""
        two = ordered(items=(OrderItem(item_id="lamp", description="desk lamp", quantity=2),))
        one = arrived(noon(2), "A1", "p1", "lamp")
        assert orders(two, one) == [(False, 0)]
        assert orders(two, one, arrived(noon(3), "A1", "p2", "lamp")) == [(True, 0)]
        assert orders(two, arrived(noon(2), "A1", "p1")) == [(True, 0)]

    @pytest.mark.parametrize("quantities", [(2**31 - 1, 1), (2**31 - 1,) * 100, (2**31 - 1, 2**31 - 1)])
    def test_more_pieces_than_there_can_be_are_not_counted(self, quantities: tuple[int, ...]) -> None:
        """An order with an impossible number of pieces is kept, and the number counts as unknown."""
        items = tuple(OrderItem(item_id="lamp", description="desk lamp", quantity=one) for one in quantities)
        state = evolve(begin("ana", noon(9)), ordered(items=items), noon(9))
        assert state.orders[0].pieces is None
        assert as_written(state) == state
        assert orders(ordered(items=items), arrived(noon(2), "A1", "p1", "lamp")) == [(True, 0)]

    def test_a_wait_for_one_parcel_outlives_the_delivery_of_another(self) -> None:
        """The delivery of one parcel does not end the wait for another, even if that was never shipped."""
        wait = late(noon(1), subject="p2")
        assert orders(ordered(), wait, arrived(noon(2), "A1", "p1")) == [(False, 1)]
        assert orders(wait, arrived(noon(2), "A1", "p1"), arrived(noon(3), "A1", "p2")) == [(True, 0)]

    def test_a_wait_for_one_parcel_ends_with_its_own_delivery(self) -> None:
        """The wait for a parcel ends with its delivery, even if another is still on its way."""
        wait = late(noon(1), subject="p1")
        assert orders(wait, shipped(noon(1), "A1", "p2"), arrived(noon(2), "A1", "p1")) == [(False, 0)]

    def test_a_wait_for_all_of_it_lasts_until_the_last_parcel(self) -> None:
        """A wait for the whole order lasts until its last parcel is delivered."""
        wait = late(noon(1))
        two = (shipped(noon(1), "A1", "p1"), shipped(noon(1), "A1", "p2"))
        assert orders(wait, *two, arrived(noon(2), "A1", "p1")) == [(False, 1)]

    def test_delivered_without_a_parcel_is_all_of_it(self) -> None:
        """A delivery without a parcel id delivers the whole order."""
        assert orders(shipped(noon(1), "A1", "p1"), late(noon(1), subject="p2"), arrived(noon(2))) == [(True, 0)]

    def test_the_end_of_the_wait_for_the_missing_parcel_ends_the_order(self) -> None:
        """The reported end of the wait for the last missing parcel closes the order."""
        end = DelayEnded(**facts(noon(3)), subject_kind="parcel", subject_id="p2")
        assert orders(late(noon(1), subject="p2"), arrived(noon(2), "A1", "p1"), end) == [(True, 0)]


class TestWritingAgain:
    def test_while_nobody_knows_more_there_is_a_word_every_so_often(self) -> None:
        """While the end of the wait is unknown, the customer gets an update every other day, and each says when the
        next comes."""
        journey = given(profile(), playbook=shop(together=None, unannounced_after=None))
        journey.when(late(FRIDAY + DAY)).then("send notice with free-shipping")
        assert journey.requests[-1].variables["next_update"] == str(2 * 24 * 60)
        journey.when_time_passes_to(FRIDAY + 3 * DAY).then("send update-1")
        assert journey.requests[-1].template == "delay_care/update"
        journey.when_time_passes_to(FRIDAY + 5 * DAY).then("send update-2")

    def test_a_known_time_is_waited_for_in_peace(self) -> None:
        """No update is sent until the announced time, and the grace after it, have passed."""
        journey = given(profile(), playbook=shop(together=None))
        journey.when(late(FRIDAY, until=FRIDAY + 6 * DAY)).then("send notice with free-shipping")
        assert journey.requests[-1].variables["next_update"] == ""
        journey.when_time_passes_to(FRIDAY + 7 * DAY - TEN).then_nothing()
        journey.when_time_passes_to(FRIDAY + 7 * DAY).then("send update-1")

    def test_the_last_word_says_that_a_person_takes_over_and_one_is_asked_to(self) -> None:
        """The last letter before the wait lapses says that a person takes over, and staff get the task."""
        journey = given(profile(), playbook=shop(together=None))
        journey.when(late(FRIDAY + DAY)).when_time_passes_to(FRIDAY + 60 * DAY)
        letters = [one for one in journey.requests if one.policy == "delay_care"]
        tasks = [one for one in journey.requests if one.policy == "promise_watch"]
        assert [one.variables["last"] for one in letters] == [""] * (len(letters) - 1) + ["yes"]
        assert [one.template for one in tasks] == ["promise_watch/settle"]
        assert abs(letters[-1].requested_at - tasks[0].requested_at) <= 2 * DAY
        assert letters[-1].requested_at < FRIDAY + 23 * DAY

    def test_where_nobody_takes_over_the_last_word_promises_none(self) -> None:
        """Without promise watch, the last letter announces neither a person nor another letter."""
        alone = shop(together=None, unannounced_after=None).without(PromiseRules)
        journey = given(profile(), playbook=alone)
        journey.when(late(FRIDAY + DAY)).when_time_passes_to(FRIDAY + 60 * DAY)
        assert (journey.requests[-1].variables["last"], journey.requests[-1].variables["next_update"]) == ("", "")
        assert journey.requests[-2].variables["next_update"] != ""

    def test_the_customer_hears_when_it_is_over(self) -> None:
        """The customer is told once that the order was delivered."""
        journey = given(profile(), playbook=shop(together=None))
        journey.when(late(FRIDAY + DAY)).when(arrived(FRIDAY + 2 * DAY))
        journey.then("take back notice: wait_over", "send over-1")
        assert journey.requests[-1].variables["delivered"] == "yes"
        journey.when_time_passes_to(FRIDAY + 30 * DAY).then_nothing()

    def test_what_was_delivered_once_and_is_awaited_again_is_not_told_as_delivered(self) -> None:
        """The second wait for the same order ends without a delivery, and the letter does not claim one."""
        journey = given(profile(), playbook=shop(together=None))
        journey.when(late(FRIDAY + DAY)).when(arrived(FRIDAY + 2 * DAY)).when(late(FRIDAY + 5 * DAY))
        journey.when(DelayEnded(**facts(FRIDAY + 6 * DAY), subject_kind="parcel", subject_id="A1"))
        delivered = [one.variables["delivered"] for one in journey.requests if one.template == "delay_care/over"]
        assert delivered == ["yes", ""]

    def test_a_letter_that_has_hardly_left_is_taken_back_and_nothing_more(self) -> None:
        """If the wait ends within minutes of the letter, the letter is retracted and no second one is sent."""
        journey = given(profile(), playbook=shop(together=None))
        journey.when(late(FRIDAY + DAY)).when(arrived(FRIDAY + DAY + TEN)).then("take back notice: wait_over")

    def test_a_wait_that_lapses_is_not_told_as_over(self) -> None:
        """No letter says that a wait is over which only lapsed."""
        journey = given(profile(), playbook=shop(together=None))
        journey.when(late(FRIDAY + DAY)).when_time_passes_to(FRIDAY + 60 * DAY)
        assert not any(one.template == "delay_care/over" for one in journey.requests)

    def test_a_letter_held_for_the_night_is_of_use_in_the_morning(self) -> None:
        """A letter about a parcel that is held for the night is sent in the morning."""
        night = dataclasses.replace(shop(together=None), quiet_hours=PLAYBOOK.quiet_hours)
        journey = given(profile(), playbook=night).when(late(FRIDAY + DAY))
        assert [one.reason for one in journey.decisions] == ["quiet_hours"]
        journey.when_time_passes_to(FRIDAY + DAY + timedelta(hours=8)).then("send notice with free-shipping")


class TestOneLetter:
    def test_five_late_orders_in_ten_minutes_are_one_letter(self) -> None:
        """One letter lists all five orders; there is still one decision per order, and all name the same letter."""
        journey = given(profile(), playbook=shop())
        for number in range(5):
            journey.when(late(FRIDAY + DAY + timedelta(minutes=number), f"A{number}", description=f"lamp {number}"))
        journey.when_time_passes_to(FRIDAY + DAY + TEN)
        journey.then("send notice with free-shipping", *["send notice in the same letter"] * 4)
        (letter,) = journey.requests
        assert letter.template == "delay_care/several"
        assert [one["description"] for one in letter.items] == [f"lamp {number}" for number in range(5)]
        sends = [one for one in journey.decisions if one.reason == "wanted"]
        assert len({one.journey_id for one in sends}) == 5
        assert {one.outreach_id for one in sends} == {letter.outreach_id}
        assert [wait.letters for wait in journey.known.delays] == [1] * 5

    def test_one_alone_is_a_letter_of_its_own_kind(self) -> None:
        """If no other letter follows within ten minutes, the usual one is sent."""
        journey = given(profile(), playbook=shop()).when(late(FRIDAY + DAY))
        journey.when_time_passes_to(FRIDAY + DAY + TEN).then("send notice with free-shipping")
        assert journey.requests[-1].template == "delay_care/notice"

    def test_what_comes_after_is_another_letter(self) -> None:
        """The window starts with the first letter; one that is due after it is sent alone."""
        journey = given(profile(), playbook=shop()).when(late(FRIDAY + DAY))
        journey.when(late(FRIDAY + DAY + timedelta(minutes=11), "A2"))
        journey.when_time_passes_to(FRIDAY + DAY + timedelta(minutes=30))
        assert [one.template for one in journey.requests] == ["delay_care/notice"] * 2

    def test_one_that_is_over_is_not_in_it(self) -> None:
        """An order that is delivered within the window is left out of the letter."""
        journey = given(profile(), playbook=shop())
        for order in ("A1", "A2", "A3"):
            journey.when(late(FRIDAY + DAY, order, description=order))
        journey.when(arrived(FRIDAY + DAY + timedelta(minutes=5), "A2"))
        journey.when_time_passes_to(FRIDAY + DAY + TEN)
        assert [one["description"] for one in journey.requests[-1].items] == ["A1", "A3"]

    def test_it_is_taken_back_only_when_all_that_it_tells_of_is_over(self) -> None:
        """A combined letter is retracted only when the last of its waits ends."""
        journey = given(profile(), playbook=shop(ended_useful=None))
        journey.when(late(FRIDAY + DAY, "A1")).when(late(FRIDAY + DAY, "A2"))
        journey.when_time_passes_to(FRIDAY + DAY + TEN)
        journey.when(arrived(FRIDAY + DAY + 2 * TEN, "A1")).then_nothing()
        journey.when(arrived(FRIDAY + DAY + 3 * TEN, "A2")).then("take back notice: wait_over")

    def test_a_flight_waits_for_no_other(self) -> None:
        """A letter about a flight is sent at once."""
        journey = given(profile(), playbook=shop())
        journey.when(delay(minutes=60)).then("send notice with free-book")

    @pytest.mark.parametrize("orders_", [21, 45])
    def test_more_than_a_letter_holds_are_several(self, orders_: int) -> None:
        """A letter lists at most twenty orders, and all orders are listed."""
        journey = given(profile(), playbook=shop())
        for number in range(orders_):
            journey.when(late(FRIDAY + DAY, f"A{number}"))
        journey.when_time_passes_to(FRIDAY + DAY + TEN)
        assert sum(len(one.items) or 1 for one in journey.requests) == orders_
        assert all(len(one.items) <= 20 for one in journey.requests)

    def test_a_day_that_has_passed_is_not_told_as_the_new_one(self) -> None:
        """A combined update does not name an expected day that has passed."""
        journey = given(profile(), playbook=shop())
        for number in range(2):
            journey.when(late(FRIDAY, f"A{number}", until=FRIDAY + 2 * DAY))
        journey.when_time_passes_to(FRIDAY + 4 * DAY)
        first, update = journey.requests
        assert [bool(one["expected_at"]) for one in (*first.items, *update.items)] == [True, True, False, False]

    def test_the_updates_of_what_was_told_together_are_together(self) -> None:
        """Orders that were combined in one letter get their updates in one letter."""
        journey = given(profile(), playbook=shop())
        for number in range(5):
            journey.when(late(FRIDAY + DAY, f"A{number}"))
        journey.when_time_passes_to(FRIDAY + 4 * DAY)
        assert [len(one.items) for one in journey.requests] == [5, 5]
