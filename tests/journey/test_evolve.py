"""What each kind of fact changes. A late fact never reverts a later one."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest

from processors.journey.evolve import evolve
from processors.journey.evolve.limits import MAX_NAME, MAX_TEXT, within_limits
from processors.journey.state import KEEP_AT_MOST, KEEP_CLOSED, KEEP_OPEN, KEEP_OUTREACH, begin, prune
from streams.events import (
    Address,
    AgentNoted,
    Alternative,
    CancelledBy,
    Channel,
    ContactClosed,
    ContactOpened,
    ContactReplied,
    Engagement,
    FailureReason,
    FeedbackGiven,
    FeedbackKind,
    ItemUnavailable,
    JourneyState,
    MentionPosted,
    OrderCancelled,
    OrderDelivered,
    OrderPlaced,
    OrderShipped,
    Outreach,
    OutreachChannel,
    OutreachEngaged,
    OutreachFailed,
    OutreachSent,
    OutreachUncertain,
    ProfileUpdated,
    Purpose,
    Resolution,
    Sentiment,
    Suppression,
    replace,
)
from tests.journey.given import HOOK, MAIL, NOON, at, departure, facts

FAR = NOON + timedelta(days=30)
"""A time after all events."""


def after(*events: Any, state: JourneyState | None = None) -> JourneyState:
    """Return the state after these facts, in this order of arrival."""
    state = state or begin("ana", NOON)
    for event in events:
        state = evolve(state, event, FAR)
    return state


def in_any_order(*events: Any) -> list[JourneyState]:
    """Return the states for every order of arrival."""
    return [after(*order) for order in permutations(events)]


class TestContacts:
    opened = ContactOpened(
        **facts(at("10:00")), contact_id="c", channel=Channel.CHAT, matter="order 7", summary="Where is it?"
    )
    robot = ContactReplied(**facts(at("10:01")), contact_id="c", channel=Channel.CHAT, automated=True)
    person = ContactReplied(**facts(at("10:20")), contact_id="c", channel=Channel.CHAT, agent_id="kim")
    closed = ContactClosed(**facts(at("11:00")), contact_id="c", resolution=Resolution.SOLVED)

    def test_opened_answered_closed_in_any_order(self) -> None:
        """A contact is the same in every order of arrival of its facts."""
        for state in in_any_order(self.opened, self.robot, self.person, self.closed):
            (contact,) = state.contacts
            assert contact.opened_at == at("10:00")
            assert contact.replied_at == at("10:20"), "a robot's answer is no reply"
            assert contact.answered_at == at("10:20")
            assert (contact.closed_at, contact.resolution) == (at("11:00"), Resolution.SOLVED)
            assert (contact.matter, contact.summary, contact.channel) == ("order 7", "Where is it?", Channel.CHAT)
            assert contact.as_of == at("11:00")

    def test_the_first_human_answer_counts(self) -> None:
        """The first answer of a person counts, whichever answer arrives first."""
        later = ContactReplied(**facts(at("10:40")), contact_id="c", channel=Channel.CHAT)
        for state in in_any_order(self.opened, self.person, later):
            assert state.contacts[0].replied_at == at("10:20")
            assert state.contacts[0].answered_at == at("10:40")

    def test_opened_again(self) -> None:
        """A reopened contact has no answer yet."""
        again = ContactOpened(**facts(at("15:00")), contact_id="c", channel=Channel.CALL)
        (contact,) = after(self.opened, self.person, self.closed, again).contacts
        assert (contact.opened_at, contact.closed_at, contact.replied_at) == (at("15:00"), None, None)
        assert contact.resolution is Resolution.UNKNOWN
        assert contact.matter == "order 7"

    def test_an_end_from_before_it_was_opened_again(self) -> None:
        """An end from before the reopening does not close the contact."""
        again = ContactOpened(**facts(at("15:00")), contact_id="c", channel=Channel.CALL)
        late = ContactClosed(**facts(at("14:00")), contact_id="c")
        assert after(self.opened, self.closed, again, late).contacts[0].closed_at is None

    def test_of_two_ends_the_later_counts(self) -> None:
        """Of two ends the later one's resolution counts."""
        earlier = ContactClosed(**facts(at("10:30")), contact_id="c", resolution=Resolution.TRANSFERRED)
        for state in (after(self.opened, earlier, self.closed), after(self.opened, self.closed, earlier)):
            assert state.contacts[0].closed_at == at("11:00")
            assert state.contacts[0].resolution is Resolution.SOLVED


