"""Letters to a service of the customer or of our own: signed webhooks (https://www.standardwebhooks.com)."""

from __future__ import annotations

import asyncio
import json
from binascii import Error as NotBase64
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError

from processors.outreach.channels import Letter, Receipt
from processors.outreach.channels.handover import Handover
from processors.outreach.channels.public_network import PublicTransport, Resolve
from processors.outreach.errors import Ambiguous, Refused, TryLater
from streams.errors import SettingsError
from streams.http.destinations import STRICT, Destinations

_LATER = frozenset({408, 425, 429})
_LONGEST = timedelta(days=1)


class WebhookChannel:
    """POSTs each letter as signed JSON, the outreach_id as its ``webhook-id``.

    Receivers that follow the standard drop a ``webhook-id`` they have seen; set ``idempotent`` to false if yours do
    not. Others wrote the URL, so it is called only if ``destinations`` allow it, and only at the address that it
    resolved to when it was checked.
    """

    provider = "webhook"

    def __init__(
        self,
        *,
        secret: str,
        clock: Callable[[], datetime],
        timeout: timedelta = timedelta(seconds=15),
        connections: int = 20,
        idempotent: bool = True,
        destinations: Destinations = STRICT,
        resolve: Resolve | None = None,
    ) -> None:
        """``secret`` as ``whsec_...``; ``clock`` stamps the signature and must tell real time, because receivers reject
        a stamp that is more than five minutes off. ``timeout`` bounds the whole exchange. ``idempotent``: receivers
        drop what they have seen. ``resolve`` replaces the system's resolver. Raises SettingsError."""
        self.idempotent = idempotent
        try:
            self._signer = Webhook(secret)
        except (ValueError, NotBase64, EmptyWebhookSecretError) as error:
            raise SettingsError("CARELINE_WEBHOOK_SECRET: not a secret of the form whsec_<base64>") from error
        self._clock = clock
        self._timeout = timeout.total_seconds()
        self._destinations = destinations
        self._closed = False
        self._client = httpx.AsyncClient(
            follow_redirects=False,
            trust_env=False,  # a proxy named in the environment would see every letter
            timeout=httpx.Timeout(self._timeout),
            transport=PublicTransport(destinations=destinations, connections=connections, resolve=resolve),
            headers={"user-agent": "careline"},
        )

    async def send(self, letter: Letter) -> Receipt:
        """POST the letter to its address. See Channel.send for what it raises."""
        with Handover(self.provider) as call:
            return await self._send(letter, call)

    async def _send(self, letter: Letter, call: Handover) -> Receipt:
        if (fault := self._destinations.fault(letter.address)) is not None:
            raise Refused(f"the webhook {fault}")
        if self._closed:
            raise TryLater("the channel is closed")
        body = payload(letter)
        now = self._clock()
        headers = {
            "content-type": "application/json",
            "webhook-id": letter.outreach_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._signer.sign(letter.outreach_id, now, body),
        }
        request = self._client.build_request(
            "POST", letter.address, content=body.encode(), headers=headers, extensions={"trace": _until_leaving(call)}
        )
        call.called()
        try:
            async with asyncio.timeout(self._timeout):
                answer = await self._client.send(request, stream=True)
                status, wish = answer.status_code, answer.headers.get("retry-after")
                await answer.aclose()
        except (httpx.UnsupportedProtocol, httpx.LocalProtocolError, UnicodeError) as error:
            raise Refused("not an address that can be called") from error
        except (httpx.HTTPError, httpx.StreamError, TimeoutError, OSError) as error:
            said = f"{type(error).__name__}: {error}".rstrip(": ")
            if call.perhaps_left:
                raise Ambiguous(f"the receiver had the letter but did not answer: {said}") from error
            raise TryLater(f"the receiver cannot be reached: {said}") from error
        if 200 <= status < 300:
            return Receipt(provider=self.provider, message_id=letter.outreach_id)
        if status in _LATER or status >= 500:
            raise TryLater(f"the receiver answered {status}", retry_after=retry_after(wish, now), answered=status < 500)
        raise Refused(f"the receiver answered {status}")

    async def close(self) -> None:
        """Close every connection."""
        self._closed = True
        await self._client.aclose()


def payload(letter: Letter) -> str:
    """The JSON body. Nothing in it changes between attempts: the same letter gives the same bytes."""
    gesture = letter.gesture
    return json.dumps(
        {
            "type": "careline.outreach",
            "timestamp": letter.requested_at.isoformat(),
            "data": {
                "outreach_id": letter.outreach_id,
                "customer_id": letter.customer_id,
                "revises": letter.revises,
                "policy": letter.policy,
                "template": letter.template,
                "journey_id": letter.journey_id,
                "locale": letter.locale,
                "subject": letter.subject,
                "text": letter.text,
                "html": letter.html,
                "gesture": None
                if gesture is None
                else {"code": gesture.code, "title": gesture.title, "link": gesture.link},
                "why": letter.why,
                "useful_until": letter.useful_until.isoformat(),
            },
        },
        separators=(",", ":"),
    )


def retry_after(value: str | None, now: datetime) -> timedelta | None:
    """The Retry-After header (seconds or a date), at most one day; None if it is missing or invalid."""
    if value is None:
        return None
    try:
        if value.strip().isdecimal():
            wait = timedelta(seconds=min(int(value), _LONGEST.total_seconds()))
        else:
            then = parsedate_to_datetime(value)
            wait = (then if then.tzinfo else then.replace(tzinfo=UTC)) - now
    except (ValueError, OverflowError):
        return None
    return min(max(wait, timedelta()), _LONGEST)


def _until_leaving(call: Handover) -> Callable[[str, dict[str, Any]], Awaitable[None]]:
    async def trace(event: str, _: dict[str, Any]) -> None:
        if event.endswith(".send_request_headers.started"):
            call.check()
        if event.endswith(".send_request_body.started"):
            call.leaving()

    return trace
