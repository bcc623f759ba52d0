"""One trace on real servers: the roles as processes, a mail server, and a receiver of OTLP."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from processors.roles.exporting import provider_of
from streams import Publisher, events
from streams.config import Settings
from streams.tracing import Tracing
from tests.live.roles import Role
from tests.tracing.receiver import Receiver, Span, receiving
from tests.waiting import until

pytestmark = pytest.mark.live


def told(customer: str) -> tuple[Any, Any]:
    """A profile and a delay of an hour, told now."""
    now = datetime.now(UTC).replace(microsecond=0)
    facts: dict[str, Any] = {"customer_id": customer, "source": "urn:test:departures", "occurred_at": now}
    address = events.Address(channel=events.OutreachChannel.EMAIL, address=f"{customer}@mail.example")
    profile = events.ProfileUpdated(
        **facts, event_id=str(uuid.uuid4()), name="Xaviera Quill", locale="en", time_zone="UTC", addresses=(address,)
    )
    delay = events.DelayNoticed(
        **facts, event_id=str(uuid.uuid4()), subject_kind="flight", subject_id="UA571", description="flight UA 571",
        promised_at=now + timedelta(hours=8), expected_at=now + timedelta(hours=9),
        reason=events.DelayReason.WEATHER,
    )  # fmt: skip
    return profile, delay


def letters_in(folder: Path) -> str:
    """All that the mail server has taken."""
    return "".join(file.read_text(errors="replace") for file in folder.rglob("*.eml"))


def path(receiver: Receiver, last: Span) -> list[tuple[str, str]]:
    """Service and kind of each span from the first of the trace to ``last``."""
    by_id = {span.span_id: span for span in receiver.spans}
    found, span = [], last
    while True:
        found.append((span.service, span.name.split()[0]))
        if not span.parent:
            return found[::-1]
        span = by_id[span.parent]


async def test_from_the_publisher_to_the_outcome(
    settings: Settings, role_env: dict[str, str], mail_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A touchpoint, its letter, the mail server's word and the outcome are one trace over three processes and Kafka,
    and nothing of the customer stands in it."""
    customer = f"xaviera-{uuid.uuid4().hex[:8]}"
    async with receiving() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        env = {**role_env, "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, "OTEL_BSP_SCHEDULE_DELAY": "200"}
        provider = provider_of("departures", instance="0", where=receiver.url)
        async with Role("journeys", env), Role("outreach", env):
            async with Publisher(settings, tracing=Tracing(provider)) as publisher:
                for event in told(customer):
                    await publisher.publish(event)
            await asyncio.to_thread(provider.shutdown)

            def outcomes() -> list[Span]:
                kind = "careline.outcome.OutreachSent"
                return [one for one in receiver.spans if one.attributes.get("cloudevents.event_type") == kind]

            await until(outcomes, within=60)
        [outcome] = outcomes()
        assert path(receiver, outcome) == [
            ("careline-departures", "send"),
            ("careline-journeys", "process"),
            ("careline-outreach", "process"),
            ("careline-outreach", "deadline"),
            ("careline-outreach", "effect"),
            ("careline-outreach", "result"),
            ("careline-journeys", "process"),
        ]
        called = receiver.one("send smtp", outcome.trace_id)
        assert (called.kind, called.attributes["careline.outcome"]) == ("CLIENT", "Delivered")
        commits = [span for span in receiver.spans if span.name.startswith("commit ")]
        steps = {span.span_id for span in receiver.spans if "careline.handling" in span.attributes}
        assert {link for commit in commits for link in commit.links} == steps
        assert customer in await asyncio.to_thread(letters_in, mail_dir)
        sent = b"".join(receiver.raw)
        for word in (customer, "Quill", "mail.example", "UA 571"):
            assert word.encode() not in sent
