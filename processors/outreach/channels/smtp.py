"""One conversation with a mail server, which knows at every moment whether the letter can have left."""

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
_OF_THE_SERVER = re.compile(r"4\.[34]\.")  # RFC 3463: of the mail system or the network, whoever the letter is for


class ConnectionGone(TryLater):
    """This connection takes no letter, and has not got this one; another may do at once."""


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
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:  # told without its words: they quote what may be a password
            raise SettingsError(
                "CARELINE_SMTP_URL: smtp://host or smtps://host is wanted, perhaps with a port"
            ) from None
        options = parse_qs(parts.query, keep_blank_values=True)
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname or parts.path not in ("", "/"):
            raise SettingsError("CARELINE_SMTP_URL: smtp://host or smtps://host is wanted")
        if set(options) - {"starttls"}:  # not named: after a ? in a password it is the rest of that
            raise SettingsError("CARELINE_SMTP_URL: there is no option but ?starttls")
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
        """Connect, encrypt and log in as ``server`` asks. ``timeout`` bounds each step, ``greeting`` the wait for the
        server's first word, ``patience`` for its last one on a letter; ``tls`` says whom to trust, the system's
        authorities if None. Raises TryLater."""
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
        """Good for another letter, as far as can be known without asking."""
        return self._client.is_connected

    @property
    def takes_utf8(self) -> bool:
        """Whether the server takes internationalised addresses (RFC 6531)."""
        return self._client.supports_extension("smtputf8")

    async def deliver(self, message: bytes, *, sender: str, recipient: str, call: Handover) -> None:
        """Hand over one message, telling ``call`` how far it is. Raises Refused, TryLater, ConnectionGone,
        Ambiguous or NotNow."""
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
            # one that has carried letters may take so many and no more: what it will not take now, another may later
            if self._carried:
                self.leave()
            else:
                await self._forget()
            raise
        except BaseException:  # also a cancelled task: half a conversation is of no use to the next letter
            self.abort()
            raise
        self._carried += 1

    async def _announce(self, sender: str, recipient: str) -> None:
        """From MAIL to the server's go-ahead for DATA: nothing of the letter has been sent yet."""
        try:
            # not by the library's own mail() and rcpt(), which parse the addresses once more: they are checked already
            options = b"" if recipient.isascii() else b" SMTPUTF8"
            said = await self._client.execute_command(b"MAIL FROM:<%b>%b" % (sender.encode(), options))
            if 400 <= said.code < 500:  # of the connection or the server: the letter's address was not named yet
                raise ConnectionGone(f"{said.code} {said.message}")
            _go_on(said, 2)
            _go_on(await self._client.execute_command(b"RCPT TO:<%b>" % recipient.encode()), 2)
            _go_on(await self._client.execute_command(b"DATA"), 3)
        except SMTPResponseException as error:  # EHLO was refused, or the answer is not SMTP: not this letter's fault
            raise ConnectionGone(f"the mail server does not speak SMTP: {error.message}") from error
        except (SMTPException, OSError) as error:
            raise ConnectionGone(f"the connection was lost before the letter was sent: {error}") from error

    async def _submit(self, message: bytes, call: Handover) -> None:
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
            if not protocol.is_connected:  # it spoke before the letter was complete, whatever it said
                raise SMTPServerDisconnected("Connection lost")
            call.leaving()
            protocol.write(b".\r\n")
        except (SMTPException, OSError) as error:
            # Not closed in good order: a server that gets an end of file here drops what it has.
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
        """Clear the server's envelope, so that the next letter starts afresh; or hang up if it can't be."""
        if not self.is_open:
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

    def leave(self) -> None:
        """Say goodbye, as far as there is somebody to say it to, and hang up without waiting for the answer."""
        protocol = self._client.protocol
        if protocol is not None:
            with suppress(SMTPException, OSError):
                protocol.write(b"QUIT\r\n")
        self._client.close()

    async def close(self) -> None:
        """Say goodbye and hang up."""
        with suppress(SMTPException, OSError):
            await self._client.quit(timeout=2)
        self._client.close()


def _go_on(said: SMTPResponse, kind: int) -> None:
    """Raises what the reply means, unless its first digit is the one that is waited for."""
    if said.code // 100 == kind:
        return
    if said.code < 400:  # the server is elsewhere in the conversation
        raise SMTPResponseException(said.code, f"{said.code} {said.message}")
    raise _answered(said.code, said.message)


def _answered(code: int, message: str) -> Refused | TryLater:
    """The server's own no: 5xx for good, 4xx for now, 421 because it is about to hang up."""
    detail = f"{code} {message}"
    if code == _UNAVAILABLE:
        return ConnectionGone(detail)
    return Refused(detail) if code >= 500 else TryLater(detail, answered=not _OF_THE_SERVER.match(message))
