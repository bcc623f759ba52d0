"""What the journeys role counts: each fact once, whatever becomes of the transactions that carry it."""

from __future__ import annotations

from typing import Any

import pytest
from aiokafka.errors import KafkaError

from streams.avro.codec import Codec
from streams.broker.memory import MemoryBroker
from streams.events import (
    ConsentChanged,
    ConsentStatus,
    Engagement,
    FailureReason,
    OutreachChannel,
    OutreachEngaged,
    OutreachFailed,
    ProfileUpdated,
    Purpose,
    replace,
)
from streams.events.sources import GATEWAY, OUTREACH
from tests.scraped import Growth
from tests.streams.given import LATE, NOON, contact, prepared
from tests.streams.owning import broker_with_topics, failing, publish, running, until, worker

LETTER = "6f3c1d1e-6b1c-4b57-9f0e-0d3a1a5f7c11"
FACTS: dict[str, Any] = {"customer_id": "ana", "occurred_at": NOON, "source": GATEWAY}


@pytest.fixture(scope="module", name="codec")
async def a_codec() -> Codec:
    """Knows every topic."""
    codec, _ = await prepared()
    return codec


@pytest.fixture
async def broker() -> MemoryBroker:
    return await broker_with_topics()


def engaged(number: int, kind: Engagement, detail: str | None = None) -> OutreachEngaged:
    """What the customer did with our letter."""
    event_id = f"engaged-{number}"
    return OutreachEngaged(
        **FACTS, event_id=event_id, outreach_id=LETTER, channel=OutreachChannel.EMAIL, kind=kind, detail=detail
    )


def consent(number: int, purpose: Purpose, status: ConsentStatus) -> ConsentChanged:
    """A yes or a no."""
    return ConsentChanged(**FACTS, event_id=f"consent-{number}", purpose=purpose, status=status)


def touchpoints(record: str) -> Growth:
    """Touchpoints of that type from here on."""
    return Growth("careline_touchpoints_total", record=record)


def changes(purpose: str, change: str) -> Growth:
    """Changes of consent from here on."""
    return Growth("careline_consent_changes_total", purpose=purpose, change=change)


def reports(kind: str) -> Growth:
    """Reports on e-mails from here on."""
    return Growth("careline_outcomes_reported_total", channel="EMAIL", kind=kind)


async def test_touchpoints_are_counted_by_type_and_a_repeated_one_once(broker: MemoryBroker, codec: Codec) -> None:
    """A service that publishes the same event twice does not look like two customers' worth of traffic."""
    contacts, delays = touchpoints("ContactOpened"), touchpoints("DelayNoticed")
    await publish(broker, codec, contact(), contact(), LATE, contact(event_id="another"))
    shared = await worker(broker, codec)
    async with running(shared) as partition:
        await until(lambda: partition.progress.position == 4)
    assert (contacts.value, delays.value) == (2, 0)  # LATE has the event id of the first contact


@pytest.mark.parametrize("call", ["send_batch", "send_offsets_to_transaction", "commit_transaction"])
async def test_a_transaction_that_is_repeated_counts_once(broker: MemoryBroker, codec: Codec, call: str) -> None:
    """Brokers that are away for a moment do not double a night's opt-outs."""
    contacts, told = touchpoints("ContactOpened"), changes("MARKETING", "withdrawn")
    zones = Growth("careline_unknown_time_zones_total", record="ProfileUpdated")
    await publish(
        broker,
        codec,
        contact(),
        consent(1, Purpose.MARKETING, ConsentStatus.REVOKED),
        ProfileUpdated(**FACTS, event_id="moved", time_zone="Mars/Olympus"),
    )
    broker.before = failing(call, KafkaError(call), times=2)
    shared = await worker(broker, codec)
    async with running(shared) as partition:
        await until(lambda: partition.progress.position == 3)
    assert (contacts.value, told.value, zones.value) == (1, 1, 1)


@pytest.mark.parametrize(
    ("event", "purpose", "change"),
    [
        (consent(1, Purpose.MARKETING, ConsentStatus.GRANTED), "MARKETING", "granted"),
        (consent(2, Purpose.SERVICE, ConsentStatus.DENIED), "SERVICE", "withdrawn"),
        (consent(3, Purpose.SERVICE, ConsentStatus.REVOKED), "SERVICE", "withdrawn"),
        (engaged(4, Engagement.UNSUBSCRIBED, "MARKETING"), "MARKETING", "unsubscribed"),
        (engaged(5, Engagement.UNSUBSCRIBED, "SERVICE"), "all", "unsubscribed"),
        (engaged(6, Engagement.UNSUBSCRIBED), "all", "unsubscribed"),
        (engaged(7, Engagement.COMPLAINED), "all", "complained"),
    ],
)
async def test_every_yes_and_no_is_counted(
    broker: MemoryBroker, codec: Codec, event: Any, purpose: str, change: str
) -> None:
    """By what it is about and how the customer said it."""
    told = changes(purpose, change)
    await publish(broker, codec, contact(), event, event)
    shared = await worker(broker, codec)
    async with running(shared) as partition:
        await until(lambda: partition.progress.position == 3)
    assert told.value == 1


async def test_a_report_counts_once_by_kind(broker: MemoryBroker, codec: Codec) -> None:
    """A repetition is not counted, nor is a report that fits no letter of the customer, nor a failure of our own."""
    delivered, complained, bounced = reports("DELIVERED"), reports("COMPLAINED"), reports("BOUNCED")
    failed = OutreachFailed(
        **FACTS | {"source": OUTREACH},
        event_id="f1",
        outreach_id=LETTER,
        channel=OutreachChannel.EMAIL,
        reason=FailureReason.BOUNCED,
    )
    ours = replace(failed, event_id="f2", reason=FailureReason.REJECTED)
    unfounded = replace(engaged(3, Engagement.COMPLAINED), source=f"{GATEWAY}/mail")
    arrived = engaged(1, Engagement.DELIVERED)
    await publish(
        broker, codec, contact(), arrived, arrived, engaged(2, Engagement.COMPLAINED), failed, failed, ours, unfounded
    )
    shared = await worker(broker, codec)
    async with running(shared) as partition:
        await until(lambda: partition.progress.position == 8)
    assert (delivered.value, complained.value, bounced.value) == (1, 1, 1)
