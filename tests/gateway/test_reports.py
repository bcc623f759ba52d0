"""What comes back over HTTP, as outcomes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from processors.gateway.reports import KINDS, reported, unsubscribed
from processors.letters.unsubscribe_links import Unsubscription
from streams.errors import InvalidEvent
from streams.events import Engagement, FailureReason, OutreachChannel, OutreachEngaged, OutreachFailed, Purpose
from streams.publishing.validation import check_outgoing
from tests.outreach.given import NOON, outreach_id

LINK = Unsubscription(
    outreach_id=outreach_id(1),
    customer_id="customer-7",
    channel=OutreachChannel.EMAIL,
    purpose=Purpose.MARKETING,
    locale="de",
)
SAID = {"outreach_id": outreach_id(1), "customer_id": "customer-7", "channel": "EMAIL", "kind": "OPENED"}


def report(**changes: Any) -> Any:
    return reported(SAID | changes, message_id="msg_1", now=NOON)


def test_who_unsubscribes_says_from_what() -> None:
    """The letter, its channel and its purpose; it is a fact of the contract."""
    fact = unsubscribed(LINK, NOON)
    assert (fact.customer_id, fact.outreach_id, fact.channel) == ("customer-7", outreach_id(1), OutreachChannel.EMAIL)
    assert (fact.kind, fact.detail, fact.occurred_at) == (Engagement.UNSUBSCRIBED, "MARKETING", NOON)
    check_outgoing(fact, now=NOON)


def test_pressed_twice_is_once() -> None:
    """A mail program and a person may both do it; on another day it is said anew."""
    first = unsubscribed(LINK, NOON)
    assert unsubscribed(LINK, NOON + timedelta(hours=1)).event_id == first.event_id
    assert unsubscribed(LINK, NOON + timedelta(days=1)).event_id != first.event_id


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_an_outcome(kind: str) -> None:
    """A bounce is a letter that did not arrive; all the others are something that the customer did."""
    fact = report(kind=kind, detail="said so", occurred_at="2026-02-08T11:00:00Z")
    check_outgoing(fact, now=NOON)
    assert (fact.detail, fact.occurred_at) == ("said so", NOON - timedelta(hours=1))
    if kind == "BOUNCED":
        assert isinstance(fact, OutreachFailed)
        assert fact.reason is FailureReason.BOUNCED
    else:
        assert isinstance(fact, OutreachEngaged)
        assert fact.kind == kind


def test_the_same_message_is_the_same_fact() -> None:
    """However often a provider sends it."""
    assert report().event_id == report(occurred_at="2026-02-08T11:00:00Z").event_id
    assert report().event_id != reported(SAID, message_id="msg_2", now=NOON).event_id
    assert report().occurred_at == NOON


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kind": "SEEN"}, "kind"),
        ({"kind": None}, "kind"),
        ({"channel": "PIGEON"}, "channel"),
        ({"outreach_id": "7"}, "outreach_id"),
        ({"customer_id": ""}, "customer_id"),
        ({"customer_id": 5}, "customer_id"),
        ({"occurred_at": "2026-02-08T11:00:00"}, "occurred_at"),
        ({"occurred_at": "yesterday"}, "occurred_at"),
        ({"detail": "x" * 3_000}, "detail"),
        ({"occured_at": "2026-02-08T11:00:00Z"}, "occured_at"),
    ],
)
def test_what_does_not_fit_is_named(changes: dict[str, Any], field: str) -> None:
    """The field, so that whoever reports can mend it."""
    with pytest.raises(InvalidEvent) as fault:
        report(**changes)
    assert fault.value.field == field


@pytest.mark.parametrize("body", [None, [], "text", 5])
def test_a_body_is_an_object(body: Any) -> None:
    """Nothing else."""
    with pytest.raises(InvalidEvent, match="body"):
        reported(body, message_id="m", now=NOON)
