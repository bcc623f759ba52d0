"""Reports on our letters count only if they match a letter of that customer."""

from __future__ import annotations

from typing import Any

import pytest

from streams.events import Engagement, FailureReason, OutreachChannel, OutreachEngaged, OutreachFailed
from tests.journey.given import MAIL, Journey, at, delay, facts, given, profile, tuned

EMAIL, SMS, PUSH = OutreachChannel.EMAIL, OutreachChannel.SMS, OutreachChannel.PUSH
CALM = tuned(quiet_hours=None, caps=())
REPORTER = "careline/gateway/shop"


def ana() -> Journey:
    """Return the journey of Ana, who was told of a delay by e-mail."""
    return given(profile(addresses=(MAIL,)), playbook=CALM).when(delay(at("12:00"), minutes=90))


def report(kind: str, outreach: str, *, channel: OutreachChannel = EMAIL, source: str = REPORTER) -> Any:
    said = facts(at("12:10"), source=source) | {"outreach_id": outreach, "channel": channel}
    if kind == "BOUNCED":
        return OutreachFailed(**said, reason=FailureReason.BOUNCED)
    return OutreachEngaged(**said, kind=Engagement(kind))


KINDS = ("COMPLAINED", "UNSUBSCRIBED", "BOUNCED", "OPENED", "REDEEMED")


@pytest.mark.parametrize("kind", KINDS)
def test_a_report_of_a_letter_she_never_had_closes_nothing(kind: str) -> None:
    """A report with an invented outreach id, or another customer's, changes nothing."""
    journey = ana()
    before = journey.state
    assert journey.when(report(kind, "made-up")).state == before


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("channel", [SMS, PUSH, OutreachChannel.WEBHOOK])
def test_a_report_of_another_channel_than_the_letters_closes_nothing(kind: str, channel: OutreachChannel) -> None:
    """A report on another channel than the letter's changes nothing."""
    journey = ana()
    before = journey.state
    assert journey.when(report(kind, journey.requests[-1].outreach_id, channel=channel)).state == before


@pytest.mark.parametrize("kind", ["COMPLAINED", "UNSUBSCRIBED", "BOUNCED"])
@pytest.mark.parametrize("channel", [EMAIL, OutreachChannel.OTHER])
def test_a_report_of_her_letter_counts(kind: str, channel: OutreachChannel) -> None:
    """A report on her letter closes the channel or address."""
    journey = ana()
    after = journey.when(report(kind, journey.requests[-1].outreach_id, channel=channel)).state
    assert after is not None
    assert [one.channel for one in after.suppressions] == [EMAIL]


@pytest.mark.parametrize("kind", KINDS)
def test_a_report_begins_no_customer(kind: str) -> None:
    """A report creates no customer."""
    assert given(playbook=CALM).when(report(kind, "made-up")).state is None


def test_a_link_counts_however_old_the_letter() -> None:
    """An opt-out by a signed link counts however old the letter is."""
    after = ana().when(report("UNSUBSCRIBED", "of long ago", source="careline/gateway")).state
    assert after is not None
    assert [(one.channel, one.reason) for one in after.suppressions] == [(EMAIL, "unsubscribed")]