class TestOrders:
    placed = OrderPlaced(
        **facts(at("08:00")),
        order_id="o",
        kind="parcel",
        description="a lamp",
        promised_at=at("12:00", day=2),
        total=Decimal("49.90"),
        currency="EUR",
    )
    shipped = OrderShipped(**facts(at("09:00")), order_id="o")
    delivered = OrderDelivered(**facts(at("18:00")), order_id="o")

    def test_each_fact_owns_its_field(self) -> None:
        """An order is the same in every order of arrival of its facts."""
        first, *others = in_any_order(self.placed, self.shipped, self.delivered)
        assert all(state.orders == first.orders for state in others)
        (order,) = first.orders
        assert (order.opened_at, order.shipped_at, order.delivered_at) == (at("08:00"), at("09:00"), at("18:00"))
        assert (order.closed_at, order.total, order.description) == (at("18:00"), Decimal("49.90"), "a lamp")

    def test_what_was_delivered_stays_delivered(self) -> None:
        """A cancellation does not undo a delivery."""
        cancelled = OrderCancelled(**facts(at("17:00")), order_id="o", by=CancelledBy.CUSTOMER)
        for state in in_any_order(self.placed, self.delivered, cancelled):
            (order,) = state.orders
            assert (order.delivered_at, order.closed_at) == (at("18:00"), at("18:00"))
            assert order.cancelled_at == at("17:00")

    def test_cancelled(self) -> None:
        """A cancelled order is closed."""
        cancelled = OrderCancelled(**facts(at("10:00")), order_id="o")
        assert after(self.placed, cancelled).orders[0].closed_at == at("10:00")


class TestVoice:
    def test_moments_in_the_order_they_occurred(self) -> None:
        """Feedback is kept in the order it was given, each piece once."""
        early = FeedbackGiven(**facts(at("09:00")), feedback_id="1", kind=FeedbackKind.CSAT, score=2)
        late = FeedbackGiven(**facts(at("10:00")), feedback_id="2", kind=FeedbackKind.PRAISE, text="Thank you, Kim")
        for state in (after(early, late), after(late, early), after(late, early, late)):
            assert [moment.feedback_id for moment in state.moments] == ["1", "2"]

    def test_notes_in_the_order_they_were_written(self) -> None:
        """Employees' notes are kept in the order they were written."""
        early = AgentNoted(**facts(at("09:00")), note_id="1", agent_id="kim", text="prefers chat")
        late = AgentNoted(**facts(at("10:00")), note_id="2", agent_id="kim", text="called back")
        assert after(early, late).notes == after(late, early).notes
        assert [note.text for note in after(late, early).notes] == ["prefers chat", "called back"]

    def test_a_mention_seen_again_is_the_same_mention(self) -> None:
        """A post that is seen again keeps its first time and takes the latest reach."""
        first = MentionPosted(**facts(at("09:00")), mention_id="m", platform="x", sentiment=Sentiment.NEGATIVE, reach=5)
        again = MentionPosted(
            **facts(at("10:00")), mention_id="m", platform="x", sentiment=Sentiment.NEGATIVE, reach=900
        )
        (mention,) = after(first, again).mentions
        assert (mention.opened_at, mention.reach) == (at("09:00"), 900)
        assert after(first, again, first).mentions == (mention,), "an older sighting changes nothing"

    def test_a_wish_asked_for_again_is_the_same_wish(self) -> None:
        """A repeated request keeps its first time and takes the latest alternatives."""
        elsewhere = Alternative(seller="corner shop", link="https://shop.example")
        first = ItemUnavailable(**facts(at("09:00")), item_id="lamp", description="lamp")
        again = ItemUnavailable(**facts(at("10:00")), item_id="lamp", description="lamp", alternatives=(elsewhere,))
        (wish,) = after(first, again).wishes
        assert (wish.opened_at, wish.alternatives) == (at("09:00"), (elsewhere,))
        assert after(first, again, first).wishes == (wish,)


