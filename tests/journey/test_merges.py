"""Merges: the remaining record inherits every opt-out of the other, and continues what is open."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given as for_any
from hypothesis import settings
from hypothesis import strategies as st

from processors.journey.playbook import Playbook
from streams.events import (
    Address,
    Channel,
    ConsentChanged,
    ConsentStatus,
    ContactOpened,
    CustomerErased,
    Engagement,
    FailureReason,
    MergeSide,
    OutreachChannel,
    OutreachEngaged,
    OutreachFailed,
    OutreachRequested,
    ProfilesMerged,
    Purpose,
    Sentiment,
    Touchpoint,
    replace,
)
from tests.drawn import examples
from tests.journey.care import asks, cannot_have, everything, posts
from tests.journey.given import NOON, Journey, at, consent, delay, departure, facts, profile, told, tuned
from tests.journey.parcels import DAY, FRIDAY, arrived, noon, ordered, shipped, shop

EMAIL, SMS = OutreachChannel.EMAIL, OutreachChannel.SMS
ELEVEN = at("11:00")
ANY_TIME = tuned(quiet_hours=None, caps=(), channel_order=(EMAIL, SMS))


class People:
    """Several records, each on its own partition; forwarded events arrive after a random delay, or at once without
    ``chance``."""

    def __init__(self, playbook: Playbook = ANY_TIME, *, chance: random.Random | None = None) -> None:
        self.journeys: dict[str, Journey] = defaultdict(lambda: Journey(playbook))
        self.now = NOON - timedelta(days=9)
        self.deliveries = 0
        self._chance = chance
        self._waiting: dict[tuple[str, str], list[Touchpoint]] = defaultdict(list)

    def hear(self, event: Touchpoint, now: datetime | None = None) -> People:
        """Deliver the event, and by chance what it leads to, in order for each sender."""
        self.now = max(self.now, now or event.occurred_at)
        self._take("", event)
        while self._waiting and (self._chance is None or self._chance.random() < 0.5):
            self._deliver()
        return self

    def settle(self) -> People:
        """Deliver everything that is on its way."""
        while self._waiting:
            self._deliver()
        return self

    def letters(self, who: str) -> list[str]:
        """Return the address of each of this record's letters."""
        return [one.addresses[0].address for one in self.journeys[who].requests if one.due_at is None]

    def _deliver(self) -> None:
        ways = sorted(self._waiting)
        way = ways[0] if self._chance is None else self._chance.choice(ways)
        event = self._waiting[way].pop(0)
        if not self._waiting[way]:
            del self._waiting[way]
        self._take(way[0], event)

    def _take(self, sender: str, event: Touchpoint) -> None:
        self.deliveries += 1
        assert self.deliveries < 2_000, "a word goes round for ever"
        journey = self.journeys[event.customer_id]
        journey.when(event, now=self.now)
        for one in journey.outputs:
            if isinstance(one, Touchpoint):
                assert one.customer_id != event.customer_id
                self._waiting[event.customer_id, one.customer_id].append(one)


def of(who: str, event: Any) -> Any:
    """Return the event for another record."""
    return replace(event, customer_id=who)


def merge(into: str, other: str, when: datetime = ELEVEN, side: MergeSide = MergeSide.SURVIVOR) -> ProfilesMerged:
    """``other`` is merged into ``into``; the event goes to ``into``, as from publishers."""
    return ProfilesMerged(**facts(when, customer_id=into), other_customer_id=other, side=side)


def known(who: str, address: str) -> Any:
    """Return a profile with an e-mail address."""
    return of(who, profile(addresses=(Address(channel=EMAIL, address=address),)))


def spam(who: str, when: datetime, kind: Engagement = Engagement.UNSUBSCRIBED) -> OutreachEngaged:
    """Return an opt-out by the link in an old letter."""
    return OutreachEngaged(
        **facts(when, customer_id=who), outreach_id="old", channel=EMAIL, kind=kind, detail="SERVICE"
    )  # fmt: skip


