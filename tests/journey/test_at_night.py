"""Quiet hours apply to channels that disturb: an e-mail is sent at once, a text message waits for the morning."""

from __future__ import annotations

from datetime import time, timedelta

import pytest

from processors.journey.playbook import FrequencyCap, Playbook, QuietHours
from streams.events import Address, ConsentChanged, ConsentStatus, OutreachChannel, ProfileUpdated, Purpose
from tests.journey.care import cannot_have, everything
from tests.journey.given import MAIL, NOON, at, cancellation, consent, delay, facts, given, profile, tuned

EMAIL, SMS, PUSH = OutreachChannel.EMAIL, OutreachChannel.SMS, OutreachChannel.PUSH
PHONE = Address(channel=SMS, address="+15550100")
DEVICE = Address(channel=PUSH, address="device-1")
NIGHT = QuietHours(begin=time(22), end=time(7))
ORDER = (SMS, PUSH, EMAIL)
CARE = tuned(quiet_hours=NIGHT, channel_order=ORDER)
LATE, EARLY = at("23:00"), at("05:00", day=1)


def reached_by(*addresses: Address, playbook: Playbook = CARE, zone: str | None = "UTC") -> ProfileUpdated:
    """Ana's profile with these addresses."""
    return profile(addresses=addresses, time_zone=zone)


def may_wake(
    yes: bool = True,
    *,
    channel: OutreachChannel | None = SMS,
    status: ConsentStatus = ConsentStatus.GRANTED,
    purpose: Purpose = Purpose.SERVICE,
    days: int = 8,
) -> ConsentChanged:
    """Ana says whether urgent messages may come at night."""
    return ConsentChanged(
        **facts(NOON - timedelta(days=days)), channel=channel, purpose=purpose, status=status, urgent_at_night=yes
    )


def test_an_email_about_the_morning_s_flight_goes_at_once() -> None:
    """At eleven at night an e-mail about a flight in the morning is sent at once."""
    ana = given(reached_by(MAIL), playbook=CARE)
    ana.when(delay(LATE, promised=at("06:00", day=1), minutes=60)).then("send notice with free-book")
    assert ana.requests[0].addresses == (MAIL,)


def test_by_day_the_first_channel_is_used_at_night_the_quiet_one() -> None:
    """By day Ana gets text messages first; at night the same letter goes by e-mail only."""
    by_day = given(reached_by(MAIL, PHONE, DEVICE), playbook=CARE).when(delay(NOON, minutes=60))
    assert by_day.requests[0].addresses == (PHONE, DEVICE, MAIL)
    at_night = given(reached_by(MAIL, PHONE, DEVICE), playbook=CARE)
    at_night.when(delay(LATE, promised=at("06:00", day=1), minutes=60)).then("send notice with free-book")
    assert at_night.requests[0].addresses == (MAIL,)


def test_a_text_message_that_can_wait_waits_for_the_morning() -> None:
    """A text message about a flight at noon is held until the morning."""
    ana = given(reached_by(PHONE), playbook=CARE)
    ana.when(delay(LATE, promised=at("12:00", day=1), minutes=60)).then("hold notice until 10 Feb 07:00: quiet_hours")
    ana.when_time_passes_to(at("07:00", day=1)).then("send notice with free-book")


def test_one_that_cannot_wait_needs_a_yes_to_be_woken() -> None:
    """A text message that is useless by the morning is only sent if the customer agreed to be disturbed; else the
    reason says so."""
    ana = given(reached_by(PHONE), playbook=CARE)
    ana.when(delay(LATE, promised=EARLY, minutes=60)).then("suppress notice: quiet_hours")
    assert ana.decisions[-1].explanation == (
        "it is night in UTC, it would not be useful by morning, and the customer has not agreed to be disturbed"
    )
    asked = given(reached_by(PHONE, DEVICE), may_wake(), playbook=CARE)
    asked.when(delay(LATE, promised=EARLY, minutes=60)).then("send notice with free-book")
    assert asked.requests[0].addresses == (PHONE,)  # the consent covers SMS only


def test_a_yes_to_be_woken_is_for_what_cannot_wait() -> None:
    """Even if the customer agreed to be disturbed, a message that can wait is held."""
    ana = given(reached_by(PHONE), may_wake(), playbook=CARE)
    ana.when(delay(LATE, promised=at("12:00", day=1), minutes=60)).then("hold notice until 10 Feb 07:00: quiet_hours")