class TestProfile:
    def test_what_is_not_said_is_left_as_it_was(self) -> None:
        """An update of the addresses keeps the name."""
        named = ProfileUpdated(**facts(at("08:00")), name="Ana", locale="de", time_zone="Europe/Vienna")
        moved = ProfileUpdated(**facts(at("09:00")), addresses=(HOOK,))
        profile = after(named, moved).profile
        assert (profile.name, profile.locale, profile.time_zone) == ("Ana", "de", "Europe/Vienna")
        assert profile.addresses == (HOOK,)

    def test_addresses_are_told_whole(self) -> None:
        """A new list of addresses replaces the old one, even an empty one."""
        state = after(ProfileUpdated(**facts(at("08:00")), addresses=(MAIL, HOOK)))
        assert after(ProfileUpdated(**facts(at("09:00")), addresses=()), state=state).profile.addresses == ()

    def test_an_older_telling_fills_only_what_is_not_known(self) -> None:
        """A late, older update sets only the fields that are not known."""
        new = ProfileUpdated(**facts(at("09:00")), name="Ana Novak")
        old = ProfileUpdated(**facts(at("08:00")), name="Ana", locale="de", addresses=(MAIL,))
        profile = after(new, old).profile
        assert (profile.name, profile.locale, profile.addresses) == ("Ana Novak", "de", (MAIL,))
        assert profile.as_of == at("09:00")
        assert after(old, new).profile == profile