NOES = {
    "revoked": of("gone", consent(ConsentStatus.REVOKED, at("10:00"))),
    "denied by e-mail": of("gone", consent(ConsentStatus.DENIED, at("10:00"), channel=EMAIL)),
    "unsubscribed": spam("gone", at("10:00")),
    "complained": spam("gone", at("10:00"), Engagement.COMPLAINED),
}


class TestEveryNo:
    @pytest.mark.parametrize("no", NOES)
    @pytest.mark.parametrize("first", ["no", "merge"])
    def test_goes_over_to_the_record_that_stays(self, no: str, first: str) -> None:
        """An opt-out of the merged record applies to the remaining one, whether it arrives before or after the
        merge."""
        people = People().hear(known("stays", "s@x.example")).hear(known("gone", "g@x.example"))
        for event in (NOES[no], merge("stays", "gone")) if first == "no" else (merge("stays", "gone"), NOES[no]):
            people.hear(event, now=at("11:00"))
        people.hear(of("stays", delay(at("12:00"), minutes=60)))
        assert people.letters("stays") == []

    def test_a_bounce_goes_over_with_its_address(self) -> None:
        """A bounced address is suppressed for the remaining record too, in any spelling; its other address stays
        open."""
        both = (Address(channel=EMAIL, address="ANA@x.example"), Address(channel=EMAIL, address="b@x.example"))
        people = People().hear(of("stays", profile(addresses=both))).hear(known("gone", "ana@x.example"))
        people.hear(of("gone", delay(at("10:00"), minutes=60)))
        (letter,) = people.journeys["gone"].requests
        people.hear(
            OutreachFailed(
                **facts(at("10:10"), customer_id="gone"), outreach_id=letter.outreach_id, channel=EMAIL,
                reason=FailureReason.BOUNCED,
            )
        )  # fmt: skip
        people.hear(merge("stays", "gone")).hear(of("stays", delay(at("12:00"), minutes=60, subject="B")))
        assert people.letters("stays") == ["b@x.example"]

    @pytest.mark.parametrize("order", ["abc", "bca", "acb", "cba"])
    def test_goes_along_a_chain(self, order: str) -> None:
        """With A merged into B and B into C, an opt-out of A applies to C, in every order of arrival."""
        steps = {
            "a": of("A", consent(ConsentStatus.REVOKED, at("10:00"))),
            "b": merge("B", "A", at("10:30")),
            "c": merge("C", "B", at("10:40")),
        }
        people = People().hear(known("C", "c@x.example"))
        for step in order:
            people.hear(steps[step], now=at("11:00"))
        people.hear(of("C", delay(at("12:00"), minutes=60)))
        assert people.letters("C") == []

    def test_calls_back_what_the_record_that_goes_had_requested(self) -> None:
        """If the remaining record has opted out, letters that the merged record requested are retracted."""
        people = People().hear(of("stays", consent(ConsentStatus.REVOKED, at("10:00"))))
        people.hear(known("gone", "g@x.example")).hear(of("gone", delay(at("10:30"), minutes=200)))
        people.hear(merge("stays", "gone"))
        assert "take back notice: consent_withdrawn" in told(people.journeys["gone"].everything)

    def test_a_yes_does_not(self) -> None:
        """An opt-in of the merged record neither ends the remaining one's opt-out nor allows marketing."""
        people = People(everything(quiet_hours=None, caps=()))
        people.hear(known("stays", "s@x.example")).hear(of("stays", consent(ConsentStatus.REVOKED, at("10:00"))))
        people.hear(of("gone", consent(ConsentStatus.GRANTED, at("10:30"))))
        people.hear(of("gone", consent(ConsentStatus.GRANTED, at("10:30"), purpose=Purpose.MARKETING)))
        people.hear(merge("stays", "gone")).hear(of("stays", delay(at("12:00"), minutes=60)))
        people.hear(of("stays", cannot_have(at("12:10"), "boots-42", "9.00")))
        assert people.letters("stays") == []

    def test_a_later_yes_to_the_record_that_goes_ends_its_own_no(self) -> None:
        """An opt-in of the merged record ends its own earlier opt-out, in every order of arrival."""
        no, yes = spam("gone", at("10:00")), of("gone", consent(ConsentStatus.GRANTED, at("10:30"), channel=EMAIL))
        for order in ((no, yes, "m"), (no, "m", yes), ("m", yes, no), ("m", no, yes)):
            people = People().hear(known("stays", "s@x.example"))
            for event in order:
                people.hear(merge("stays", "gone") if event == "m" else event, now=at("11:00"))
            people.hear(of("stays", delay(at("12:00"), minutes=60)))
            assert people.letters("stays") == ["s@x.example"], order

    def test_a_later_yes_to_the_record_that_stays_counts(self) -> None:
        """An opt-in of the remaining record that is later than the inherited opt-out counts."""
        people = People().hear(known("stays", "s@x.example")).hear(NOES["revoked"]).hear(merge("stays", "gone"))
        people.hear(of("stays", consent(ConsentStatus.GRANTED, at("11:30"))))
        people.hear(of("stays", delay(at("12:00"), minutes=60)))
        assert people.letters("stays") == ["s@x.example"]


