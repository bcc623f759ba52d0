"""One SMTP session, which knows at every step whether the letter may have been accepted."""

from __future__ import annotations

import asyncio
import re
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Self, cast
from urllib.parse import parse_qs, unquote, urlsplit

from aiosmtplib import (
    SMTPException,
    SMTPHeloError,
    SMTPResponse,
    SMTPResponseException,
    SMTPServerDisconnected,
)

from processors.outreach.channels.handover import Handover
from processors.outreach.channels.replies import Client
from processors.outreach.errors import Ambiguous, Refused, TryLater
from streams.errors import SettingsError
from streams.http.destinations import is_loopback

_UNAVAILABLE = 421
_OF_THE_SERVER = re.compile(r"4\.[34]\.")  # RFC 3463: about the mail system or the network, not the recipient


class ConnectionGone(TryLater):
    """This connection cannot be used and did not carry this letter; it can be sent on another one immediately."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """The mail server that letters are handed to."""

    host: str
    port: int
    tls: bool = False
    starttls: bool = False
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, url: str) -> Self:
        """``smtp://host[:25]``, ``smtp://user:password@host[:587]?starttls`` or ``smtps://...[:465]``.

        Raises SettingsError, without the URL, which may contain a password. A password is never sent unencrypted to
        another machine.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:  # its message is dropped: it may quote a password
            raise SettingsError(
                "CARELINE_SMTP_URL: must be smtp://host or smtps://host, optionally with a port"
            ) from None
        options = parse_qs(parts.query, keep_blank_values=True)
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname or parts.path not in ("", "/"):
            raise SettingsError("CARELINE_SMTP_URL: must be smtp://host or smtps://host")
        if set(options) - {"starttls"}:  # not quoted: after a ? in a password, it would be the rest of it
            raise SettingsError("CARELINE_SMTP_URL: the only option is ?starttls")
        tls, starttls = parts.scheme == "smtps", "starttls" in options
        if tls and starttls:
            raise SettingsError("CARELINE_SMTP_URL: smtps:// is encrypted from the start; remove ?starttls")
        if parts.username and not (tls or starttls or is_loopback(parts.hostname)):
            raise SettingsError("CARELINE_SMTP_URL: a password needs smtps:// or ?starttls")
        return cls(
            host=parts.hostname,
            port=port or (465 if tls else 587 if starttls else 25),
            tls=tls,
            starttls=starttls,
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
        )