class TestOutcomes:
    note = Outreach(
        outreach_id="o1",
        policy="delay_care",
        journey_id="j",
        occasion="notice",
        purpose=Purpose.SERVICE,
        channel=OutreachChannel.EMAIL,
        address=MAIL.address,
        requested_at=NOON,
        useful_until=at("15:00"),
    )

    def state(self, *addresses: Address) -> JourneyState:
        """Return the state of a customer who was written to by e-mail."""
        known = ProfileUpdated(**facts(at("08:00")), addresses=addresses or (MAIL, HOOK))
        return replace(after(known), outreach=(self.note,))

    def outcome(self, record: Any, clock: str = "12:10", /, **said: Any) -> Any:
        """Return an outcome of that letter."""
        return record(**facts(at(clock)), **({"outreach_id": "o1", "channel": OutreachChannel.EMAIL} | said))

    @pytest.mark.parametrize(
        ("kind", "said", "word"),
        [
            (OutreachSent, {"provider": "smtp"}, "sent"),
            (OutreachUncertain, {"provider": "smtp"}, "uncertain"),
            (OutreachFailed, {"reason": FailureReason.REJECTED}, "failed: rejected"),
            (OutreachEngaged, {"kind": Engagement.OPENED}, "opened"),
        ],
    )
    def test_is_noted(self, kind: Any, said: dict[str, Any], word: str) -> None:
        """The state keeps the outcome of the letter."""
        state = after(self.outcome(kind, **said), state=self.state())
        assert (state.outreach[0].outcome, state.outreach[0].outcome_at) == (word, at("12:10"))
        assert state.suppressions == ()

    def test_the_latest_counts(self) -> None:
        """An older outcome that arrives late does not replace a later one."""
        opened, sent = (
            self.outcome(OutreachEngaged, "12:30", kind=Engagement.OPENED),
            self.outcome(OutreachSent, "12:10", provider="smtp"),
        )
        assert after(opened, sent, state=self.state()).outreach == after(sent, opened, state=self.state()).outreach

    @pytest.mark.parametrize(
        ("kind", "said", "address", "reason"),
        [
            (OutreachFailed, {"reason": FailureReason.BOUNCED}, MAIL.address, "bounced"),
            (OutreachEngaged, {"kind": Engagement.COMPLAINED}, "", "complained"),
            (OutreachEngaged, {"kind": Engagement.UNSUBSCRIBED}, "", "unsubscribed"),
        ],
    )
    def test_closes_the_address_or_the_channel(
        self, kind: Any, said: dict[str, Any], address: str, reason: str
    ) -> None:
        """A bounce suppresses that address; a complaint or an unsubscription suppresses the channel."""
        no = self.outcome(kind, **said)
        (closed,) = after(no, state=self.state()).suppressions
        assert (closed.channel, closed.address, closed.reason) == (OutreachChannel.EMAIL, address, reason)

    def test_a_no_heard_late_is_a_no(self) -> None:
        """An unsubscription that arrives after a later click still counts."""
        clicked = self.outcome(OutreachEngaged, "12:30", kind=Engagement.CLICKED)
        no = self.outcome(OutreachEngaged, "12:20", kind=Engagement.UNSUBSCRIBED)
        for order in ((clicked, no), (no, clicked)):
            state = after(*order, state=self.state())
            assert [closed.reason for closed in state.suppressions] == ["unsubscribed"]
            assert state.outreach[0].outcome == "clicked"

    def test_a_no_to_a_letter_of_long_ago_is_a_no(self) -> None:
        """An unsubscription by an unknown letter closes the channel."""
        no = self.outcome(OutreachEngaged, kind=Engagement.UNSUBSCRIBED, outreach_id="forgotten")
        (closed,) = after(no, state=self.state()).suppressions
        assert (closed.channel, closed.address) == (OutreachChannel.EMAIL, "")

    def test_a_no_on_another_channel_closes_that_channel(self) -> None:
        """An opt-out on the letter's second channel closes that channel."""
        no = self.outcome(OutreachEngaged, kind=Engagement.COMPLAINED, channel=OutreachChannel.WEBHOOK)
        (closed,) = after(no, state=self.state()).suppressions
        assert (closed.channel, closed.address) == (OutreachChannel.WEBHOOK, "")

    def test_a_bounce_that_may_be_of_either_address_closes_neither(self) -> None:
        """A bounce closes an address only if it certainly came from it."""
        other = Address(channel=OutreachChannel.EMAIL, address="novak@work.example")
        bounce = self.outcome(OutreachFailed, reason=FailureReason.BOUNCED, outreach_id="forgotten")
        assert after(bounce, state=self.state(MAIL, other)).suppressions == ()
        assert len(after(bounce, state=self.state(MAIL)).suppressions) == 1

    def test_of_a_letter_we_never_wrote(self) -> None:
        """An outcome of an unknown letter changes nothing."""
        stray = self.outcome(OutreachSent, provider="smtp", outreach_id="somebody-elses")
        assert after(stray, state=self.state()) == self.state()


