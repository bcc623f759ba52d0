"""The guard: who may be reached, where and when. Its refusals are values with a reason."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from processors.journey.actions import Hold, Reach, Suppress, Want
from processors.journey.guard import guard, quiet_until
from processors.journey.identity import outreach_id
from processors.journey.playbook import FrequencyCap, Playbook, QuietHours
from processors.journey.state import begin
from streams.events import (
    Address,
    Consent,
    ConsentStatus,
    JourneyState,
    MergeSide,
    Outreach,
    OutreachChannel,
    Profile,
    ProfilesMerged,
    Purpose,
    Suppression,
    replace,
)
from streams.zones import zone_of
from tests.journey.given import (
    HOOK,
    MAIL,
    NOON,
    PLAYBOOK,
    at,
    capped,
    consent,
    delay,
    departure,
    facts,
    given,
    profile,
    tuned,
)

GRANTED, DENIED, REVOKED = ConsentStatus.GRANTED, ConsentStatus.DENIED, ConsentStatus.REVOKED
EMAIL, WEBHOOK = OutreachChannel.EMAIL, OutreachChannel.WEBHOOK


def want(useful_until: datetime = NOON + timedelta(hours=3), purpose: Purpose = Purpose.SERVICE) -> Want:
    """Return a want of a policy."""
    return Want(
        policy="delay_care",
        why="because",
        journey_id="delay/flight/UA571/0",
        occasion="notice",
        purpose=purpose,
        template="delay_care/notice",
        variables={},
        gesture=None,
        useful_until=useful_until,
    )


def customer(
    *addresses: Address,
    time_zone: str | None = "UTC",
    consents: tuple[Consent, ...] = (),
    suppressions: tuple[Suppression, ...] = (),
    merged_into: str | None = None,
    sent: tuple[datetime, ...] = (),
) -> JourneyState:
    """Return the state of a customer, with an e-mail address unless others are given."""
    notes = tuple(
        Outreach(
            outreach_id=str(number),
            policy="delay_care",
            journey_id="other",
            occasion="notice",
            purpose=Purpose.SERVICE,
            channel=EMAIL,
            address=MAIL.address,
            requested_at=moment,
            useful_until=moment,
        )
        for number, moment in enumerate(sent)
    )
    return replace(
        begin("ana", NOON),
        profile=Profile(addresses=addresses or (MAIL,), time_zone=time_zone),
        consents=consents,
        suppressions=suppressions,
        merged_into=merged_into,
        outreach=notes,
    )


def word(
    status: ConsentStatus,
    day: int,
    *,
    channel: OutreachChannel | None = None,
    purpose: Purpose = Purpose.SERVICE,
) -> Consent:
    """Return a consent of that day of the month."""
    return Consent(channel=channel, purpose=purpose, status=status, as_of=datetime(2026, 1, day, tzinfo=UTC))


def closed(address: Address, reason: str = "bounced") -> Suppression:
    """Return a suppression of the address."""
    return Suppression(channel=address.channel, address=address.address, reason=reason, as_of=NOON)


class TestReachable:
    def test_every_open_address_in_the_playbooks_order(self) -> None:
        """Addresses are used in the playbook's order of channels, not in that of the profile."""
        action = guard(want(), customer(HOOK, MAIL), NOON, PLAYBOOK)
        assert isinstance(action, Reach)
        assert action.addresses == (MAIL, HOOK)

    @pytest.mark.parametrize(
        "address",
        [
            Address(channel=OutreachChannel.SMS, address="+43123"),
            Address(channel=EMAIL, address=""),
            Address(channel=OutreachChannel.OTHER, address="x"),
        ],
    )
    def test_no_address(self, address: Address) -> None:
        """Without an address on a channel in use the reason is "no_address"."""
        assert refusal(customer(address)) == "no_address"

    @pytest.mark.parametrize("reason", ["bounced", "complained", "unsubscribed"])
    def test_suppressed(self, reason: str) -> None:
        """A suppressed address is not used."""
        assert refusal(customer(suppressions=(closed(MAIL, reason),))) == "suppressed"

    def test_another_address_is_still_open(self) -> None:
        """A suppressed address does not close the customer's other addresses."""
        action = guard(want(), customer(MAIL, HOOK, suppressions=(closed(MAIL),)), NOON, PLAYBOOK)
        assert isinstance(action, Reach)
        assert action.addresses == (HOOK,)

    def test_the_open_address_has_to_be_one_that_is_allowed(self) -> None:
        """If the only open address is on a channel without consent, the customer is not reached."""
        state = customer(MAIL, HOOK, suppressions=(closed(MAIL),), consents=(word(DENIED, 1, channel=WEBHOOK),))
        assert refusal(state) == "no_consent"