class Conversation:
    """One connection, on which letters are sent one after another."""

    def __init__(self, *, client: Client, patience: timedelta) -> None:
        self._client = client
        self._patience = patience.total_seconds()
        self._carried = 0

    @classmethod
    async def open(
        cls,
        server: MailServer,
        *,
        tls: ssl.SSLContext | None,
        timeout: timedelta,
        greeting: timedelta,
        patience: timedelta,
    ) -> Self:
        """Connect, encrypt and log in as ``server`` requires. ``timeout`` bounds each step, ``greeting`` the wait for
        the server's greeting, ``patience`` the wait for its answer to a whole letter; ``tls`` says which certificates
        to trust, the system's authorities if None. Raises TryLater."""
        client = Client(
            hostname=server.host,
            port=server.port,
            username=server.username,
            password=server.password,
            use_tls=server.tls,
            start_tls=server.starttls,
            tls_context=tls,
            timeout=timeout.total_seconds(),
            greeting=greeting.total_seconds(),
        )
        opened = cls(client=client, patience=patience)
        try:
            await client.connect()
            if client.is_ehlo_or_helo_needed:
                try:
                    await client.ehlo()
                except SMTPHeloError:
                    await client.helo()
        except (SMTPException, OSError, ValueError) as error:
            opened.abort()
            said = f"{error.code} {error.message}" if isinstance(error, SMTPResponseException) else error
            raise TryLater(f"no connection to the mail server: {said}") from error
        except BaseException:
            opened.abort()
            raise
        return opened

    @property
    def is_open(self) -> bool:
        """Whether the connection can be used for another letter, as far as is known without asking the server."""
        return self._client.is_connected

    @property
    def takes_utf8(self) -> bool:
        """Whether the server accepts internationalised addresses (RFC 6531)."""
        return self._client.supports_extension("smtputf8")

    async def deliver(self, message: bytes, *, sender: str, recipient: str, call: Handover) -> None:
        """Send one message, reporting the progress to ``call``. Raises Refused, TryLater, ConnectionGone, Ambiguous or
        NotNow."""
        call.check()
        if not recipient.isascii() and not self.takes_utf8:
            raise Refused("the address is internationalised, and the mail server does not offer SMTPUTF8")
        try:
            await self._announce(sender, recipient)
            await self._submit(message, call)
        except Refused:
            await self._forget()
            raise
        except ConnectionGone:
            self.leave()
            raise
        except TryLater:
            # a server may limit the letters of one connection: what this one refuses, a new one may accept
            if self._carried:
                self.leave()
            else:
                await self._forget()
            raise
        except BaseException:  # also a cancellation: no letter can use a half-finished session
            self.abort()
            raise
        self._carried += 1

    async def _announce(self, sender: str, recipient: str) -> None:
        """From MAIL to the server's go-ahead for DATA: nothing of the letter has been sent yet."""
        try:
            # not by the library's mail() and rcpt(), which would parse the checked addresses again
            options = b"" if recipient.isascii() else b" SMTPUTF8"
            said = await self._client.execute_command(b"MAIL FROM:<%b>%b" % (sender.encode(), options))
            if 400 <= said.code < 500:  # about the connection or the server: the recipient was not named yet
                raise ConnectionGone(f"{said.code} {said.message}")
            _go_on(said, 2)
            _go_on(await self._client.execute_command(b"RCPT TO:<%b>" % recipient.encode()), 2)
            _go_on(await self._client.execute_command(b"DATA"), 3)
        except SMTPResponseException as error:  # EHLO was refused, or the answer is not SMTP: not about this letter
            raise ConnectionGone(f"the mail server does not speak SMTP: {error.message}") from error
        except (SMTPException, OSError) as error:
            raise ConnectionGone(f"the connection was lost before the letter was sent: {error}") from error

    async def _submit(self, message: bytes, call: Handover) -> None:
        """Send the letter, then the dot. Until the dot is sent, the server must not deliver (RFC 5321, 4.1.1.4)."""
        protocol = self._client.protocol
        try:
            if protocol is None:
                raise SMTPServerDisconnected("Connection lost")
            # Without a buffer of our own, drained means that the kernel has all of it; only then is the dot sent.
            cast("asyncio.Transport", protocol.transport).set_write_buffer_limits(high=0)
            protocol.write(re.sub(rb"(?m)^\.", b"..", message))
            async with asyncio.timeout(self._patience):
                await protocol._drain_helper()
            if not protocol.is_connected:  # the server replied before the letter was complete
                raise SMTPServerDisconnected("Connection lost")
            call.leaving()
            protocol.write(b".\r\n")
        except (SMTPException, OSError) as error:
            # Abort, not close: a server whose connection breaks here drops what it has.
            self.abort()
            raise TryLater(f"the connection was lost before the letter was complete: {error}") from error
        try:
            answer = await protocol.read_response(timeout=self._patience)
        except (SMTPException, OSError) as error:
            raise Ambiguous(f"the mail server had the letter but did not answer: {error}") from error
        if answer.code >= 400:
            raise _answered(answer.code, answer.message)
        if not 200 <= answer.code < 300:
            raise Ambiguous(f"the mail server had the letter and answered {answer.code}")

    async def _forget(self) -> None:
        """Reset the session (RSET) for the next letter, or close the connection if that fails."""
        if not self.is_open:
            self.abort()
            return
        try:
            await self._client.rset()
        except (SMTPException, OSError):
            self.abort()

    def abort(self) -> None:
        """Close the connection without QUIT; unsent data is dropped."""
        transport = self._client.transport
        if transport is not None:
            cast("asyncio.Transport", transport).abort()
        self._client.close()

    def leave(self) -> None:
        """Send QUIT if the connection is open, and close it without waiting for the answer."""
        protocol = self._client.protocol
        if protocol is not None:
            with suppress(SMTPException, OSError):
                protocol.write(b"QUIT\r\n")
        self._client.close()

    async def close(self) -> None:
        """Send QUIT and close the connection."""
        with suppress(SMTPException, OSError):
            await self._client.quit(timeout=2)
        self._client.close()


def _go_on(said: SMTPResponse, kind: int) -> None:
    """Raises the error that the reply stands for, unless its first digit is the expected one."""
    if said.code // 100 == kind:
        return
    if said.code < 400:  # the server is out of step with the session
        raise SMTPResponseException(said.code, f"{said.code} {said.message}")
    raise _answered(said.code, said.message)


def _answered(code: int, message: str) -> Refused | TryLater:
    """The error for a refusal by the server: 5xx is permanent, 4xx temporary; 421 announces that it hangs up."""
    detail = f"{code} {message}"
    if code == _UNAVAILABLE:
        return ConnectionGone(detail)
    return Refused(detail) if code >= 500 else TryLater(detail, answered=not _OF_THE_SERVER.match(message))