@pytest.mark.parametrize(
    "words",
    [
        (may_wake(False),),
        (may_wake(), may_wake(False, days=7)),
        (may_wake(), consent(ConsentStatus.GRANTED, NOON - timedelta(days=7), channel=SMS)),
        (may_wake(status=ConsentStatus.DENIED, channel=None), may_wake(False, days=7)),
        (may_wake(purpose=Purpose.MARKETING),),
        (may_wake(channel=PUSH),),
        (may_wake(days=7), consent(ConsentStatus.GRANTED, NOON - timedelta(days=6))),
    ],
)
def test_whoever_did_not_say_yes_to_exactly_that_sleeps(words: tuple[ConsentChanged, ...]) -> None:
    """A later consent without it, an opt-out, or a consent for marketing or another channel does not allow it."""
    ana = given(reached_by(PHONE), *words, playbook=CARE)
    ana.when(delay(LATE, promised=EARLY, minutes=60)).then("suppress notice: quiet_hours")


def test_a_yes_for_every_channel_covers_each() -> None:
    """A consent for all channels allows each at night, with those that do not disturb first."""
    ana = given(reached_by(PHONE, DEVICE, MAIL), may_wake(channel=None), playbook=CARE)
    ana.when(delay(LATE, promised=EARLY, minutes=60)).then("send notice with free-book")
    assert ana.requests[0].addresses == (MAIL, PHONE, DEVICE)


def test_an_unknown_zone_holds_only_what_disturbs() -> None:
    """In an unknown time zone a text message is held and an e-mail is sent."""
    given(reached_by(MAIL, PHONE, zone="Mars/Olympus"), playbook=CARE).when(delay(NOON, minutes=60)).then(
        "send notice with free-book"
    )
    ana = given(reached_by(PHONE, zone="Mars/Olympus"), playbook=CARE)
    ana.when(delay(NOON, minutes=60)).then("hold notice until 09 Feb 13:00: unknown_time_zone")


def test_in_an_unknown_zone_somebody_may_have_agreed_to_be_woken() -> None:
    """In an unknown time zone an urgent text message goes to customers who agreed to be disturbed."""
    ana = given(reached_by(PHONE, zone="Mars/Olympus"), may_wake(), playbook=CARE)
    ana.when(delay(NOON, minutes=60)).then("send notice with free-book")


def test_where_the_playbook_says_so_an_email_waits_too() -> None:
    """If the playbook lists e-mail among the quiet hours' channels, it is held too."""
    playbook = tuned(quiet_hours=QuietHours(begin=time(22), end=time(7), channels=frozenset({EMAIL})))
    ana = given(reached_by(MAIL), playbook=playbook)
    ana.when(delay(LATE, promised=at("12:00", day=1), minutes=60)).then("hold notice until 10 Feb 07:00: quiet_hours")


def test_an_offer_by_email_goes_at_night_as_well() -> None:
    """Quiet hours depend on the channel, not on the purpose: a marketing e-mail is sent at night."""
    playbook = everything(quiet_hours=NIGHT, channel_order=ORDER)
    yes = consent(ConsentStatus.GRANTED, purpose=Purpose.MARKETING)
    ana = given(reached_by(MAIL, PHONE), yes, playbook=playbook)
    ana.when(cannot_have(LATE, "boots-42", "10.00")).then("send save with ten-percent")
    assert ana.requests[0].addresses == (MAIL,)


def test_enough_by_email_waits_only_until_the_other_channels_wake_up() -> None:
    """If the cap on e-mail is reached at night, the letter is sent as a text message in the morning."""
    cap = FrequencyCap(purpose=Purpose.SERVICE, most=1, window=timedelta(hours=24), channel=EMAIL)
    playbook = tuned(quiet_hours=NIGHT, channel_order=(EMAIL, SMS), caps=(cap,))
    ana = given(reached_by(MAIL, PHONE), playbook=playbook)
    ana.when(delay(at("22:30"), promised=at("12:00", day=1), minutes=60)).then("send notice with free-book")
    ana.when(cancellation(LATE, subject="UA9", promised=at("14:00", day=1)))
    ana.then("hold cancelled-0 until 10 Feb 07:00: frequency_cap")
    ana.when_time_passes_to(at("07:00", day=1))
    assert ana.requests[-1].addresses == (PHONE,)
