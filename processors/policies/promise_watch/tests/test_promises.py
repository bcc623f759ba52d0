"""A promise that passes in silence is a delay: the customer is told before they have to ask."""

from __future__ import annotations

from datetime import timedelta

import pytest

from streams.events import CancelledBy, DelayEnded, DelayReason
from tests.journey.given import Journey, facts, given, profile
from tests.journey.parcels import DAY, FRIDAY, arrived, cancelled, late, noon, ordered, shipped, shop

SILENT = FRIDAY + DAY
GATHERED = SILENT + timedelta(minutes=10)


def silence(*events: object, **rules: object) -> Journey:
    """Return Ana's journey after an order and these events."""
    return given(profile(), ordered(), *events, playbook=shop(**rules))  # type: ignore[arg-type]


class TestSilence:
    def test_past_the_promise_and_the_grace_the_customer_is_told_and_somebody_finds_out(self) -> None:
        """If nobody reports anything after the promise and the grace, the customer is told so, and staff get a task to
        find out."""
        journey = silence()
        journey.when_time_passes_to(SILENT - timedelta(seconds=1)).then_nothing()
        journey.when_time_passes_to(GATHERED)
        journey.then(
            f"hold notice until {GATHERED:%d %b %H:%M}: gathering",
            f"task find_out for order-care by {SILENT + DAY:%d %b %H:%M}",
            "send notice with free-shipping",
        )
        letter, task = journey.requests[1], journey.requests[0]
        assert (letter.template, letter.variables["by_day"]) == ("delay_care/silent", "yes")
        assert letter.variables["reason"] == DelayReason.PREDICTIVE
        assert (task.template, task.variables["order_id"]) == ("promise_watch/find_out", "A1")
        (wait,) = journey.known.delays
        assert (wait.unannounced, wait.order_id, wait.opened_at) == (True, "A1", SILENT)

    @pytest.mark.parametrize(
        "event",
        [
            arrived(noon(2)),
            cancelled(noon(2), CancelledBy.CUSTOMER),
            late(noon(2), until=FRIDAY + 9 * DAY),
            late(noon(2), subject="by another name", until=FRIDAY + 9 * DAY),
        ],
    )
    def test_a_word_in_time_is_no_silence(self, event: object) -> None:
        """An order that is delivered, cancelled, or reported late under any name has no unannounced wait."""
        journey = silence(event)
        journey.when_time_passes_to(GATHERED)
        assert not any(wait.unannounced for wait in journey.known.delays)

    def test_an_order_on_its_way_is_late_all_the_same(self) -> None:
        """An order that was shipped but not delivered by its promise counts as late."""
        journey = silence(shipped(noon(2)))
        journey.when_time_passes_to(GATHERED)
        assert journey.requests[-1].template == "delay_care/silent"

    def test_a_wait_that_was_over_before_the_promise_says_nothing_of_it(self) -> None:
        """A wait that ended before the promised time does not count as news about the promise."""
        over = DelayEnded(**facts(noon(2)), subject_kind="parcel", subject_id="A1")
        journey = silence(late(noon(1)), over)
        journey.when_time_passes_to(GATHERED)
        assert journey.requests[-1].template == "delay_care/silent"

    def test_a_promise_that_is_moved_is_the_new_one(self) -> None:
        """An order that is placed again with a later promise is late after that one."""
        journey = silence(ordered(when=noon(1), promised_at=FRIDAY + 5 * DAY))
        journey.when_time_passes_to(GATHERED).then_nothing()
        journey.when_time_passes_to(GATHERED + 5 * DAY)
        assert journey.requests[-1].template == "delay_care/silent"

    def test_heard_of_after_its_promise_it_has_the_grace_from_then_on(self) -> None:
        """An order that arrives after its promise, as in a backfill, has the grace from then on."""
        journey = given(profile(), playbook=shop())
        journey.when(ordered(), now=SILENT + 3 * DAY).then_nothing()
        journey.when(arrived(noon(4)), now=SILENT + 3 * DAY + timedelta(minutes=1)).then_nothing()
        journey.when_time_passes_to(SILENT + 30 * DAY).then_nothing()

    def test_a_promise_of_long_ago_watches_nothing(self) -> None:
        """An order whose promise is weeks old causes no letter."""
        journey = given(profile(), playbook=shop())
        journey.when(ordered(), now=FRIDAY + 21 * DAY).then_nothing()
        journey.when_time_passes_to(FRIDAY + 60 * DAY).then_nothing()

    def test_where_the_playbook_does_not_say_so_a_promise_is_no_deadline(self) -> None:
        """Without ``unannounced_after`` in the playbook a promise that passes causes nothing."""
        journey = silence(unannounced_after=None)
        journey.when_time_passes_to(GATHERED + 9 * DAY).then_nothing()

    def test_what_arrives_late_ends_the_wait_and_the_task(self) -> None:
        """After a late delivery the customer is told of it, and the task is retracted."""
        journey = silence()
        journey.when_time_passes_to(GATHERED)
        journey.when(arrived(GATHERED + DAY))
        journey.when_time_passes_to(GATHERED + DAY + timedelta(minutes=10))
        assert journey.requests[-1].template == "delay_care/over"
        assert journey.requests[-1].variables["delivered"] == "yes"
        assert [one.reason for one in journey.decisions if one.policy == "promise_watch"] == ["wanted", "wait_over"]

    def test_a_notice_that_comes_after_the_letter_is_about_the_same_wait(self) -> None:
        """A notice under any name revises the unannounced wait, and the customer gets a revision, not a second first
        letter."""
        journey = silence()
        journey.when_time_passes_to(GATHERED)
        told = late(GATHERED + DAY, subject="W-77", subject_kind="order", until=FRIDAY + 5 * DAY)
        journey.when(told).when_time_passes_to(GATHERED + DAY + timedelta(minutes=10))
        (wait,) = journey.known.delays
        assert (wait.subject_kind, wait.subject_id, wait.named_as) == ("order", "W-77", "parcel/A1")
        assert journey.requests[-1].template == "delay_care/revised"
        assert journey.decisions[-1].policy != "promise_watch"
        assert ("promise_watch", "noticed") in [(one.policy, one.reason) for one in journey.decisions]
        end = DelayEnded(**facts(GATHERED + 2 * DAY), subject_kind="order", subject_id="W-77")
        journey.when(end)
        assert journey.known.delays[0].closed_at == GATHERED + 2 * DAY