class TestWhatIsOpen:
    def test_what_was_held_is_decided_again_for_the_record_that_stays(self) -> None:
        """A letter that was held for the merged record is sent to the remaining one in the morning."""
        people = People(tuned()).hear(known("stays", "s@x.example")).hear(known("gone", "g@x.example"))
        people.hear(of("gone", delay(at("23:00"), minutes=60, promised=at("12:00", day=1))))
        assert told(people.journeys["gone"].everything) == ["hold notice until 10 Feb 07:00: quiet_hours"]
        people.hear(merge("stays", "gone", at("23:30")))
        assert "suppress notice: merged" in told(people.journeys["gone"].everything)
        people.journeys["stays"].when_time_passes_to(at("08:00", day=1))
        assert people.letters("stays") == ["s@x.example"]
        assert people.letters("gone") == []

    def test_a_promise_that_is_still_to_be_kept_is_watched_for_the_record_that_stays(self) -> None:
        """An open order with its parcels moves to the remaining record, which is told when the promise passes in
        silence."""
        people = People(shop()).hear(known("stays", "s@x.example")).hear(known("gone", "g@x.example"))
        people.hear(of("gone", ordered())).hear(of("gone", shipped(noon(0), "A1", "p1")))
        people.hear(of("gone", arrived(noon(1), "A1", "p2"))).hear(merge("stays", "gone", noon(2)))
        stays = people.journeys["stays"]
        (order,) = stays.known.orders
        assert [(one.parcel_id, one.delivered_at is not None) for one in order.parcels] == [("p1", False), ("p2", True)]
        stays.when_time_passes_to(FRIDAY + 2 * DAY)
        assert [one.template for one in stays.requests] == ["promise_watch/find_out", "delay_care/silent"]
        people.journeys["gone"].when_time_passes_to(FRIDAY + 2 * DAY)
        assert people.letters("gone") == []

    def test_what_they_were_told_is_not_told_again(self) -> None:
        """Letters that the merged record received are not sent again."""
        people = People(everything(quiet_hours=None, caps=()))
        people.hear(known("stays", "s@x.example")).hear(known("gone", "g@x.example"))
        people.hear(of("gone", delay(at("10:00"), minutes=60))).hear(of("gone", asks(at("10:00"))))
        people.journeys["gone"].when_time_passes_to(at("10:10"))
        assert len(people.letters("gone")) == 2
        people.hear(merge("stays", "gone", at("10:11")))
        people.journeys["stays"].when_time_passes_to(at("10:12"))
        assert people.letters("stays") == []
        people.journeys["stays"].when_time_passes_to(at("10:30"))  # nobody has answered: somebody steps in, once
        assert [line for line in told(people.journeys["stays"].everything) if line.startswith("escalate")] != []

    def test_what_arrives_for_the_record_that_goes_is_heard_by_the_one_that_stays(self) -> None:
        """Later events of the merged record are forwarded to the remaining one."""
        people = People(everything(quiet_hours=None, caps=())).hear(known("stays", "s@x.example"))
        people.hear(merge("stays", "gone")).hear(of("gone", delay(at("12:00"), minutes=60)))
        assert people.letters("stays") == ["s@x.example"]
        people.hear(of("gone", departure(at("12:10")))).hear(of("gone", posts(Sentiment.NEGATIVE, at("12:20"))))
        assert "take back notice: wait_over" in told(people.journeys["stays"].everything)
        assert people.journeys["stays"].known.mentions
        assert people.letters("gone") == []

    def test_who_they_are_is_filled_in_where_it_is_not_known(self) -> None:
        """The remaining record keeps its name and takes the other's address if it has none."""
        people = People().hear(of("stays", profile(name="Ana Ruiz", addresses=None)))
        people.hear(of("gone", profile(at("10:00"), name="A. Ruiz"))).hear(merge("stays", "gone"))
        stays = people.journeys["stays"].known.profile
        assert (stays.name, [to.address for to in stays.addresses]) == ("Ana Ruiz", ["ana@mail.example"])

    def test_told_twice_is_told_once(self) -> None:
        """A merge that is reported again causes no further events."""
        people = People().hear(known("stays", "s@x.example")).hear(of("gone", delay(at("10:00"), minutes=60)))
        people.hear(merge("stays", "gone")).hear(of("stays", consent(ConsentStatus.REVOKED, at("11:30"))))
        before = people.deliveries
        people.hear(merge("stays", "gone"), now=at("12:00"))
        assert people.deliveries == before + 1


