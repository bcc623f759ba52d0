"""Opt-outs last: which addresses they close, in which spellings, and what reopens them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given as for_any
from hypothesis import settings
from hypothesis import strategies as st

from streams.events import (
    Address,
    ConsentChanged,
    ConsentStatus,
    Engagement,
    FailureReason,
    OutreachChannel,
    OutreachEngaged,
    OutreachFailed,
    Purpose,
)
from tests.drawn import examples
from tests.journey.given import NOON, Journey, at, delay, facts, given, profile, tuned

EMAIL, SMS = OutreachChannel.EMAIL, OutreachChannel.SMS
UNSUBSCRIBED, COMPLAINED = Engagement.UNSUBSCRIBED, Engagement.COMPLAINED
GRANTED, REVOKED = ConsentStatus.GRANTED, ConsentStatus.REVOKED
ANY_TIME = tuned(quiet_hours=None, caps=(), channel_order=(EMAIL, SMS, OutreachChannel.WEBHOOK))


def mail(address: str) -> Address:
    """An e-mail address."""
    return Address(channel=EMAIL, address=address)


def phone(number: str) -> Address:
    """Return a phone number for SMS."""
    return Address(channel=SMS, address=number)


def says_no(
    when: datetime, kind: Engagement = UNSUBSCRIBED, *, channel: OutreachChannel = EMAIL, detail: str = "SERVICE"
) -> OutreachEngaged:
    """Ana unsubscribes by the link in an old letter, or complains about it."""
    return OutreachEngaged(**facts(when), outreach_id="old", channel=channel, kind=kind, detail=detail)


def bounces(when: datetime, journey: Journey) -> OutreachFailed:
    """The latest letter bounces."""
    request = journey.requests[-1]
    return OutreachFailed(
        **facts(when), outreach_id=request.outreach_id, channel=request.addresses[0].channel,
        reason=FailureReason.BOUNCED,
    )  # fmt: skip


def agrees(when: datetime, *, by: str | None = None, **said: Any) -> ConsentChanged:
    """Ana opts in (again); ``by``: an employee vouches for it."""
    return ConsentChanged(
        **facts(when), **({"purpose": Purpose.SERVICE, "channel": EMAIL, "status": GRANTED} | said), reopened_by=by
    )


def reached(journey: Journey, when: datetime) -> list[str]:
    """Return the addresses that a letter about another delay goes to now."""
    before = len(journey.requests)
    journey.when(delay(when, subject=f"F{before}-{when:%H%M}", minutes=60, promised=when + timedelta(hours=1)))
    return [to.address for one in journey.requests[before:] for to in one.addresses]


class TestChannels:
    @pytest.mark.parametrize("kind", [UNSUBSCRIBED, COMPLAINED])
    def test_no_more_e_mail_is_no_more_e_mail(self, kind: Engagement) -> None:
        """After an opt-out by e-mail none of the customer's e-mail addresses is used; another channel stays open."""
        ana = given(profile(addresses=(mail("a@x.example"), mail("b@x.example"), phone("+431"))), playbook=ANY_TIME)
        assert reached(ana, at("12:00")) == ["a@x.example", "b@x.example", "+431"]
        assert reached(ana.when(says_no(at("12:10"), kind)), at("12:20")) == ["+431"]

    def test_an_address_they_give_later_is_no_way_around_it(self) -> None:
        """A new address on the closed channel is not used either."""
        ana = given(profile(), playbook=ANY_TIME).when(says_no(at("12:00")))
        ana.when(profile(at("12:10"), addresses=(mail("new@x.example"),)))
        assert reached(ana, at("12:20")) == []

    def test_a_no_before_the_first_address_counts(self) -> None:
        """An opt-out counts even if it arrives before the profile."""
        ana = given(playbook=ANY_TIME).when(says_no(at("12:00"))).when(profile(at("12:10")))
        assert reached(ana, at("12:20")) == []

    def test_what_was_on_its_way_to_the_other_address_is_called_back(self) -> None:
        """Of two requested letters, an opt-out retracts the one to the other address too."""
        ana = given(profile(), delay(at("12:00"), minutes=60), playbook=ANY_TIME)
        ana.when(profile(at("12:01"), addresses=(mail("b@x.example"),)))
        ana.when(delay(at("12:02"), minutes=60, subject="B"))
        ana.when(says_no(at("12:03"))).then(
            "take back notice: consent_withdrawn", "take back notice: consent_withdrawn"
        )


