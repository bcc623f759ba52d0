"""A letter that failed counts as unknown to the customer: it is resent if there is another address, and none refers to
it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from streams.events import Address, Channel, FailureReason, OutreachChannel, OutreachFailed
from tests.journey.care import asks, everything, sent
from tests.journey.given import MAIL, Journey, at, delay, facts, given, profile

CORRECTED = Address(channel=OutreachChannel.EMAIL, address="ana.ruiz@mail.example")
AT_FAULT = [FailureReason.REJECTED, FailureReason.BOUNCED, FailureReason.UNREACHABLE]


def failed(when: datetime, journey: Journey, reason: FailureReason, **changes: Any) -> OutreachFailed:
    """The latest letter fails."""
    said = {"outreach_id": journey.requests[-1].outreach_id, "channel": OutreachChannel.EMAIL, "reason": reason}
    return OutreachFailed(**(facts(when) | said | changes))


def corrected(when: datetime, address: Address = CORRECTED) -> Any:
    """Ana corrects her address."""
    return profile(when, addresses=(address,))


@pytest.mark.parametrize("reason", AT_FAULT)
@pytest.mark.parametrize("late", [False, True], ids=["corrected after", "corrected before we heard"])
def test_a_corrected_address_gets_the_letter(reason: FailureReason, late: bool) -> None:
    """The whole letter is resent with its gesture, as if it were the first."""
    journey = given(profile(), delay(minutes=45))
    no, new = failed(at("12:01"), journey, reason), corrected(at("12:05"))
    if late:
        journey.when(new).then_nothing()
        journey.when(no, now=at("12:06"))
    else:
        journey.when(no).then_nothing() if reason is not FailureReason.BOUNCED else journey.when(no)
        journey.when(new)
    journey.then("send notice-1 with free-book")
    again = journey.requests[-1]
    assert (again.addresses, again.template, again.revises) == ((CORRECTED,), "delay_care/notice", None)
    journey.when(sent(at("12:07"), journey)).then_nothing()
    journey.when(corrected(at("12:08"), MAIL)).then_nothing()


def test_not_to_the_address_that_failed() -> None:
    """The letter is not resent to the failed address in another spelling."""
    journey = given(profile(), delay(minutes=45))
    journey.when(failed(at("12:01"), journey, FailureReason.REJECTED))
    journey.when(corrected(at("12:05"), Address(channel=OutreachChannel.EMAIL, address="ANA@Mail.Example")))
    journey.then_nothing()


def test_not_when_it_is_of_no_use_any_more() -> None:
    """A letter that is no longer useful is not resent."""
    journey = given(profile(), delay(minutes=45))
    journey.when(failed(at("12:01"), journey, FailureReason.REJECTED))
    journey.when(corrected(at("14:46")))
    assert len(journey.requests) == 1 or journey.requests[-1].useful_until > at("14:46")


@pytest.mark.parametrize("reason", [one for one in FailureReason if one is not FailureReason.BOUNCED])
def test_no_letter_speaks_of_one_that_did_not_arrive(reason: FailureReason) -> None:
    """After a failed letter a new expected time is a first notice, not a revision."""
    journey = given(profile(), delay(minutes=45))
    journey.when(failed(at("12:01"), journey, reason))
    journey.when(delay(at("12:10"), minutes=90)).then("send notice-1 with free-book")
    said = journey.requests[-1]
    assert (said.variables["previous_expected_at"], said.template, said.revises) == ("", "delay_care/notice", None)


def test_what_arrived_before_stays_told() -> None:
    """If the second letter fails, the third refers to the first."""
    journey = given(profile(), delay(minutes=45))
    first = journey.requests[-1]
    journey.when(sent(at("12:01"), journey))
    journey.when(delay(at("12:10"), minutes=90))
    journey.when(failed(at("12:11"), journey, FailureReason.REJECTED))
    journey.when(delay(at("12:20"), minutes=115))
    third = journey.requests[-1]
    assert (third.occasion, third.revises) == ("revision-2", first.outreach_id)
    assert third.variables["previous_expected_at"] == ""


@pytest.mark.parametrize("reason", AT_FAULT)
def test_every_policy_tells_again(reason: FailureReason) -> None:
    """A holding message that failed is resent once to the corrected address."""
    journey = given(profile(), asks(at("12:00"), channel=Channel.CALL), playbook=everything())
    journey.when_time_passes_to(at("12:20"))
    letters = [one for one in journey.requests if one.addresses[0].channel is OutreachChannel.EMAIL]
    assert [one.occasion for one in letters] == ["holding"]
    journey.when(failed(at("12:21"), journey, reason, outreach_id=letters[0].outreach_id))
    journey.when(corrected(at("12:22"))).then("send holding-again-1")
    journey.when(corrected(at("12:23"))).then_nothing()
