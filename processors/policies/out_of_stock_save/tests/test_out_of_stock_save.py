"""Out-of-stock save: the customer matters more than this one sale."""

from __future__ import annotations

from dataclasses import replace

from processors.policies.out_of_stock_save.decisions import CODE_WANTED
from processors.policies.out_of_stock_save.tests.rules import RULES
from streams.events import Consent, ConsentStatus, Engagement, JourneyState, Purpose
from tests.journey.care import cannot_have, engages, everything
from tests.journey.given import Journey, at, consent, given, profile

YES = consent(ConsentStatus.GRANTED, purpose=Purpose.MARKETING)
CARE = everything()


def shopper(**changes: object) -> Journey:
    """Return Ana's journey; she allows marketing."""
    return given(profile(), YES, playbook=everything(**changes) if changes else CARE)


def test_a_link_to_whoever_has_it_and_a_coupon_for_next_time() -> None:
    """The letter links the cheapest seller, competitors included, and has a coupon whose code is made when it is
    written."""
    ana = shopper().when(cannot_have(at("12:00"), "boots-42", "89.00", "79.00")).then("send save with ten-percent")
    (letter,) = ana.requests
    assert letter.variables["link"] == "https://seller2.example/boots-42"
    assert letter.variables["price"] == "79.00"
    assert letter.variables["gesture_title"] == "ten percent off"
    assert letter.variables["gesture_code"] == CODE_WANTED
    assert letter.purpose is Purpose.MARKETING


def test_once_for_each_thing() -> None:
    """A second request for the same boots brings no second coupon; one for the coat does."""
    ana = shopper().when(cannot_have(at("12:00"), "boots-42", "89.00"))
    ana.when(cannot_have(at("13:00"), "boots-42", "85.00")).then_nothing()
    ana.when(cannot_have(at("12:00", day=20), "boots-42", "85.00")).then_nothing()
    ana.when(cannot_have(at("13:00", day=20), "coat-7", "150.00")).then("send save with ten-percent")


def test_without_another_seller_there_is_nothing_to_say_yet() -> None:
    """Without an alternative no letter is sent; if one turns up in time, it is."""
    ana = shopper().when(cannot_have(at("12:00"))).then("suppress save: no_alternative")
    ana.when(cannot_have(at("14:00"), "boots-42", "89.00")).then("send save with ten-percent")


def test_an_offer_needs_a_yes() -> None:
    """The coupon is marketing: without consent it is not sent, and the reason is recorded."""
    ana = given(profile(), playbook=CARE).when(cannot_have(at("12:00"), "boots-42", "89.00"))
    ana.then("suppress save: no_consent")
    ana.when(consent(ConsentStatus.GRANTED, at("13:00"), purpose=Purpose.MARKETING)).then("send save with ten-percent")


def test_where_it_is_a_service_it_needs_none() -> None:
    """If the playbook calls it service, no marketing consent is needed."""
    ana = given(profile(), playbook=everything(replace(RULES, purpose=Purpose.SERVICE)))
    ana.when(cannot_have(at("12:00"), "boots-42", "89.00")).then("send save with ten-percent")


def test_after_two_days_nobody_looks_for_it_any_more() -> None:
    """After two days the letter is not sent, and the wish is closed."""
    ana = shopper().when(cannot_have(at("12:00"), "boots-42", "89.00"), now=at("12:00", day=2))
    ana.then("suppress save: no_longer_useful")
    ana.when(cannot_have(at("12:01", day=2), "hat", "9.00"))
    assert ana.known.wishes[0].closed_at is not None


def test_a_redeemed_coupon_is_seen() -> None:
    """A redeemed coupon is recorded on the wish, however late it is reported."""
    ana = shopper().when(cannot_have(at("12:00"), "boots-42", "89.00"))
    ana.when(engages(at("18:00", day=9), ana, Engagement.REDEEMED)).then_nothing()
    assert ana.known.wishes[0].redeemed_at == at("18:00", day=9)


def test_at_night_it_waits_for_the_morning() -> None:
    """The letter is held for the night, and an opt-out during the night suppresses it."""
    ana = shopper().when(cannot_have(at("23:00"), "boots-42", "89.00"))
    ana.then("hold save until 10 Feb 07:00: quiet_hours")
    no = consent(ConsentStatus.REVOKED, at("23:30"), purpose=Purpose.MARKETING)
    ana.when(no).then("suppress save: no_consent")
    ana.when_time_passes_to(at("12:00", day=1)).then_nothing()
    assert marketing(ana.known).status is ConsentStatus.REVOKED


def marketing(state: JourneyState) -> Consent:
    (known,) = (one for one in state.consents if one.purpose is Purpose.MARKETING)
    return known