class TestCancelledByUs:
    def test_without_a_notice_it_is_told(self) -> None:
        """An OrderCancelled by the company causes the letter about a cancellation."""
        journey = silence(together=None)
        journey.when(cancelled(noon(1))).then("send cancelled-0")
        assert journey.requests[-1].template == "delay_care/cancelled"
        journey.when(cancelled(noon(1) + DAY)).then_nothing()

    @pytest.mark.parametrize("by", [CancelledBy.CUSTOMER, CancelledBy.UNKNOWN])
    def test_what_the_customer_called_off_is_not(self, by: CancelledBy) -> None:
        """A cancellation by the customer, or by an unknown party, causes no letter."""
        silence(together=None).when(cancelled(noon(1), by)).then_nothing()

    def test_a_notice_of_it_is_the_same_news(self) -> None:
        """A cancellation that is reported twice, in either order and under any name, causes one letter."""
        journey = silence(together=None)
        journey.when(late(noon(1), subject="W-77", cancelled=True)).then("send cancelled-0")
        journey.when(cancelled(noon(1) + timedelta(hours=1))).then_nothing()
        other = silence(together=None)
        other.when(cancelled(noon(1))).then("send cancelled-0")
        other.when(late(noon(1) + timedelta(hours=1), subject="W-77", cancelled=True)).then_nothing()

    def test_without_a_promise_the_letter_names_no_time(self) -> None:
        """The letter about an order without a promise names no promised time."""
        journey = given(profile(), ordered(promised_at=None), playbook=shop(together=None))
        journey.when(cancelled(noon(1))).then("send cancelled-0")
        assert journey.requests[-1].variables["promised_at"] == ""

    def test_a_delivered_order_is_delivered(self) -> None:
        """A cancellation after the delivery changes nothing."""
        silence(arrived(noon(1)), together=None).when(cancelled(noon(2))).then_nothing()

    def test_heard_of_too_late_it_is_on_record(self) -> None:
        """A cancellation that arrives a week late causes no letter, and the reason is recorded."""
        journey = silence(together=None, unannounced_after=None)
        journey.when(cancelled(noon(1)), now=FRIDAY + 8 * DAY).then("suppress cancelled-0: no_longer_useful")

    def test_its_notice_says_what_it_is_about(self) -> None:
        """A notice with the same time as the cancellation provides the description, whichever arrives first."""
        off, notice = cancelled(noon(1)), late(noon(1), subject="W-77", description="brass desk lamp")
        known = []
        for facts_ in ((off, notice), (notice, off)):
            journey = silence(*facts_, together=None)
            (wait,) = journey.known.delays
            known.append((wait.subject_id, wait.description, wait.reason, wait.cancelled, wait.noticed_cancelled))
        assert known == [("W-77", "brass desk lamp", DelayReason.WAREHOUSE, True, False)] * 2
