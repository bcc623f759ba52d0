"""Outcomes and the records of staff are taken only from the sources that may write them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from processors.gateway.reports import reported, unsubscribed
from processors.letters.unsubscribe_links import Unsubscription
from processors.outreach.outcomes import facts_of
from streams.config import Settings
from streams.errors import SettingsError, Unreadable
from streams.events import (
    AgentNoted,
    ContactOpened,
    CustomerErased,
    Engagement,
    FailureReason,
    Outcome,
    OutreachChannel,
    OutreachEngaged,
    OutreachFailed,
    OutreachSent,
    OutreachUncertain,
    ProfilesMerged,
)
from streams.events.outreach import LedgerStatus, OutreachLedgerEntry
from streams.publishing.writers import DEFAULT, STAFF, Writers
from tests.streams.given import OPENED

NOON = datetime(2026, 2, 9, 12, 0, tzinfo=UTC)
LETTER: Mapping[str, Any] = {"outreach_id": str(uuid.uuid4()), "channel": OutreachChannel.EMAIL}


def facts(source: str) -> dict[str, Any]:
    """What every record says, from that source."""
    return {"event_id": str(uuid.uuid4()), "customer_id": "ana", "occurred_at": NOON, "source": source}


def outcomes(source: str) -> list[Outcome]:
    """One of each type, from that source."""
    return [
        OutreachSent(**facts(source), **LETTER, provider="smtp"),
        OutreachUncertain(**facts(source), **LETTER, provider="smtp"),
        OutreachFailed(**facts(source), **LETTER, reason=FailureReason.BOUNCED),
        OutreachEngaged(**facts(source), **LETTER, kind=Engagement.OPENED),
    ]


def refusal(event: Any, writers: Writers = DEFAULT) -> Unreadable:
    """Why the record is not taken."""
    with pytest.raises(Unreadable) as caught:
        writers.check(event)
    return caught.value


@pytest.mark.parametrize(
    "source", ["urn:acme:shop", "", "careline/outreach2", "CARELINE/OUTREACH", "careline/journeys"]
)
def test_a_publisher_cannot_say_what_became_of_a_letter(source: str) -> None:
    """Outcomes are written by our own roles; the dead letter names the field, the source and who may."""
    for event in outcomes(source):
        why = refusal(event)
        assert why.reason == "not_allowed"
        assert f"source: {source!r} may not write {type(event).__name__}; allowed: careline/" in str(why)


def test_a_reporter_cannot_say_that_a_letter_was_sent() -> None:
    """The gateway passes on what readers did; what was sent only the outreach role knows."""
    assert [type(one) for one in outcomes("careline/gateway/shop") if _allowed(one)] == [
        OutreachFailed,
        OutreachEngaged,
    ]
    assert [type(one) for one in outcomes("careline/gateway") if _allowed(one)] == [OutreachEngaged]
    assert [type(one) for one in outcomes("careline/outreach") if _allowed(one)] == [
        OutreachSent,
        OutreachUncertain,
        OutreachFailed,
    ]


def _allowed(event: Any, writers: Writers = DEFAULT) -> bool:
    try:
        writers.check(event)
    except Unreadable:
        return False
    return True


def test_what_our_own_roles_make_is_taken() -> None:
    """Links, reports and deliveries pass the rule under the strictest settings."""
    strict = Writers(dict.fromkeys((*STAFF, OutreachSent, OutreachEngaged, OutreachFailed), ()))
    entry = OutreachLedgerEntry(
        outreach_id=LETTER["outreach_id"], customer_id="ana", status=LedgerStatus.SENT, updated_at=NOON
    )
    body = {**LETTER, "channel": "EMAIL", "customer_id": "ana"}
    strict.check(OutreachSent(**facts_of(entry, "sent", NOON), channel=OutreachChannel.EMAIL, provider="smtp"))
    link = Unsubscription(
        customer_id="ana",
        outreach_id=LETTER["outreach_id"],
        channel=OutreachChannel.EMAIL,
        purpose="SERVICE",
        locale="en",
    )
    strict.check(unsubscribed(link, NOON))
    for kind in ("BOUNCED", "REDEEMED"):
        strict.check(reported({**body, "kind": kind}, message_id="m1", now=NOON, by="shop"))
    strict.check(ProfilesMerged(**facts("careline/journeys"), other_customer_id="bo"))


def test_what_staff_write_is_open_until_somebody_is_named() -> None:
    """A new installation takes every source's; a rule closes its type and no other."""
    note, erased = AgentNoted(**facts("crm"), note_id="n", agent_id="kim", text="hi"), CustomerErased(**facts("crm"))
    DEFAULT.check(note)
    DEFAULT.check(erased)
    assert DEFAULT.open == ("AgentNoted", "AgentTaskDone", "CustomerErased", "GestureGiven", "ProfilesMerged")
    writers = Writers.parse('{"CustomerErased": ["urn:acme:privacy", "urn:acme:dpo:*"]}')
    assert writers.open == ("AgentNoted", "AgentTaskDone", "GestureGiven", "ProfilesMerged")
    writers.check(note)
    writers.check(CustomerErased(**facts("urn:acme:privacy")))
    writers.check(CustomerErased(**facts("urn:acme:dpo:kim")))
    assert "allowed: careline/journeys, urn:acme:privacy, urn:acme:dpo:* (CARELINE_WRITERS)" in str(
        refusal(erased, writers)
    )
    assert not _allowed(CustomerErased(**facts("urn:acme:privacy:not")), writers)
    assert not _allowed(CustomerErased(**facts("urn:acme:dpo:" + "x" * 2_000)), writers)