class TestConsent:
    def test_service_needs_no_word(self) -> None:
        """Service letters need no opt-in."""
        assert refusal(customer()) is None

    def test_marketing_needs_a_yes(self) -> None:
        """Marketing letters need an opt-in."""
        assert refusal(customer(), purpose=Purpose.MARKETING) == "no_consent"
        allowed = customer(consents=(word(GRANTED, 1, purpose=Purpose.MARKETING),))
        assert refusal(allowed, purpose=Purpose.MARKETING) is None

    @pytest.mark.parametrize("status", [DENIED, REVOKED])
    def test_no_is_no(self, status: ConsentStatus) -> None:
        """After a denied or revoked consent the customer is not reached."""
        assert refusal(customer(consents=(word(status, 1),))) == "no_consent"

    def test_a_no_to_marketing_is_none_to_service(self) -> None:
        """An opt-out of marketing does not apply to service."""
        assert refusal(customer(consents=(word(DENIED, 1, purpose=Purpose.MARKETING),))) is None

    def test_one_channel_refused_leaves_the_others(self) -> None:
        """An opt-out of e-mail leaves other channels open."""
        action = guard(want(), customer(MAIL, HOOK, consents=(word(DENIED, 1, channel=EMAIL),)), NOON, PLAYBOOK)
        assert isinstance(action, Reach)
        assert action.addresses == (HOOK,)

    @pytest.mark.parametrize(
        ("general", "general_day", "special", "special_day", "reached"),
        [
            (DENIED, 1, GRANTED, 2, True),
            (GRANTED, 1, DENIED, 2, False),
            (GRANTED, 2, DENIED, 1, True),
            (REVOKED, 2, GRANTED, 1, False),
            (DENIED, 1, GRANTED, 1, True),
            (GRANTED, 1, DENIED, 1, False),
        ],
    )
    def test_the_latest_word_counts_and_at_one_moment_the_more_specific(
        self, general: ConsentStatus, general_day: int, special: ConsentStatus, special_day: int, reached: bool
    ) -> None:
        """A later consent for all channels replaces an earlier one for e-mail; at the same moment the one for e-mail
        counts."""
        state = customer(consents=(word(general, general_day), word(special, special_day, channel=EMAIL)))
        assert (refusal(state) is None) is reached

    @pytest.mark.parametrize("swapped", [False, True])
    def test_a_yes_and_a_no_of_the_same_moment_are_a_no(self, swapped: bool) -> None:
        """Of an opt-in and an opt-out at the same moment the opt-out counts, whichever arrives first."""
        words = [consent(GRANTED, at("08:00")), consent(DENIED, at("08:00"))]
        given(profile(), *(reversed(words) if swapped else words)).when(delay(minutes=60)).then(
            "suppress notice: no_consent"
        )

    def test_an_older_yes_does_not_undo_a_later_no(self) -> None:
        """An opt-in from before the opt-out changes nothing when it arrives late."""
        journey = given(profile(), consent(DENIED, at("08:00")))
        journey.when(consent(GRANTED, at("07:00")), now=at("09:00"))
        journey.when(delay(minutes=60)).then("suppress notice: no_consent")

    def test_a_yes_that_comes_in_time_is_heard(self) -> None:
        """A customer who opts in during the wait gets the letter that was refused before."""
        journey = given(profile(), consent(DENIED, at("08:00")), delay(minutes=60))
        journey.when(consent(GRANTED, at("12:30"))).then("send notice with free-book")


