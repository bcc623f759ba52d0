"""What others report of our letters: it fits a letter of that customer's, or nothing comes of it."""

from __future__ import annotations

from typing import Any

import pytest

from streams.events import Engagement, FailureReason, OutreachChannel, OutreachEngaged, OutreachFailed
from tests.journey.given import MAIL, Journey, at, delay, facts, given, profile, tuned

EMAIL, SMS, PUSH = OutreachChannel.EMAIL, OutreachChannel.SMS, OutreachChannel.PUSH
CALM = tuned(quiet_hours=None, caps=())
REPORTER = "careline/gateway/shop"


def ana() -> Journey:
    """She heard of a delay, by e-mail."""
    return given(profile(addresses=(MAIL,)), playbook=CALM).when(delay(at("12:00"), minutes=90))


def report(kind: str, outreach: str, *, channel: OutreachChannel = EMAIL, source: str = REPORTER) -> Any:
    said = facts(at("12:10"), source=source) | {"outreach_id": outreach, "channel": channel}
    if kind == "BOUNCED":
        return OutreachFailed(**said, reason=FailureReason.BOUNCED)
    return OutreachEngaged(**said, kind=Engagement(kind))


KINDS = ("COMPLAINED", "UNSUBSCRIBED", "BOUNCED", "OPENED", "REDEEMED")


@pytest.mark.parametrize("kind", KINDS)
def test_a_report_of_a_letter_she_never_had_closes_nothing(kind: str) -> None:
    """Whoever makes up an outreach, or names somebody else's, ends nobody's letters and changes nothing."""
    journey = ana()
    before = journey.state
    assert journey.when(report(kind, "made-up")).state == before


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("channel", [SMS, PUSH, OutreachChannel.WEBHOOK])
def test_a_report_of_another_channel_than_the_letters_closes_nothing(kind: str, channel: OutreachChannel) -> None:
    """A letter that went by e-mail closes no phone."""
    journey = ana()
    before = journey.state
    assert journey.when(report(kind, journey.requests[-1].outreach_id, channel=channel)).state == before


@pytest.mark.parametrize("kind", ["COMPLAINED", "UNSUBSCRIBED", "BOUNCED"])
@pytest.mark.parametrize("channel", [EMAIL, OutreachChannel.OTHER])
def test_a_report_of_her_letter_counts(kind: str, channel: OutreachChannel) -> None:
    """As before."""
    journey = ana()
    after = journey.when(report(kind, journey.requests[-1].outreach_id, channel=channel)).state
    assert after is not None
    assert [one.channel for one in after.suppressions] == [EMAIL]


@pytest.mark.parametrize("kind", KINDS)
def test_a_report_begins_no_customer(kind: str) -> None:
    """Nobody is known by it."""
    assert given(playbook=CALM).when(report(kind, "made-up")).state is None


def test_a_link_counts_however_old_the_letter() -> None:
    """The link is signed: it proves that the letter was hers, when we have long forgotten it."""
    after = ana().when(report("UNSUBSCRIBED", "of long ago", source="careline/gateway")).state
    assert after is not None
    assert [(one.channel, one.reason) for one in after.suppressions] == [(EMAIL, "unsubscribed")]