def test_a_rule_adds_to_what_our_roles_write() -> None:
    """A shop that publishes redemptions itself is named; links in letters go on working."""
    writers = Writers.parse('{"OutreachEngaged": ["urn:acme:shop"]}')
    assert _allowed(OutreachEngaged(**facts("urn:acme:shop"), **LETTER, kind=Engagement.REDEEMED), writers)
    assert _allowed(OutreachEngaged(**facts("careline/gateway"), **LETTER, kind=Engagement.UNSUBSCRIBED), writers)
    assert not _allowed(OutreachSent(**facts("urn:acme:shop"), **LETTER, provider="x"), writers)


def test_any_type_of_touchpoint_can_have_a_rule() -> None:
    """Also one that is open by default; what journeys repeats for a merged customer is still taken."""
    writers = Writers.parse('{"ContactOpened": ["urn:acme:*"]}')
    assert isinstance(OPENED, ContactOpened)
    assert not _allowed(OPENED, writers)
    assert _allowed(ContactOpened(**facts("careline/journeys"), contact_id="c", channel=OPENED.channel), writers)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[]", "valid dictionary"),
        ("nonsense", "not a JSON object like"),
        ('{"CustomerErased": "urn:x"}', "CustomerErased: Input should be a valid tuple"),
        ('{"CustomerErased": [""]}', "CustomerErased.0: String should have at least 1 character"),
        ('{"CustomerErased": [7]}', "CustomerErased.0: Input should be a valid string"),
        ('{"Erased": ["urn:x"]}', "'Erased' is not a touchpoint; known: AgentNoted"),
        ('{"CustomerErased": [], "CustomerErased": ["*"]}', "'CustomerErased' appears twice"),
        ("[" * 100_000, "not a JSON object like"),
    ],
)
def test_a_wrong_rule_is_refused_at_the_start(text: str, says: str) -> None:
    """The setting and the type are named."""
    with pytest.raises(SettingsError, match="CARELINE_WRITERS: ") as caught:
        Settings.from_environment({"CARELINE_WRITERS": text})
    assert says in str(caught.value)


def test_the_settings_hold_the_rule() -> None:
    """As JSON in the environment; none and blank are the same."""
    for none in (Settings(), Settings(writers=" ")):
        assert not _allowed(OutreachSent(**facts("x"), **LETTER, provider="x"), none.allowed_writers)
    named = Settings.from_environment({"CARELINE_WRITERS": '{"OutreachSent": ["x"]}'})
    assert _allowed(OutreachSent(**facts("x"), **LETTER, provider="x"), named.allowed_writers)
