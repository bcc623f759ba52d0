"""The outreach role: the dispatcher wired to its channels. The one place that knows which channels there are."""

from __future__ import annotations

from typing import Any

from processors.outreach.channels import Channel
from processors.outreach.channels.email import EmailChannel
from processors.outreach.channels.webhook import WebhookChannel
from processors.outreach.delivery import Delivery
from processors.outreach.ledger import LedgerLogic
from processors.outreach.templates import Templates
from streams.clock import SystemClock
from streams.config import Settings
from streams.events import OutreachChannel, OutreachLedgerEntry
from streams.processor import Limits, Processor
from streams.registry import Registry

ROLE = "outreach"

LIMITS = Limits(effects=16)
"""A crash leaves at most so many letters of a partition uncertain. With fewer, each transaction, which costs as much as
several letters, would carry fewer still."""

_CALLS = 64  # of all channels together; each has a bound of its own, and one that hangs must not hold the others up


class OutreachRole(Processor[OutreachLedgerEntry]):
    """Delivers what the journeys role requests, each outreach once, and says what became of it."""

    def __init__(
        self, settings: Settings, *, channels: dict[OutreachChannel, Channel], registry: Registry | None = None
    ) -> None:
        self._delivery = Delivery(channels=channels, templates=Templates())
        super().__init__(
            settings=settings,
            role=ROLE,
            logic=LedgerLogic(
                topics=settings.topics,
                idempotent={kind: channel.idempotent for kind, channel in channels.items()},
            ),
            performer=self._delivery,
            registry=registry,
            limits=LIMITS,
            concurrency=_CALLS,
        )

    async def on_stop(self) -> None:
        """Finish the calls under way, commit what came of them, close the connections."""
        await super().on_stop()
        await self._delivery.close()


def channels_of(settings: Settings) -> dict[OutreachChannel, Channel]:
    """The channels that the settings have an address or a secret for."""
    clock = SystemClock().now
    channels: dict[OutreachChannel, Any] = {
        OutreachChannel.EMAIL: EmailChannel(
            url=settings.smtp_url.get_secret_value(), sender=settings.mail_from, clock=clock
        )
    }
    if settings.webhook_secret is not None:
        secret = settings.webhook_secret.get_secret_value()
        channels[OutreachChannel.WEBHOOK] = WebhookChannel(
            secret=secret, clock=clock, idempotent=settings.webhook_idempotent
        )
    return channels
