"""One conversation with a mail server, which knows at every moment whether the letter can have left."""

from __future__ import annotations

import asyncio
import re
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_address
from typing import Self, cast
from urllib.parse import parse_qs, unquote, urlsplit

from aiosmtplib import (
    SMTP,
    SMTPException,
    SMTPHeloError,
    SMTPResponseException,
    SMTPServerDisconnected,
)

from processors.outreach.errors import Ambiguous, Refused, TryLater
from streams.errors import SettingsError

_UNAVAILABLE = 421


class ConnectionGone(TryLater):
    """The server hung up before it was given the letter; another connection may do at once."""


def is_loopback(host: str) -> bool:
    """This machine itself: ``localhost`` or a loopback address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """Where mail is handed over."""

    host: str
    port: int
    tls: bool = False
    starttls: bool = False
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, url: str) -> Self:
        """``smtp://host[:25]``, ``smtp://user:password@host[:587]?starttls`` or ``smtps://...[:465]``.

        Raises SettingsError, without the URL as it may hold a password. A password is never sent in the clear to
        another machine.
        """
        parts = urlsplit(url)
        options = parse_qs(parts.query, keep_blank_values=True)
        try:
            port = parts.port
        except ValueError as error:
            raise SettingsError("CARELINE_SMTP_URL: the port is not one") from error
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname or parts.path not in ("", "/"):
            raise SettingsError("CARELINE_SMTP_URL: smtp://host or smtps://host is wanted")
        if unknown := set(options) - {"starttls"}:
            raise SettingsError(f"CARELINE_SMTP_URL: unknown option {sorted(unknown)[0]!r}; there is ?starttls")
        tls, starttls = parts.scheme == "smtps", "starttls" in options
        if tls and starttls:
            raise SettingsError("CARELINE_SMTP_URL: smtps:// is encrypted from the start, ?starttls does not fit")
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
    """One connection, on which letters are handed over one after another."""

    def __init__(self, *, client: SMTP, patience: timedelta) -> None:
        self._client = client
        self._patience = patience.total_seconds()

    @classmethod
    async def open(
        cls, server: MailServer, *, tls: ssl.SSLContext | None, timeout: timedelta, patience: timedelta
    ) -> Self:
        """Connect, encrypt and log in as ``server`` asks. ``timeout`` bounds each step, ``patience`` the server's
        last word on a letter; ``tls`` says whom to trust, the system's authorities if None. Raises TryLater."""
        client = SMTP(
            hostname=server.host,
            port=server.port,
            username=server.username,
            password=server.password,
            use_tls=server.tls,
            start_tls=server.starttls,
            tls_context=tls,
            timeout=timeout.total_seconds(),
        )
        try:
            await client.connect()
            if client.is_ehlo_or_helo_needed:
                try:
                    await client.ehlo()
                except SMTPHeloError:
                    await client.helo()
        except (SMTPException, OSError, ValueError) as error:
            client.close()
            raise TryLater(f"no connection to the mail server: {error}") from error
        return cls(client=client, patience=patience)

    @property
    def is_open(self) -> bool:
        """Good for another letter, as far as can be known without asking."""
        return self._client.is_connected

    async def deliver(self, message: bytes, *, sender: str, recipient: str) -> None:
        """Hand over one message. Raises Refused, TryLater, ConnectionGone or Ambiguous."""
        try:
            await self._announce(sender, recipient)
            await self._submit(message)
        except (Refused, TryLater) as error:
            await self._forget(broken=isinstance(error, ConnectionGone))
            raise
        except BaseException:  # also a cancelled task: half a conversation is of no use to the next letter
            self.abort()
            raise

    async def _announce(self, sender: str, recipient: str) -> None:
        """From MAIL to the server's go-ahead for DATA: nothing of the letter has been sent yet."""
        try:
            # not by the library's own mail() and rcpt(), which parse the addresses once more: they are checked already
            for command in (b"MAIL FROM:<%b>" % sender.encode(), b"RCPT TO:<%b>" % recipient.encode()):
                said = await self._client.execute_command(command)
                if not 200 <= said.code < 300:
                    raise _answered(said.code, said.message)
            go_ahead = await self._client.execute_command(b"DATA")
        except SMTPResponseException as error:  # EHLO was refused, or the answer is not SMTP: not this letter's fault
            raise ConnectionGone(f"the mail server does not speak SMTP: {error.message}") from error
        except (SMTPException, OSError) as error:
            raise ConnectionGone(f"the connection was lost before the letter was sent: {error}") from error
        if go_ahead.code != 354:
            raise _answered(go_ahead.code, go_ahead.message)

    async def _submit(self, message: bytes) -> None:
        """The letter, then the dot. Until the dot is written the server must not deliver (RFC 5321, 4.1.1.4)."""
        protocol = self._client.protocol
        try:
            if protocol is None:
                raise SMTPServerDisconnected("Connection lost")
            # With no buffer of our own, drained means that the kernel has it all: only then does the dot follow.
            cast("asyncio.Transport", protocol.transport).set_write_buffer_limits(high=0)
            protocol.write(re.sub(rb"(?m)^\.", b"..", message))
            async with asyncio.timeout(self._patience):
                await protocol._drain_helper()
            protocol.write(b".\r\n")
        except (SMTPException, OSError) as error:
            # Not closed in good order: a server that gets an end of file here drops what it has.
            self.abort()
            raise TryLater(f"the connection was lost before the letter was complete: {error}") from error
        try:
            answer = await protocol.read_response(timeout=self._patience)
        except (SMTPException, OSError) as error:
            raise Ambiguous(f"the mail server had the letter but did not answer: {error}") from error
        if 200 <= answer.code < 300:
            return
        if 400 <= answer.code < 600:
            raise _answered(answer.code, answer.message)
        raise Ambiguous(f"the mail server had the letter and answered {answer.code}")

    async def _forget(self, *, broken: bool) -> None:
        """Clear the server's envelope, so that the next letter starts afresh; or hang up if it can't be."""
        if broken or not self.is_open:
            self.abort()
            return
        try:
            await self._client.rset()
        except (SMTPException, OSError):
            self.abort()

    def abort(self) -> None:
        """Hang up without a word; what was not sent yet is not sent any more."""
        transport = self._client.transport
        if transport is not None:
            cast("asyncio.Transport", transport).abort()
        self._client.close()

    async def close(self) -> None:
        """Say goodbye and hang up."""
        with suppress(SMTPException, OSError):
            await self._client.quit(timeout=2)
        self._client.close()


def _answered(code: int, message: str) -> Refused | TryLater:
    """The server's own no: 5xx for good, 4xx for now, 421 because it is about to hang up."""
    detail = f"{code} {message}"
    if code == _UNAVAILABLE:
        return ConnectionGone(detail)
    return Refused(detail) if 500 <= code < 600 else TryLater(detail, answered=True)
