"""Delivers one outreach: writes the letter, tries its addresses in turn, and says what came of it as a value."""

from __future__ import annotations

import time
from collections.abc import Mapping

import structlog

from processors.outreach.channels import Channel, Letter
from processors.outreach.errors import Ambiguous, Refused, TemplateFault, TryLater
from processors.outreach.ledger import Deliver, Delivered, Failed, Postponed, Result, Unknown
from processors.outreach.templates import Templates
from streams import metrics
from streams.events import Address, FailureReason, OutreachChannel, OutreachRequested
from streams.processor import Effect

log = structlog.get_logger()

_OUTCOMES: Mapping[type[Result], str] = {
    Delivered: "sent",
    Failed: "failed",
    Postponed: "postponed",
    Unknown: "uncertain",
}


class Delivery:
    """The dispatcher's performer."""

    def __init__(self, *, channels: Mapping[OutreachChannel, Channel], templates: Templates) -> None:
        self._channels = channels
        self._templates = templates

    async def perform(self, effect: Effect) -> Result:
        """Deliver the request of a :class:`Deliver`. An address that is refused for good makes room for the next."""
        task: Deliver = effect.task
        try:
            result = await self._deliver(task.request)
        except Exception as error:  # a fault of ours: it may or may not have left
            log.exception("delivery failed", outreach=effect.key)
            result = Unknown(channel=OutreachChannel.OTHER, provider="unknown", detail=repr(error))
        metrics.OUTCOMES.labels(channel=result.channel, outcome=_OUTCOMES[type(result)]).inc()
        return result

    async def close(self) -> None:
        """Let go of the channels' connections."""
        for channel in self._channels.values():
            await channel.close()

    async def _deliver(self, request: OutreachRequested) -> Result:
        try:
            subject, text, html = self._templates.render(request)
        except TemplateFault as fault:
            first = request.addresses[0].channel if request.addresses else OutreachChannel.OTHER
            return Failed(channel=first, provider="none", reason=FailureReason.TEMPLATE, detail=str(fault))
        result: Result = Failed(
            channel=OutreachChannel.OTHER,
            provider="none",
            reason=FailureReason.UNREACHABLE,
            detail="none of the addresses is on a channel that is set up here",
        )
        for address in request.addresses:
            channel = self._channels.get(address.channel)
            if channel is None:
                continue
            letter = Letter.of(request, address=address, subject=subject, text=text, html=html)
            result = await self._hand_over(channel, letter, address)
            if not isinstance(result, Failed):
                return result
        return result

    @staticmethod
    async def _hand_over(channel: Channel, letter: Letter, address: Address) -> Result:
        provider, kind = channel.provider, address.channel
        began = time.monotonic()
        try:
            receipt = await channel.send(letter)
        except Refused as why:
            return Failed(channel=kind, provider=provider, reason=FailureReason.REJECTED, detail=why.detail)
        except TryLater as why:
            return Postponed(channel=kind, provider=provider, detail=why.detail, retry_after=why.retry_after)
        except Ambiguous as why:
            if channel.idempotent:
                return Postponed(channel=kind, provider=provider, detail=why.detail)
            return Unknown(channel=kind, provider=provider, detail=why.detail)
        finally:
            metrics.PROVIDER_SECONDS.labels(provider=provider).observe(time.monotonic() - began)
        return Delivered(channel=kind, provider=receipt.provider, message_id=receipt.message_id)