class TestToAndFro:
    @pytest.mark.parametrize("late", [False, True])
    def test_the_latest_merge_of_two_records_says_which_stays(self, late: bool) -> None:
        """Of two merges in opposite directions the later counts, whichever arrives first."""
        people = People().hear(known("A", "a@x.example")).hear(known("B", "b@x.example"))
        words = [merge("B", "A", at("10:00")), merge("A", "B", at("11:00"))]
        for word in reversed(words) if late else words:
            people.hear(word, now=at("11:00"))
        people.hear(of("A", delay(at("12:00"), minutes=60))).hear(of("B", delay(at("12:00"), minutes=60, subject="B")))
        assert people.letters("A") == ["a@x.example", "a@x.example"]
        assert people.letters("B") == []

    def test_in_the_same_moment_both_come_to_the_same(self) -> None:
        """Of two merges in opposite directions at the same moment exactly one record remains."""
        people = People().hear(merge("B", "A")).hear(merge("A", "B"))
        gone = {who for who in "AB" if people.journeys[who].known.merged_into is not None}
        assert len(gone) == 1

    def test_a_ring_comes_to_rest(self) -> None:
        """With merges in a ring no event circulates for ever."""
        people = People()
        for word in (merge("B", "A", at("10:00")), merge("C", "B", at("10:10")), merge("A", "C", at("10:20"))):
            people.hear(word)
        people.hear(of("A", delay(at("12:00"), minutes=60))).hear(of("B", consent(ConsentStatus.REVOKED, at("12:10"))))
        assert people.deliveries < 60

    def test_with_somebody_unknown_or_erased(self) -> None:
        """An erased record's earlier opt-outs do not count."""
        people = People().hear(known("stays", "s@x.example")).hear(NOES["revoked"])
        people.hear(CustomerErased(**facts(at("10:30"), customer_id="gone")))
        people.hear(merge("stays", "gone")).hear(merge("stays", "nobody"))
        people.hear(of("stays", delay(at("11:10"), minutes=60)))
        assert people.letters("stays") == ["s@x.example"]
        people.hear(of("gone", consent(ConsentStatus.REVOKED, at("11:20"))))
        people.hear(of("stays", delay(at("11:30"), minutes=60, subject="B")))
        assert people.letters("stays") == ["s@x.example"]

    def test_many_merges_do_not_crowd_out_a_no(self) -> None:
        """With hundreds of merged records the earliest opt-out still counts."""
        people = People().hear(known("stays", "s@x.example"))
        people.hear(of("r0", consent(ConsentStatus.REVOKED, at("10:00")))).hear(merge("stays", "r0"))
        for number in range(1, 120):
            people.deliveries = 0
            people.hear(of(f"r{number}", consent(ConsentStatus.GRANTED, at("10:10")))).hear(
                merge("stays", f"r{number}", at("11:00") + timedelta(seconds=number))
            )
        people.hear(of("stays", delay(at("12:00"), minutes=60)))
        assert people.letters("stays") == []
        assert len(people.journeys["stays"].known.consents) < 60


