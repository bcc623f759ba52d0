"""Letters by e-mail, over SMTP."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from datetime import datetime, timedelta
from email.headerregistry import Address
from email.utils import parseaddr

from processors.outreach.channels import Letter, Receipt
from processors.outreach.channels.handover import Handover
from processors.outreach.channels.mime import compose, mailbox, one_line
from processors.outreach.channels.smtp import ConnectionGone, Conversation, MailServer
from processors.outreach.errors import CircuitOpen, Refused, TryLater
from streams.errors import SettingsError


class EmailChannel:
    """Hands letters to one mail server over a few persistent connections.

    SMTP has no idempotency key: after a lost answer there is no way to ask whether the letter was accepted. Set
    ``idempotent`` only for a server known to drop a second message with the same Message-ID.
    """

    provider = "smtp"

    def __init__(
        self,
        *,
        url: str,
        sender: str,
        clock: Callable[[], datetime],
        reply_to: str | None = None,
        idempotent: bool = False,
        tls: ssl.SSLContext | None = None,
        connections: int = 8,
        timeout: timedelta = timedelta(seconds=30),
        greeting: timedelta = timedelta(minutes=5),
        patience: timedelta = timedelta(minutes=2),
    ) -> None:
        """``url`` as in MailServer.parse; ``sender`` and ``reply_to`` as ``Name <a@b>``; ``clock`` dates the letters;
        ``tls`` says which certificates to trust, the system's authorities if None.

        ``timeout`` bounds each step of an SMTP session, and the wait for one of the ``connections``; ``greeting``
        bounds the wait for the server's greeting, ``patience`` the wait for the answer to a whole letter. Raises
        SettingsError.
        """
        self.idempotent = idempotent
        self._server = MailServer.parse(url)
        self._sender = _address(sender, "CARELINE_MAIL_FROM")
        self._reply_to = None if reply_to is None else str(_address(reply_to, "reply_to"))
        self._clock = clock
        self._tls = tls
        self._timeout = timeout
        self._greeting = greeting
        self._patience = patience
        self._idle: list[Conversation] = []
        self._places = asyncio.Semaphore(connections)
        self._closed = False

    async def send(self, letter: Letter) -> Receipt:
        """Hand the letter to the mail server. See Channel.send for what it raises."""
        with Handover(self.provider) as call:
            recipient = mailbox(letter.address)
            message = compose(letter, sender=self._sender, reply_to=self._reply_to, at=self._clock())
            call.called()
            await self._place()
            try:
                if self._closed:
                    raise TryLater("the channel is closed")
                await self._hand_over(message, recipient, call)
            finally:
                self._places.release()
            return Receipt(provider=self.provider, message_id=f"<{letter.outreach_id}@{self._sender.domain}>")

    async def close(self) -> None:
        """Close the idle connections; the tasks of letters in flight finish and close theirs."""
        self._closed = True
        while self._idle:
            await self._idle.pop().close()

    async def _place(self) -> None:
        """Wait for a free connection; raises CircuitOpen if the server blocks all of them for ``timeout``."""
        try:
            async with asyncio.timeout(self._timeout.total_seconds()):
                await self._places.acquire()
        except TimeoutError as error:
            raise CircuitOpen("the mail server keeps every connection waiting", retry_after=self._timeout) from error

    async def _hand_over(self, message: bytes, recipient: str, call: Handover) -> None:
        while self._idle:
            kept = self._idle.pop()
            if not kept.is_open:
                continue
            try:
                return await self._deliver(kept, message, recipient, call)
            except ConnectionGone:
                break  # stale, or the server's limit is reached: the letter was not sent, so use a new connection
        fresh = await Conversation.open(
            self._server, tls=self._tls, timeout=self._timeout, greeting=self._greeting, patience=self._patience
        )
        return await self._deliver(fresh, message, recipient, call)

    async def _deliver(self, conversation: Conversation, message: bytes, recipient: str, call: Handover) -> None:
        try:
            await conversation.deliver(message, sender=self._sender.addr_spec, recipient=recipient, call=call)
        finally:
            if conversation.is_open:
                if self._closed:
                    await conversation.close()
                else:
                    self._idle.append(conversation)


def _address(text: str, setting: str) -> Address:
    name, spec = parseaddr(text)
    try:
        if not text.isprintable():
            raise Refused("not on one line")
        if not spec.rpartition("@")[0].isascii():
            raise Refused("the sender's local part must be ASCII, so that every mail server accepts it")
        return Address(display_name=one_line(name), addr_spec=mailbox(spec))
    except Refused as error:
        raise SettingsError(f"{setting}: {error.detail}") from error