class TestQuietHours:
    @pytest.mark.parametrize(("clock", "quiet"), [("21:59", False), ("22:00", True), ("06:59", True), ("07:00", False)])
    def test_over_midnight(self, clock: str, quiet: bool) -> None:
        """Letters are held from 22:00 until just before 7:00."""
        assert isinstance(decided(at(clock)), Hold) is quiet

    @pytest.mark.parametrize(("clock", "day"), [("23:00", 1), ("01:00", 0)])
    def test_until_the_coming_morning(self, clock: str, day: int) -> None:
        """Quiet hours end on the next morning, which after midnight is the same day's."""
        action = decided(at(clock))
        assert isinstance(action, Hold)
        assert action.until == at("07:00", day=day)
        assert action.reason == "quiet_hours"

    def test_within_one_day(self) -> None:
        """Quiet hours may lie within one day."""
        siesta = tuned(quiet_hours=QuietHours(begin=time(13), end=time(16), channels=frozenset(OutreachChannel)))
        assert isinstance(decided(at("12:59"), playbook=siesta), Reach)
        action = decided(at("13:00"), playbook=siesta)
        assert isinstance(action, Hold)
        assert action.until == at("16:00")
        assert isinstance(decided(at("16:00"), playbook=siesta), Reach)

    def test_none(self) -> None:
        """Without quiet hours in the playbook letters are sent at night."""
        assert isinstance(decided(at("03:00"), playbook=tuned(quiet_hours=None)), Reach)

    @pytest.mark.parametrize(
        ("zone", "quiet_ends"),
        [
            ("America/New_York", at("12:00", day=1)),
            ("Asia/Kolkata", at("01:30", day=1)),
            ("Asia/Kathmandu", at("01:15", day=1)),
            ("Australia/Adelaide", at("20:30", day=0)),
            ("Pacific/Chatham", at("17:15", day=0)),
        ],
    )
    def test_in_the_customers_own_zone(self, zone: str, quiet_ends: datetime) -> None:
        """Quiet hours are in the customer's time zone, also where its offset is not in whole hours."""
        until = quiet_until(quiet_ends - timedelta(milliseconds=1), ZoneInfo(zone), PLAYBOOK.quiet_hours or _never())
        assert until == quiet_ends
        assert quiet_until(quiet_ends, ZoneInfo(zone), PLAYBOOK.quiet_hours or _never()) is None

    def test_the_playbooks_zone_where_the_customers_is_not_known(self) -> None:
        """Without a time zone of the customer the playbook's default counts."""
        assert isinstance(decided(at("23:00"), state=customer(time_zone=None)), Hold)

    def test_too_late_by_the_morning(self) -> None:
        """A letter that would not be useful in the morning is suppressed, and the record says so."""
        action = decided(at("23:00"), useful_until=at("07:00", day=1))
        assert isinstance(action, Suppress)
        assert action.reason == "quiet_hours"
        assert action.explanation.startswith("it is night in UTC, it would not be useful by morning, and")

    @pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc/passwd", "America", "Europe/Vienna\x00"])
    def test_a_zone_that_is_none(self, name: str) -> None:
        """With an invalid time zone the letter is held for an hour."""
        state = customer(time_zone=name)
        if not name:  # an empty name counts as not set
            assert isinstance(decided(at("12:00"), state=state), Reach)
            return
        action = decided(at("12:00"), state=state)
        assert isinstance(action, Hold)
        assert (action.reason, action.until) == ("unknown_time_zone", at("13:00"))
        assert zone_of(name) is None

    def test_a_zone_that_is_put_right_frees_the_letter(self) -> None:
        """When the time zone is corrected, the held letter is sent."""
        journey = given(profile(time_zone="Mars/Olympus")).when(delay(minutes=60))
        journey.then("hold notice until 09 Feb 13:00: unknown_time_zone")
        journey.when(profile(at("12:10"), time_zone="UTC")).then("send notice with free-book")