class TestSpellings:
    @pytest.mark.parametrize(
        ("known", "spelt"),
        [
            (mail("ana@mail.example"), mail("ANA@Mail.Example")),
            (mail("ana@bücher.example"), mail(" ana@xn--bcher-kva.example.")),
            (mail("žofie@mail.example"), mail("Z\u030cOFIE@mail.example")),
            (phone("+49 170 12345"), phone("0049-170-12345")),
            (phone("+4917012345"), phone("+49 (0)170 12345")),
            (
                Address(channel=OutreachChannel.WEBHOOK, address="https://ana.example/hook"),
                Address(channel=OutreachChannel.WEBHOOK, address="HTTPS://ANA.example:443/hook"),
            ),
        ],
    )
    def test_a_bounce_closes_every_spelling(self, known: Address, spelt: Address) -> None:
        """After a bounce the address is not used in any other spelling."""
        ana = given(profile(addresses=(known,)), delay(at("12:00"), minutes=60), playbook=ANY_TIME)
        ana.when(bounces(at("12:10"), ana)).when(profile(at("12:20"), addresses=(spelt,)))
        assert reached(ana, at("12:30")) == []

    def test_named_twice_it_is_written_to_once(self) -> None:
        """An address that the profile has in two spellings is used once."""
        ana = given(profile(addresses=(mail("Ana@x.example"), mail("ana@X.example"))), playbook=ANY_TIME)
        assert reached(ana, at("12:00")) == ["Ana@x.example"]

    def test_two_spellings_are_one_address_to_a_bounce_of_long_ago(self) -> None:
        """A bounce of an unknown letter closes the customer's only address, even if it has two spellings."""
        ana = given(profile(addresses=(mail("Ana@x.example"), mail("ana@X.example"))), playbook=ANY_TIME)
        ana.when(OutreachFailed(**facts(at("12:00")), outreach_id="old", channel=EMAIL, reason=FailureReason.BOUNCED))
        assert reached(ana, at("12:10")) == []


class TestYesAgain:
    def test_a_later_yes_ends_an_unsubscription(self) -> None:
        """A later opt-in for that channel, or for all channels, ends an unsubscription."""
        for channel in (EMAIL, None):
            ana = given(profile(), playbook=ANY_TIME).when(says_no(at("12:00")))
            assert reached(ana, at("12:05")) == []
            assert reached(ana.when(agrees(at("12:10"), channel=channel)), at("12:20")) == ["ana@mail.example"]

    @pytest.mark.parametrize(
        "said", [{"purpose": Purpose.MARKETING}, {"channel": SMS}, {"status": ConsentStatus.DENIED}]
    )
    def test_another_word_does_not(self, said: dict[str, Any]) -> None:
        """An opt-in to marketing or to SMS, or another opt-out, does not end an unsubscription from service e-mail."""
        ana = given(profile(), playbook=ANY_TIME).when(says_no(at("12:00")))
        assert reached(ana.when(agrees(at("12:10"), **said)), at("12:20")) == []

    def test_an_earlier_yes_does_not_whenever_we_hear_of_it(self) -> None:
        """An opt-in from before the opt-out, or from the same moment, does not end it, whichever arrives first."""
        for when in ("11:59", "12:00"):
            for first in (True, False):
                words = [says_no(at("12:00")), agrees(at(when))]
                ana = given(profile(), playbook=ANY_TIME)
                for word in words if first else reversed(words):
                    ana.when(word, now=at("12:10"))
                assert reached(ana, at("12:20")) == []

    def test_a_no_after_the_yes_closes_again(self) -> None:
        """Opt-outs and opt-ins may alternate; the latest counts."""
        ana = given(profile(), playbook=ANY_TIME).when(says_no(at("12:00"))).when(agrees(at("12:10")))
        assert reached(ana.when(says_no(at("12:20"))), at("12:30")) == []
        assert reached(ana.when(agrees(at("12:40"))), at("12:50")) == ["ana@mail.example"]

    def test_offers_that_were_ended_begin_again_with_a_yes_to_offers(self) -> None:
        """An unsubscription from marketing leaves service letters on."""
        ana = given(profile(), playbook=ANY_TIME).when(says_no(at("12:00"), detail="MARKETING"))
        assert reached(ana, at("12:05")) == ["ana@mail.example"]

    @pytest.mark.parametrize("kind", [COMPLAINED, "bounce"])
    def test_a_yes_does_not_end_a_complaint_or_a_bounce(self, kind: Any) -> None:
        """After a complaint or a bounce an opt-in changes nothing, until an employee vouches for the customer."""
        ana = given(profile(), delay(at("11:00"), minutes=60), playbook=ANY_TIME)
        ana.when(bounces(at("12:00"), ana) if kind == "bounce" else says_no(at("12:00"), kind))
        assert reached(ana.when(agrees(at("12:10"))), at("12:20")) == []
        assert reached(ana.when(agrees(at("11:50"), by="kim"), now=at("12:25")), at("12:30")) == []
        assert reached(ana.when(agrees(at("12:40"), by="kim")), at("12:50")) == ["ana@mail.example"]
        assert reached(ana.when(agrees(at("12:55"))), at("13:00")) == ["ana@mail.example"]

    def test_a_complaint_after_that_closes_again(self) -> None:
        """A complaint after an employee vouched for the customer closes the channel again."""
        ana = given(profile(), playbook=ANY_TIME).when(says_no(at("12:00"), COMPLAINED))
        ana.when(agrees(at("12:10"), by="kim")).when(says_no(at("12:20"), COMPLAINED))
        assert reached(ana, at("12:30")) == []

    def test_a_complaint_is_not_overwritten_by_an_unsubscription(self) -> None:
        """An opt-in after a complaint and an unsubscription ends only the unsubscription."""
        ana = given(profile(), playbook=ANY_TIME).when(says_no(at("12:00"), COMPLAINED)).when(says_no(at("12:05")))
        assert reached(ana.when(agrees(at("12:10"))), at("12:20")) == []