class TestForgetting:
    def test_what_is_over_for_thirty_days_is_forgotten(self) -> None:
        """A wait that ended is kept for thirty days."""
        state = after(departure(NOON))
        assert prune(state, NOON + KEEP_CLOSED - (at("12:01") - NOON)).delays
        assert not prune(state, NOON + KEEP_CLOSED).delays

    def test_of_what_is_over_the_latest_stay(self) -> None:
        """At most twenty ended waits are kept."""
        state = after(*(departure(at(f"11:{number}"), subject=str(number)) for number in range(10, KEEP_AT_MOST + 15)))
        assert [delay.subject_id for delay in prune(state, NOON).delays] == [str(number) for number in range(15, 35)]

    def test_of_what_is_open_the_latest_heard_of_stay(self) -> None:
        """Beyond the limit, the open contact without news for longest is dropped."""
        asked = [
            ContactOpened(**facts(at(f"10:{number:02}")), contact_id=str(number), channel=Channel.CHAT)
            for number in range(KEEP_OPEN + 3)
        ]
        revived = ContactReplied(**facts(at("11:00")), contact_id="0", channel=Channel.CHAT)
        kept = [contact.contact_id for contact in prune(after(*asked, revived), NOON).contacts]
        assert len(kept) == KEEP_OPEN
        assert "0" in kept
        assert not {"1", "2", "3"} & set(kept)

    def test_the_latest_letters_stay(self) -> None:
        """The latest sixty letters are kept."""
        notes = tuple(replace(TestOutcomes.note, outreach_id=str(number)) for number in range(KEEP_OUTREACH + 2))
        kept = prune(replace(after(), outreach=notes), NOON).outreach
        assert [note.outreach_id for note in kept] == [str(number) for number in range(2, KEEP_OUTREACH + 2)]

    def test_the_address_of_today_stays_closed(self) -> None:
        """A suppressed address that the customer still has stays suppressed, however many others there were."""
        closed = tuple(
            Suppression(
                channel=OutreachChannel.EMAIL, address=address, reason="bounced", as_of=at(f"10:{number % 60:02}")
            )
            for number, address in enumerate(
                [MAIL.address, *(f"{number}@x.example" for number in range(2 * KEEP_OPEN))]
            )
        )
        known = after(ProfileUpdated(**facts(at("08:00")), addresses=(MAIL,)))
        kept = prune(replace(known, suppressions=closed), NOON).suppressions
        assert len(kept) == KEEP_OPEN + 1
        assert closed[0] in kept

    def test_nothing_to_forget(self) -> None:
        """Pruning a state with nothing to prune returns the same object."""
        state = after(ContactOpened(**facts(NOON), contact_id="c", channel=Channel.CHAT))
        assert prune(state, NOON) is state


class TestLimits:
    def test_a_long_story_is_kept_in_short(self) -> None:
        """A long text is cut in the state; the touchpoint has all of it."""
        story = FeedbackGiven(**facts(NOON), feedback_id="1", kind=FeedbackKind.STORY, text="Ä" * 5_000)
        (moment,) = after(story).moments
        assert moment.text is not None
        assert moment.text.endswith("Ä…")
        assert len(moment.text.encode()) <= MAX_TEXT

    def test_long_names_stay_apart(self) -> None:
        """Two long names that differ only at the end stay different."""
        names = ["x" * 5_000 + end for end in "ab"]
        asked = [ContactOpened(**facts(NOON), contact_id=name, channel=Channel.CHAT) for name in names]
        state = after(*asked, ContactClosed(**facts(at("12:30")), contact_id=names[1]))
        assert [contact.closed_at for contact in state.contacts] == [None, at("12:30")]
        assert all(len(contact.contact_id) <= MAX_NAME for contact in state.contacts)

    def test_half_a_character_is_not_kept(self) -> None:
        """A text that ends within a surrogate pair can be kept."""
        broken = FeedbackGiven(**facts(NOON), feedback_id="1", kind=FeedbackKind.STORY, text="\ud83e" * 700)
        after(broken).moments[0].text.encode()  # type: ignore[union-attr]

    def test_ordinary_facts_are_taken_as_they_are(self) -> None:
        """A fact of ordinary length is not changed."""
        event = TestContacts.opened
        assert within_limits(event) is event

    def test_what_every_fact_carries_has_limits_too(self) -> None:
        """The source is cut like any other name; the ids of events and customers are not."""
        long = facts(NOON, source="s" * 10_000, event_id="e" * 500)
        event = within_limits(ContactOpened(**long, contact_id="c", channel=Channel.CHAT))
        assert (len(event.source), len(event.event_id)) == (MAX_NAME, 500)