class TestClocksThatChange:
    """New York moves its clocks on 8 March and 1 November 2026, at two in the morning."""

    zone = ZoneInfo("America/New_York")

    def test_a_morning_after_the_clocks_went_forward(self) -> None:
        """When the clocks go forward the night is an hour shorter; it still ends at seven."""
        until = quiet_until(datetime(2026, 3, 8, 4, 0, tzinfo=UTC), self.zone, QuietHours(begin=time(22), end=time(7)))
        assert until == datetime(2026, 3, 8, 11, 0, tzinfo=UTC)

    def test_an_end_that_the_clocks_skip(self) -> None:
        """If the clocks skip the end of the quiet hours, they end when the clocks change."""
        quiet = QuietHours(begin=time(22), end=time(2, 30))
        jump = datetime(2026, 3, 8, 7, 0, tzinfo=UTC)
        assert quiet_until(jump - timedelta(hours=2), self.zone, quiet) == jump
        assert quiet_until(jump, self.zone, quiet) is None

    def test_a_half_hours_jump(self) -> None:
        """The end is right where the clocks change by half an hour (Lord Howe Island)."""
        quiet = QuietHours(begin=time(22), end=time(2, 15))
        jump = datetime(2026, 10, 3, 15, 30, tzinfo=UTC)
        assert quiet_until(jump - timedelta(minutes=1), ZoneInfo("Australia/Lord_Howe"), quiet) == jump

    def test_an_end_that_comes_twice(self) -> None:
        """If the clocks show the end twice, quiet hours end at the first, and again at the second."""
        quiet = QuietHours(begin=time(22), end=time(1, 30))
        first, second = datetime(2026, 11, 1, 5, 30, tzinfo=UTC), datetime(2026, 11, 1, 6, 30, tzinfo=UTC)
        assert quiet_until(first - timedelta(minutes=5), self.zone, quiet) == first
        assert quiet_until(first, self.zone, quiet) is None
        assert quiet_until(second - timedelta(minutes=5), self.zone, quiet) == second

    @pytest.mark.parametrize("name", ["America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Beirut"])
    def test_every_quarter_of_an_hour_of_a_year(self, name: str) -> None:
        """The end of quiet hours is later than now, within 25 hours, and not itself quiet."""
        zone, moment = ZoneInfo(name), datetime(2026, 1, 1, tzinfo=UTC)
        for quiet in (QuietHours(begin=time(22), end=time(2, 30)), QuietHours(begin=time(0, 30), end=time(1, 45))):
            for quarter in range(0, 365 * 96, 3):
                now = moment + timedelta(minutes=15 * quarter)
                until = quiet_until(now, zone, quiet)
                if until is not None:
                    assert now < until <= now + timedelta(hours=25)
                    local = until.astimezone(zone).timetz().replace(tzinfo=None)
                    inside = quiet.begin <= local < quiet.end
                    if quiet.begin > quiet.end:
                        inside = local >= quiet.begin or local < quiet.end
                    assert not inside


class TestHolds:
    def test_decided_again_on_what_is_true_at_its_end(self) -> None:
        """A customer who opts out while a letter is held does not get it."""
        journey = given(profile(), delay(at("23:00"), promised=at("09:00", day=1), minutes=60))
        journey.when(consent(DENIED, at("23:30"))).then("suppress notice: no_consent")
        journey.when_time_passes_to(at("07:00", day=1)).then_nothing()

    def test_never_past_its_use(self) -> None:
        """A hold ends no later than the letter stops being useful."""
        action = decided(at("12:00"), state=customer(time_zone="Mars/Olympus"), useful_until=at("12:20"))
        assert isinstance(action, Hold)
        assert action.until == at("12:20")

    def test_too_late_already(self) -> None:
        """A letter that is no longer useful is refused first."""
        action = decided(at("12:00"), useful_until=at("12:00"))
        assert isinstance(action, Suppress)
        assert action.reason == "no_longer_useful"


