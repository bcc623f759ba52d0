"""Opt-outs take effect immediately."""

from __future__ import annotations

from processors.testing import at, consent, delay, given, playbook, profile
from streams.events import Address, ConsentStatus, OutreachChannel
from tests.journey import test_care_properties

PHONE = Address(channel=OutreachChannel.SMS, address="+15550100")
BY_SMS = playbook(channel_order=["SMS"])
ONCE_A_DAY = playbook(caps=[{"purpose": "SERVICE", "most": 1, "window": "24h"}])


def test_nobody_hears_too_much_at_night_too_late_or_against_their_will() -> None:
    """Nobody gets more than the frequency caps allow, is woken at night, or receives a letter that is no longer useful
    or for which consent was withdrawn; property tests check this for any order of events."""
    another = delay(at("12:10"), minutes=60, subject="UA1")
    given(profile(), delay(minutes=60), playbook=ONCE_A_DAY).when(another).then("suppress notice: frequency_cap")

    in_sydney = profile(time_zone="Australia/Sydney", addresses=(PHONE,))
    tomorrow = delay(minutes=60, promised=at("06:00", day=1))
    given(in_sydney, playbook=BY_SMS).when(tomorrow).then("hold notice until 09 Feb 20:00: quiet_hours")

    heard_two_days_later = given(profile()).when(delay(minutes=60), now=at("15:00", day=2))
    heard_two_days_later.then("suppress notice: no_longer_useful")

    no = consent(ConsentStatus.REVOKED, at("11:00"))
    given(profile(), no).when(delay(minutes=60)).then("suppress notice: no_consent")

    of_any_life = {
        test_care_properties.test_never_more_than_the_cap_in_any_window,
        test_care_properties.test_nobody_is_woken_who_did_not_agree_and_nothing_is_sent_past_its_use,
        test_care_properties.test_never_after_consent_is_withdrawn,
        test_care_properties.test_an_opted_out_customer_is_never_reached,
    }
    assert all(hasattr(test, "hypothesis") for test in of_any_life), "they hold for any order of events"


def test_a_letter_under_way_is_retracted() -> None:
    """Outreach that was already requested is retracted."""
    ana = given(profile(), delay(minutes=60))
    ana.when(consent(ConsentStatus.REVOKED, at("12:05"))).then("take back notice: consent_withdrawn")
