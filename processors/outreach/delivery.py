"""Delivers one outreach: renders the letter, tries its addresses in order, and returns the result as a value."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from datetime import datetime

import structlog

from processors.letters.coupons import Coupons, with_code
from processors.letters.errors import TemplateFault
from processors.letters.templates import Templates
from processors.letters.unsubscribe_links import Links
from processors.outreach import metrics
from processors.outreach.channels import Channel, Letter
from processors.outreach.channels.handover import checked
from processors.outreach.counting import count_accepted, count_error
from processors.outreach.errors import Ambiguous, ChannelError, CircuitOpen, NotNow, RateLimited, Refused, TryLater
from processors.outreach.leaving import NIGHT, TOO_LATE, is_too_late, quiet_on
from processors.outreach.provider_spans import provider_span
from processors.outreach.results import Deliver, Delivered, Failed, Postponed, Result, Unknown, Withheld
from streams.clock import SystemClock
from streams.events import Address, FailureReason, OutreachChannel, OutreachRequested
from streams.processor import Effect
from streams.tracing import Tracing

log = structlog.get_logger()

_OUTCOMES: Mapping[type[Result], str] = {
    Delivered: "sent",
    Failed: "failed",
    Postponed: "postponed",
    Withheld: "withheld",
}
"""What a call came to. What is uncertain is counted when it is recorded, as calls that a crash cut off are."""

_WITH_FOOT = frozenset({OutreachChannel.EMAIL, OutreachChannel.WEBHOOK})
"""Channels on which the letter has a footer with the unsubscribe link."""


class Delivery:
    """The dispatcher's performer: carries out the effects that the ledger requests."""

    def __init__(
        self,
        *,
        channels: Mapping[OutreachChannel, Channel],
        templates: Templates,
        links: Links | None = None,
        coupons: Coupons | None = None,
        clock: Callable[[], datetime] | None = None,
        tracing: Tracing | None = None,
    ) -> None:
        """``links`` None: letters have no unsubscribe link; ``coupons`` None: no coupon codes. ``clock`` tells real
        time, the machine's clock if None."""
        self._clock = clock or SystemClock().now
        self._tracing = tracing or Tracing()
        self._withdrawn: set[str] = set()
        self._channels = channels
        self._links = links
        self._coupons = coupons
        self.templates = templates

    async def perform(self, effect: Effect) -> Result:
        """Deliver the request of a :class:`Deliver`.

        Falls through to the next address if one is refused for good, its provider has an open circuit, or its channel
        is in quiet hours; but tries no further address once one may have been reached. Whether the letter may be sent
        is checked again right before it leaves, because connecting may have taken minutes.
        """
        task: Deliver = effect.task
        try:
            result = await self._deliver(task)
        except Exception as error:  # our own bug, outside of a provider call: calls handle their own errors
            log.exception("delivery_failed", outreach=effect.key)
            result = Postponed(
                channel=task.perhaps_by or OutreachChannel.OTHER,
                provider="none",
                detail=type(error).__name__,
                perhaps_left=task.perhaps_by is not None,
            )
        finally:
            self._withdrawn.discard(effect.key)
        if task.perhaps_by is not None and isinstance(result, Failed):
            result = Unknown(channel=task.perhaps_by, provider=result.provider, detail=result.detail)
        if (outcome := _OUTCOMES.get(type(result))) is not None:
            metrics.OUTCOMES.labels(channel=result.channel, outcome=outcome).inc()
        return result

    def withdraw(self, key: str) -> None:
        """The request was retracted: do not send its letter unless it has already left."""
        self._withdrawn.add(key)

    async def close(self) -> None:
        """Close every channel."""
        for channel in self._channels.values():
            try:
                await channel.close()
            except Exception:  # the other channels have to be closed too
                log.exception("channel_not_closed", provider=channel.provider)

    async def _deliver(self, task: Deliver) -> Result:
        request = task.request
        result: Result = Failed(
            channel=OutreachChannel.OTHER,
            provider="none",
            reason=FailureReason.UNREACHABLE,
            detail="none of the addresses is on a channel that is set up here",
        )
        for address in request.addresses:
            channel = self._channels.get(address.channel)
            if channel is None or task.perhaps_by not in (None, address.channel):
                continue
            letter = self._written(request, address)
            tried: Result
            if isinstance(letter, Failed):
                tried, next_may_do = letter, False
            else:
                tried, next_may_do = await self._hand_over(channel, letter, address, task)
            # a postponed address may take the letter later, so a refusal by another address is not final
            if not (isinstance(result, Postponed | Withheld) and isinstance(tried, Failed)):
                result = tried
            if not next_may_do:
                return result
        return result

    def _written(self, request: OutreachRequested, address: Address) -> Letter | Failed:
        """The letter, or a failure to render it, which no other address and no retry would change."""
        try:
            link = None
            if self._links is not None and address.channel in _WITH_FOOT:
                link = self._links.unsubscribe(request, address)
            request = with_code(request, self._coupons)
            written = self.templates.render(request, channel=address.channel, unsubscribe=link)
            return Letter.of(request, address=address, written=written, unsubscribe=link)
        except TemplateFault as fault:
            detail = str(fault)
        except Exception as error:  # no provider was called: only this letter fails, and the failure is logged
            log.exception("letter_not_written", outreach=request.outreach_id, template=request.template)
            detail = f"{request.template}: {type(error).__name__}"
        return Failed(channel=address.channel, provider="none", reason=FailureReason.TEMPLATE, detail=detail)

    def _check(self, task: Deliver, channel: OutreachChannel) -> None:
        """Raises NotNow if the letter may not be sent on this channel now."""
        request, now = task.request, task.at or self._clock()
        if request.outreach_id in self._withdrawn:
            raise NotNow("taken back meanwhile")
        if is_too_late(request, now):
            raise NotNow(TOO_LATE)
        if quiet_on(request, channel, now) is not None:
            raise NotNow(NIGHT)

    async def _hand_over(
        self, channel: Channel, letter: Letter, address: Address, task: Deliver
    ) -> tuple[Result, bool]:
        """The result, and whether the next address may be tried."""
        provider, kind, perhaps = channel.provider, address.channel, task.perhaps_by is not None
        began = time.monotonic()
        called = True
        try:
            self._check(task, kind)
            with (
                checked(lambda: self._check(task, kind)),
                provider_span(self._tracing, provider, letter.outreach_id),
            ):
                sent = await _sent(channel, letter, kind)
            count_accepted(task, kind, self._clock())
            return sent, False
        except NotNow as why:
            called = False
            withheld = Withheld(channel=kind, provider=provider, detail=why.detail, perhaps_left=perhaps)
            return withheld, why.detail == NIGHT and not perhaps
        except Refused as why:
            count_error(provider, why)
            # after an ambiguous call, a refusal is about the second attempt only: the first may have arrived
            failed = Failed(channel=kind, provider=provider, reason=why.reason, detail=why.detail)
            return failed, not perhaps
        except TryLater as why:
            count_error(provider, why)
            # without a call it was no attempt, so it does not lengthen the backoff once the provider has recovered
            called = not isinstance(why, CircuitOpen | RateLimited)
            postponed = Postponed(
                channel=kind,
                provider=provider,
                detail=why.detail,
                retry_after=why.retry_after,
                perhaps_left=perhaps,
                in_line=not called,
            )
            return postponed, isinstance(why, CircuitOpen) and not perhaps
        except Ambiguous as why:
            count_error(provider, why)
            if channel.idempotent:
                return Postponed(channel=kind, provider=provider, detail=why.detail, perhaps_left=True), False
            return Unknown(channel=kind, provider=provider, detail=why.detail), False
        finally:
            if called:
                metrics.PROVIDER_SECONDS.labels(provider=provider).observe(time.monotonic() - began)


async def _sent(channel: Channel, letter: Letter, kind: OutreachChannel) -> Delivered:
    """Raises only ChannelErrors; any other exception of a channel becomes Ambiguous, as the letter may have left."""
    try:
        receipt = await channel.send(letter)
        return Delivered(
            channel=kind,
            provider=receipt.provider,
            message_id=receipt.message_id,
            letter=letter if kind is OutreachChannel.AGENT_TASK else None,
        )
    except ChannelError:
        raise
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        log.exception("channel_cancelled_itself", provider=channel.provider)
        raise Ambiguous("unexpected error during the call: CancelledError") from error
    except Exception as error:
        log.exception("channel_failed", provider=channel.provider)
        raise Ambiguous(f"unexpected error during the call: {type(error).__name__}") from error