class TestFrequencyCap:
    def test_in_any_window_of_that_length(self) -> None:
        """With a cap of two in three hours, the third letter is held until the first is three hours old."""
        sent = (at("10:00"), at("11:00"))
        action = decided(NOON, state=customer(sent=sent), playbook=capped(2, 3), useful_until=at("18:00"))
        assert isinstance(action, Hold)
        assert (action.reason, action.until) == ("frequency_cap", at("13:00"))
        assert action.explanation == "frequency cap reached: 2 service messages in 3 hours"
        assert isinstance(decided(at("13:00"), state=customer(sent=sent), playbook=capped(2, 3)), Reach)

    def test_of_no_use_by_then(self) -> None:
        """A letter that would not be useful when the cap frees up is suppressed."""
        action = decided(NOON, state=customer(sent=(at("11:00"),)), playbook=capped(1, 3), useful_until=at("14:00"))
        assert isinstance(action, Suppress)
        assert action.reason == "frequency_cap"

    def test_another_purpose_has_its_own(self) -> None:
        """Service letters do not count towards the cap on marketing."""
        playbook = tuned(caps=(FrequencyCap(purpose=Purpose.MARKETING, most=1, window=timedelta(days=7)),))
        assert isinstance(decided(NOON, state=customer(sent=(at("11:00"),)), playbook=playbook), Reach)

    def test_letters_of_one_moment_count_one_another(self) -> None:
        """Of two letters that are due at the same moment, the second is held by the cap."""
        journey = given(profile(), consent(DENIED, at("08:00")), playbook=capped(1, 1))
        journey.when(delay(subject="A", minutes=90)).when(delay(at("12:01"), subject="B", minutes=90))
        journey.when(consent(GRANTED, at("12:10"))).then(
            "send notice with free-book", "hold notice until 09 Feb 13:10: frequency_cap"
        )
        journey.when_time_passes_to(at("13:10")).then("send notice with free-book")

    def test_a_freed_slot_goes_to_one(self) -> None:
        """When the cap frees up for one of two held letters, one is sent and the other stays held."""
        journey = given(profile(), playbook=capped(1, 1))
        for number, subject in enumerate("ABC"):
            journey.when(delay(at(f"12:0{number}"), subject=subject, promised=at("15:00"), minutes=90))
        journey.when_time_passes_to(at("14:30"))
        assert [one.requested_at for one in journey.requests] == [at("12:00"), at("13:00"), at("14:00")]

    def test_who_still_waits_when_the_cap_allows_hears_from_us(self) -> None:
        """A letter that was refused because the wait was to end before the cap frees up is sent if the wait
        continues."""
        first = (delay(subject="A", promised=NOON, minutes=45), departure(at("12:05"), subject="A"))
        journey = given(profile(), *first, playbook=capped(1, 2))
        journey.when(delay(at("12:10"), subject="B", promised=NOON, minutes=60)).then("suppress notice: frequency_cap")
        journey.when_time_passes_to(at("13:59")).then_nothing()
        journey.when_time_passes_to(at("14:00")).then("send notice with movie")


class TestOrderOfTheRules:
    def test_the_first_that_objects_is_the_reason(self) -> None:
        """The reason is that of the first rule that objects, in a fixed order."""
        state = customer(
            time_zone="UTC",
            consents=(word(DENIED, 1),),
            suppressions=(closed(MAIL),),
            merged_into="bea",
            sent=(at("22:00"), at("22:30")),
        )
        night, late = at("23:00"), at("22:00")
        playbook = capped(1, 24)
        reasons = []
        for changes, until in (
            ({}, late),
            ({"merged_into": None}, late),
            ({}, at("12:00", day=2)),
            ({"suppressions": ()}, at("12:00", day=2)),
            ({"consents": ()}, at("12:00", day=2)),
        ):
            state = replace(state, **changes)
            action = guard(want(until), state, night, playbook)
            assert isinstance(action, Hold | Suppress)
            reasons.append(action.reason)
        action = guard(want(at("12:00", day=2)), state, at("12:00", day=1), playbook)
        assert isinstance(action, Hold)
        assert [*reasons, action.reason] == [
            "merged",
            "no_longer_useful",
            "suppressed",
            "no_consent",
            "quiet_hours",
            "frequency_cap",
        ]

    def test_a_merged_record_is_not_written_to(self) -> None:
        """A record that was merged into another gets no letters."""
        merge = ProfilesMerged(**facts(at("08:00")), other_customer_id="bea", side=MergeSide.ABSORBED)
        given(profile(), merge).when(delay(minutes=60)).then("suppress notice: merged")

    def test_what_was_asked_for_once_is_not_asked_for_again(self) -> None:
        """Also where the policy has forgotten that it was: the letters of the last weeks are remembered."""
        wanted = want()
        state = customer(sent=(NOON - timedelta(days=20),))
        name = outreach_id("ana", wanted.policy, wanted.journey_id, wanted.occasion)
        state = replace(state, outreach=(replace(state.outreach[0], outreach_id=name),))
        action = guard(wanted, state, NOON, PLAYBOOK)
        assert isinstance(action, Suppress)
        assert action.reason == "already_sent"


def refusal(state: JourneyState, *, purpose: Purpose = Purpose.SERVICE) -> str | None:
    action = guard(want(purpose=purpose), state, NOON, PLAYBOOK)
    return None if isinstance(action, Reach) else action.reason


def decided(
    now: datetime,
    *,
    state: JourneyState | None = None,
    playbook: Playbook = PLAYBOOK,
    useful_until: datetime | None = None,
) -> Reach | Hold | Suppress:
    action = guard(want(useful_until or now + timedelta(days=2)), state or customer(), now, playbook)
    assert isinstance(action, Reach | Hold | Suppress)
    return action


def _never() -> QuietHours:
    raise AssertionError("the test playbook has quiet hours")