_moments = st.integers(0, 6).map(lambda minutes: NOON + timedelta(minutes=minutes))
_words: st.SearchStrategy[Any] = st.one_of(
    st.builds(
        says_no,
        _moments,
        st.sampled_from([UNSUBSCRIBED, UNSUBSCRIBED, COMPLAINED]),
        channel=st.sampled_from([EMAIL, SMS]),
        detail=st.sampled_from(["SERVICE", "MARKETING"]),
    ),
    st.builds(
        agrees,
        _moments,
        by=st.sampled_from([None, None, "kim"]),
        channel=st.sampled_from([None, EMAIL, SMS]),
        purpose=st.sampled_from(list(Purpose)),
        status=st.sampled_from(list(ConsentStatus)),
    ),
)


def closed(channel: OutreachChannel, heard: list[Any]) -> bool:
    """Return whether the channel is closed for service, derived from all events and not from the state."""
    noes = [
        one
        for one in heard
        if isinstance(one, OutreachEngaged)
        and one.channel is channel
        and (one.kind is COMPLAINED or one.detail == "SERVICE")
    ]
    yeses = [
        one
        for one in heard
        if isinstance(one, ConsentChanged)
        and one.status is GRANTED
        and one.purpose is Purpose.SERVICE
        and one.channel in (None, channel)
    ]
    return any(
        not any(
            yes.occurred_at > no.occurred_at and (no.kind is UNSUBSCRIBED or yes.reopened_by is not None)
            for yes in yeses
        )
        for no in noes
    )


@for_any(st.lists(_words, max_size=9), st.randoms(use_true_random=False))
@settings(max_examples=examples(300), deadline=None, derandomize=True)
def test_after_a_no_nobody_writes_there_until_a_later_yes(words: list[Any], chance: Any) -> None:
    """In any order of arrival, and with copies, no letter goes to a closed channel."""
    ana = given(profile(addresses=(mail("a@x.example"), mail("b@x.example"), phone("+431"))), playbook=ANY_TIME)
    arriving = [*words, *words[::2]]
    chance.shuffle(arriving)
    heard: list[Any] = []
    now = NOON + timedelta(hours=1)
    for number, word in enumerate(arriving):
        ana.when(word, now=now)
        heard.append(word)
        before = len(ana.requests)
        ana.when(delay(now, subject=f"F{number}", minutes=60, promised=now + timedelta(hours=1)))
        for request in ana.requests[before:]:
            for to in request.addresses:
                assert not closed(to.channel, heard), to
        now += timedelta(minutes=1)
    first = given(profile(addresses=(mail("a@x.example"), phone("+431"))), playbook=ANY_TIME)
    for word in words:
        first.when(word, now=now)
    first.when(profile(at("12:30"), addresses=(mail("a@x.example"), mail("b@x.example"), phone("+431"))), now=now)
    assert reached(first, now) == reached(ana, now)