_who = st.sampled_from(["A", "B", "C"])
_minutes = st.integers(0, 9).map(lambda minutes: NOON + timedelta(minutes=minutes))
_steps: st.SearchStrategy[Any] = st.one_of(
    st.builds(
        lambda who, when, status, channel: ConsentChanged(
            **facts(when, customer_id=who), purpose=Purpose.SERVICE, status=status, channel=channel
        ),
        _who,
        _minutes,
        st.sampled_from(list(ConsentStatus)),
        st.sampled_from([None, EMAIL]),
    ),
    st.builds(spam, _who, _minutes, st.sampled_from([Engagement.UNSUBSCRIBED, Engagement.COMPLAINED])),
    st.sampled_from([("B", "A"), ("C", "B")]).map(lambda pair: merge(*pair)),
)


def outcome(steps: Iterable[Any], chance: random.Random | None) -> tuple[list[str], set[Any]]:
    """Return where a letter for C goes once everything has arrived, and what C inherited."""
    people = People(chance=chance).hear(known("C", "c@x.example"))
    for step in steps:
        people.hear(step, now=NOON + timedelta(hours=1))
    people.settle().hear(of("C", delay(NOON + timedelta(hours=1), minutes=60, promised=NOON + timedelta(hours=2))))
    state = people.settle().journeys["C"].known
    words = {one for one in state.consents if one.from_customer_id} | set(state.suppressions)
    return people.letters("C"), words


@for_any(st.lists(_steps, max_size=8), st.randoms(use_true_random=False))
@settings(max_examples=examples(200), deadline=None, derandomize=True)
def test_the_order_of_arrival_does_not_matter(steps: list[Any], chance: random.Random) -> None:
    """For A merged into B and B into C, events in any order, delayed and repeated, give the same result for C."""
    steps = [*steps, merge("B", "A"), merge("C", "B")]
    arriving = [*steps, *steps[::2]]
    chance.shuffle(arriving)
    assert outcome(arriving, chance) == outcome(steps, None)


@for_any(st.lists(_steps, max_size=8), st.randoms(use_true_random=False))
@settings(max_examples=examples(200), deadline=None, derandomize=True)
def test_a_no_to_either_record_holds_for_the_one_that_stays(steps: list[Any], chance: random.Random) -> None:
    """While the latest consent of any of the records is an opt-out, C gets no letter."""
    steps = [*steps, merge("B", "A"), merge("C", "B")]
    chance.shuffle(steps)
    letters, _ = outcome(steps, chance)
    own = [one.occurred_at for one in steps if isinstance(one, ConsentChanged) and one.customer_id == "C"
           and one.status is ConsentStatus.GRANTED]  # fmt: skip
    for who in "ABC":
        said = [one for one in steps if isinstance(one, ConsentChanged) and one.customer_id == who]
        latest = max((one.occurred_at for one in said), default=None)
        noes = [one for one in said if one.occurred_at == latest]
        said_no = latest is not None and all(one.status is not ConsentStatus.GRANTED for one in noes)
        if said_no and all(moment < latest for moment in own):
            assert letters == [], who
        if any(isinstance(one, OutreachEngaged) and one.kind is Engagement.COMPLAINED for one in steps):
            assert letters == []


def test_what_a_record_passes_on_is_small() -> None:
    """Forwarded events are truncated, so that they fit their topic."""
    people = People().hear(merge("stays", "gone"))
    long = ContactOpened(
        **facts(at("12:00"), customer_id="gone", event_id="e" * 500), contact_id="c" * 9_000, channel=Channel.CHAT,
        summary="x" * 900_000,
    )  # fmt: skip
    (passed,) = [one for one in people.hear(long).journeys["gone"].outputs if isinstance(one, ContactOpened)]
    assert len(passed.event_id) < 64
    assert len(passed.contact_id) + len(passed.summary or "") < 1_000
    assert not isinstance(passed, OutreachRequested)
