"""Roles and a publisher on a broker in memory, each with the SDK that a process of its own would have."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from pydantic import SecretStr

from processors.outreach.channels.recording import RecordingChannel
from processors.playbook import load_playbook
from processors.roles import wiring
from processors.roles.exporting import provider_of
from processors.roles.role import Role
from processors.settings import Settings
from streams import Publisher, Subscriber, events, set_up
from streams.broker.memory import MemoryBroker
from streams.clock import ManualClock
from streams.events import OutreachChannel
from streams.tracing import Tracing
from tests.tracing.receiver import Receiver
from tests.waiting import until

NOON = datetime(2026, 2, 9, 12, 0, tzinfo=UTC)
NIGHT = datetime(2026, 2, 9, 2, 0, tzinfo=UTC)
REPORTS = "whsec_dGhlIHRlc3RzJyBvd24gc2VjcmV0LCBsb25nIGVub3VnaA=="


class Day:
    """``clock`` is everybody's; a role is started with :meth:`start`, and its spans go to the receiver."""

    def __init__(self, receiver: Receiver, *, begins: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        name = str(uuid.uuid4())
        self.receiver = receiver
        self.clock = ManualClock(begins)
        self.settings = Settings(
            kafka_bootstrap=f"memory://{name}",
            registry_url=f"memory://{name}",
            partitions=1,
            gateway_port=0,
            public_url="http://127.0.0.1:8090",
            link_secret=SecretStr("a secret of the tests' own, long enough"),
            callback_secret=SecretStr(REPORTS),
        )
        self.broker = MemoryBroker.named(name)
        self.broker.clock = self.clock
        self.phones = RecordingChannel(provider="phones")
        self.providers: list[TracerProvider] = []
        self._name = name
        self._stack = AsyncExitStack()

    def tracing(self, service: str) -> Tracing:
        """Of a process of that name."""
        self.providers.append(provider_of(service, instance="0", where="here"))
        return Tracing(self.providers[-1])

    async def start(self, name: str) -> Any:
        """The role, once it is ready."""
        given: dict[str, Any] = {"clock": self.clock, "tracing": self.tracing(name)}
        if name != "gateway":
            given["playbook"] = replace(load_playbook(), channel_order=(OutreachChannel.SMS,))
        if name == "outreach":
            given["channels"] = {OutreachChannel.SMS: self.phones}
        role: Role = wiring.ROLES[name](self.settings, **given)
        await role.start()
        self._stack.push_async_callback(role.stop)
        await until(lambda: role.ready)
        return role

    async def publish(self, *told: Any, parent: str | None = None) -> None:
        """By a service that traces."""
        async with Publisher(self.settings, clock=self.clock, tracing=self.tracing("departures")) as publisher:
            for event in told:
                await publisher.publish(event, traceparent=parent)

    async def read(self, topic: str, kind: type) -> list[Any]:
        """The records of that type on the topic so far."""
        async with Subscriber(self.settings, topic, until_end=True) as subscriber:
            return [message.record async for message in subscriber if isinstance(message.record, kind)]

    async def met(self, topic: str, kind: type) -> Any:
        """The first record of that type on the topic, as soon as there is one."""
        found: list[Any] = []
        deadline = asyncio.get_running_loop().time() + 20
        while not (found := await self.read(topic, kind)):
            assert asyncio.get_running_loop().time() < deadline, await self.read("decisions", events.Decision)
            await asyncio.sleep(0.02)
        return found[0]

    async def flushed(self) -> None:
        """Every span that has ended so far is with the receiver."""
        for provider in self.providers:
            await asyncio.to_thread(provider.force_flush)

    async def close(self) -> None:
        """Stop the roles."""
        await self._stack.aclose()
        for provider in self.providers:
            await asyncio.to_thread(provider.shutdown)
        MemoryBroker.forget(self._name)


@asynccontextmanager
async def day(receiver: Receiver, monkeypatch: pytest.MonkeyPatch, *, begins: datetime = NOON) -> AsyncIterator[Day]:
    """A broker with every topic, and no role yet."""
    made = Day(receiver, begins=begins, monkeypatch=monkeypatch)
    await set_up(made.settings)
    try:
        yield made
    finally:
        await made.close()


def delayed(now: datetime, customer: str = "ana") -> tuple[Any, Any]:
    """Who the customer is, who reads SMS, and a wait of six hours that begins in eight."""
    facts: dict[str, Any] = {"customer_id": customer, "source": "urn:test:departures", "occurred_at": now}
    address = events.Address(channel=OutreachChannel.SMS, address="+14155550100")
    profile = events.ProfileUpdated(
        **facts, event_id=str(uuid.uuid4()), name="Ana Ruiz", locale="en", time_zone="UTC", addresses=(address,)
    )
    delay = events.DelayNoticed(
        **facts, event_id=str(uuid.uuid4()), subject_kind="flight", subject_id="UA571", description="flight UA 571",
        promised_at=now + timedelta(hours=8), expected_at=now + timedelta(hours=14),
        reason=events.DelayReason.WEATHER,
    )  # fmt: skip
    return profile, delay
