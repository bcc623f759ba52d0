"""The outreach role: the dispatcher and its channels. The one place that knows which channels there are."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import urlsplit

from processors.journey.playbook import Playbook
from processors.letters.coupons import Coupons
from processors.letters.templates import Templates
from processors.letters.unsubscribe_links import Links
from processors.outreach.channels import Channel, Letter
from processors.outreach.channels.agent_task import AgentTaskChannel
from processors.outreach.channels.email import EmailChannel
from processors.outreach.channels.protection import ProtectedChannel, Rate, Threshold
from processors.outreach.channels.webhook import WebhookChannel
from processors.outreach.delivery import Delivery
from processors.outreach.ledger import LedgerLogic
from processors.outreach.waiting import Waiting
from processors.roles.role import ProcessorRole
from processors.roles.servers import MAIL
from processors.settings import Settings
from streams import durations
from streams.broker.contract import Broker
from streams.clock import Clock, SystemClock
from streams.config import TimeSource
from streams.events import OutreachChannel
from streams.processor import Limits, Processor
from streams.registry.registry import Registry
from streams.tracing import Tracing

ROLE = "outreach"

LIMITS = Limits(effects=16)
"""A crash leaves at most this many letters of a partition uncertain. A lower limit would reduce throughput, because a
transaction costs as much as several letters and would carry fewer of them."""

_CALLS = 64  # on all channels together; each has its own limit, so that one that hangs does not block the others


class OutreachRole(ProcessorRole):
    """Delivers each outreach that the journeys role requests, once, and publishes its outcome."""

    name = ROLE
    servers = (*ProcessorRole.servers, MAIL)

    def __init__(
        self,
        settings: Settings,
        *,
        channels: Mapping[OutreachChannel, Channel],
        playbook: Playbook,
        registry: Registry,
        broker: Broker,
        clock: Clock,
        tracing: Tracing | None = None,
    ) -> None:
        """``playbook``: its texts go before the package's letters. Raises SettingsError, TemplateFault."""
        self._delivery = Delivery(
            channels=channels,
            templates=Templates.of(playbook),
            links=Links.of(settings),
            coupons=Coupons.of(settings),
            clock=clock.now,
            tracing=tracing,
        )
        logic = LedgerLogic(
            topics=settings.topics,
            idempotent={kind: channel.idempotent for kind, channel in channels.items()},
            time_source=settings.time_source,
        )
        processor = Processor(
            settings=settings,
            role=ROLE,
            logic=logic,
            performer=self._delivery,
            classes=Waiting(clock=clock, time_source=settings.time_source),
            registry=registry,
            broker=broker,
            clock=clock,
            tracing=tracing,
            limits=LIMITS,
            concurrency=_CALLS,
        )
        super().__init__(processor, registry=registry)

    async def take(self, playbook: Playbook) -> None:
        """Write letters in this playbook's words from now on; they are compiled beside the event loop."""
        self._delivery.templates = await asyncio.to_thread(Templates.of, playbook)

    async def on_shutdown(self) -> None:
        """Close the channels' connections; the calls under way are finished, and what came of them is committed."""
        await self._delivery.close()
        await super().on_shutdown()


def channels_of(settings: Settings) -> dict[OutreachChannel, Channel]:
    """The channels that the settings configure, each with its rate limit and circuit breaker. Raises SettingsError."""
    clock = SystemClock().now
    email: Channel = EmailChannel(
        url=settings.smtp_url.get_secret_value(),
        sender=settings.mail_from,
        clock=clock,
        greeting=durations.parse(settings.smtp_greeting),
    )
    channels: dict[OutreachChannel, Channel] = {
        OutreachChannel.AGENT_TASK: AgentTaskChannel(),
        OutreachChannel.EMAIL: _protected(settings, email, settings.email_rate),
    }
    if settings.webhook_secret is not None:
        secret = settings.webhook_secret.get_secret_value()
        webhook: Channel = WebhookChannel(
            secret=secret, clock=clock, idempotent=settings.webhook_idempotent, destinations=settings.destinations
        )
        channels[OutreachChannel.WEBHOOK] = _protected(settings, webhook, settings.webhook_rate)
    for kind, url, rate in (
        (OutreachChannel.SMS, settings.sms_url, settings.sms_rate),
        (OutreachChannel.PUSH, settings.push_url, settings.push_rate),
    ):
        if url is not None:
            from processors.outreach.channels.apprise_service import AppriseChannel  # slow to import

            service = AppriseChannel(kind=kind, url=url.get_secret_value(), setting=f"CARELINE_{kind}_URL")
            channels[kind] = _protected(settings, service, rate)
    return channels


def _protected(settings: Settings, channel: Channel, rate: str | None) -> ProtectedChannel:
    return ProtectedChannel(
        channel,
        clock=SystemClock().now,
        threshold=Threshold(settings.breaker_failures, durations.parse(settings.breaker_pause)),
        rate=None if rate is None else Rate.parse(rate),
        # in event time, waiting in the queue takes no time, but a retry would be later in the stream
        patience=timedelta(seconds=1) if settings.time_source is TimeSource.WALL else None,
        part=_host if isinstance(channel, WebhookChannel) else lambda _: "",
    )


def _host(letter: Letter) -> str:
    """The receiver's host: each has its own circuit, so that one host that is down does not block the others."""
    try:
        return urlsplit(letter.address).netloc
    except ValueError:
        return ""
