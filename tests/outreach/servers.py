"""Real servers inside the test: a mail server and a webhook receiver that misbehave when told to."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, Self

from aiohttp import web
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from standardwebhooks import Webhook, WebhookVerificationError

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class _Dialogue(SMTP):  # type: ignore[misc]  # aiosmtpd carries no types
    """aiosmtpd, with a word in between."""

    async def smtp_MAIL(self, arg: str) -> None:  # noqa: N802
        if self.event_handler.follow("at-mail"):
            await self.push(self.event_handler.answer)
        elif self.event_handler.follow("drop-at-mail"):
            self.transport.abort()
        else:
            await super().smtp_MAIL(arg)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        sink: MailSink = self.event_handler
        if sink.follow("at-data"):
            await self.push(sink.answer)
        elif (drop := sink.follow("drop-in-body")) or sink.follow("stall-in-body"):
            await self.push("354 go ahead")
            self.transport.pause_reading()
            await asyncio.sleep(0.2)
            if drop:
                self.transport.abort()
            await sink.released.wait()
            self.transport.abort()
        else:
            await super().smtp_DATA(arg)


class MailSink:
    """A mail server. ``next`` holds what the coming letters meet, ``messages`` what was delivered.

    Behaviours: ``at-mail 421 bye``, ``at-rcpt 550 unknown``, ``at-data 451 busy``, ``after-dot 554 no`` (answers);
    ``drop-at-mail``, ``drop-in-body``, ``stall-in-body``; ``hang-after-dot``, ``drop-after-dot`` (delivered all
    the same, only the answer is lost).
    """

    def __init__(
        self,
        *,
        tls: ssl.SSLContext | None = None,
        starttls: bool = False,
        password: str | None = None,
        port: int = 0,
        utf8: bool = False,
    ):
        """``port`` 0 for any that is free; ``utf8``: it offers SMTPUTF8."""
        self.port = port
        self._utf8 = utf8
        self.next: deque[str] = deque()
        self.answer = ""
        self.messages: list[EmailMessage] = []
        self.raw: list[bytes] = []
        self.over_tls: list[bool] = []
        self.recipients: list[str] = []
        self.connections = 0
        self.delivered = asyncio.Event()
        self.released = asyncio.Event()
        self._tls = tls
        self._starttls = starttls
        self._password = password

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self.server = await loop.create_server(
            self._dialogue, "127.0.0.1", self.port, ssl=None if self._starttls else self._tls
        )
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.released.set()
        self.server.close()

    def _dialogue(self) -> _Dialogue:
        self.connections += 1
        options: dict[str, Any] = {"hostname": "localhost", "loop": asyncio.get_running_loop()}
        options["enable_SMTPUTF8"] = self._utf8
        if self._starttls:
            options |= {"tls_context": self._tls, "require_starttls": True}
        if self._password is not None:
            options |= {"authenticator": self._check, "auth_required": True, "auth_require_tls": False}
        return _Dialogue(self, data_size_limit=None, **options)

    def _check(self, server: object, session: object, envelope: object, mechanism: str, data: object) -> AuthResult:
        assert isinstance(data, LoginPassword)
        return AuthResult(success=data.password == (self._password or "").encode())

    def follow(self, behaviour: str) -> bool:
        """Whether this is what the current letter is to meet; if so it is used up."""
        if self.next and self.next[0].split(" ")[0] == behaviour:
            self.answer = self.next.popleft().partition(" ")[2]
            return True
        return False

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.follow("at-rcpt"):
            return self.answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.follow("after-dot"):
            return self.answer
        assert isinstance(envelope.content, bytes)
        self.raw.append(envelope.content)
        message = message_from_bytes(envelope.content, policy=default)
        assert isinstance(message, EmailMessage)
        self.messages.append(message)
        self.recipients += envelope.rcpt_tos
        self.over_tls.append(server.transport.get_extra_info("sslcontext") is not None)
        self.delivered.set()
        if self.follow("hang-after-dot"):
            await self.released.wait()
        if self.follow("drop-after-dot"):
            server.transport.abort()
        return "250 OK"


class RawMailServer:
    """A mail server that says exactly these bytes. ``says`` maps a verb (``hello``, ``EHLO``, ``MAIL``, ``RCPT``,
    ``DATA``, ``.``, ``RSET``, ``QUIT``, ``STARTTLS``, ``AUTH``, or ``body``: while the letter still comes) to what is
    sent for it; None hangs up, and ``most`` letters are taken on one connection. ``taken`` are those answered 250.
    """

    USUAL: Mapping[str, bytes] = {
        "hello": b"220 raw\r\n", "EHLO": b"250-raw\r\n250 AUTH PLAIN\r\n", "MAIL": b"250 ok\r\n", "RCPT": b"250 ok\r\n",
        "DATA": b"354 go ahead\r\n", ".": b"250 queued\r\n", "RSET": b"250 ok\r\n", "QUIT": b"221 bye\r\n",
        "AUTH": b"235 ok\r\n",
    }  # fmt: skip

    def __init__(self, *, most: int | None = None, full: bytes = b"450 enough\r\n", **says: bytes | None) -> None:
        self.says: dict[str, bytes | None] = {**self.USUAL, **says}
        self.connections = 0
        self.taken: list[bytes] = []
        self.greet_after = 0.0
        self.line = b""
        self._most = most
        self._full = full
        self._open: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        self.server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.server.close()
        for writer in self._open:
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._open.add(writer)
        with suppress(OSError, asyncio.IncompleteReadError):
            await self._converse(reader, writer)
        writer.close()
        self._open.discard(writer)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        letters = 0
        await asyncio.sleep(self.greet_after)
        if not self._say(writer, "hello"):
            return
        while line := await reader.readline():
            self.line = line
            verb = line.split(b" ")[0].strip().decode().upper()
            if verb == "MAIL" and letters == self._most:
                writer.write(self._full)
                continue
            if not self._say(writer, verb):
                return
            if verb == "DATA" and (self.says["DATA"] or b"").startswith(b"354"):
                if "body" in self.says:
                    await reader.readline()
                    self._say(writer, "body")
                letter = await reader.readuntil(b"\r\n.\r\n")
                letters += 1
                if (self.says["."] or b"").startswith(b"2"):
                    self.taken.append(letter)
                if not self._say(writer, "."):
                    return
            if verb == "QUIT":
                return

    def _say(self, writer: asyncio.StreamWriter, what: str) -> bool:
        said = self.says.get(what, b"502 what?\r\n")
        if said is None:
            return False
        writer.write(said)
        return True


class WebhookReceiver:
    """A receiver that checks the signature with the standard's own library and drops an id it has seen.

    ``next`` holds what the coming calls meet: ``410``, ``429 Retry-After: 7``, ``302``, or ``hang`` and ``drop``
    (both after it took the letter).
    """

    def __init__(self) -> None:
        self.next: deque[str] = deque()
        self.calls = 0
        self.seen: dict[str, Any] = {}
        self.bodies: list[bytes] = []
        self.hosts: list[str] = []
        self.released = asyncio.Event()

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{any:.*}", self._answer)
        self.runner = web.AppRunner(app, shutdown_timeout=0.2)
        await self.runner.setup()
        site = web.TCPSite(self.runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self.runner.addresses[0][1]}/hook"
        return self

    async def __aexit__(self, *_: object) -> None:
        self.released.set()
        await self.runner.cleanup()

    async def _answer(self, call: web.Request) -> web.Response:
        self.calls += 1
        body = await call.read()
        self.bodies.append(body)
        self.hosts.append(call.host)
        how, _, header = (self.next.popleft() if self.next else "204").partition(" ")
        headers = dict([header.split(": ", 1)]) if header else {}
        if how.isdigit() and how != "204":
            return web.Response(status=int(how), headers=headers)
        try:
            content = Webhook(SECRET).verify(body, dict(call.headers))
        except WebhookVerificationError as error:
            return web.Response(status=401, text=str(error))
        self.seen.setdefault(call.headers["webhook-id"], content)
        if how == "hang":
            await self.released.wait()
        if how == "drop" and call.transport is not None:
            call.transport.abort()
        return web.Response(status=204)


class MessageService:
    """A service for short messages, as Apprise's ``json://`` speaks to one. ``seen``: (recipient, message).

    ``next`` holds what the coming calls meet: a status as ``503``, or ``hang`` and ``drop`` (both after it took the
    message). ``seconds``: how long its callers wait for an answer.
    """

    def __init__(self, *, seconds: int = 1) -> None:
        self._seconds = seconds
        self.next: deque[str] = deque()
        self.calls = 0
        self.seen: list[tuple[str, str]] = []
        self.titles: list[str] = []
        self.released = asyncio.Event()

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/{recipient}", self._answer)
        self.runner = web.AppRunner(app, shutdown_timeout=0.2)
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", 0).start()
        self.apprise_url = f"json://127.0.0.1:{self.runner.addresses[0][1]}/{{address}}?rto={self._seconds}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self.released.set()
        await self.runner.cleanup()

    async def _answer(self, call: web.Request) -> web.Response:
        self.calls += 1
        said = await call.json()
        how = self.next.popleft() if self.next else "200"
        if how.isdigit() and how != "200":
            return web.Response(status=int(how))
        self.seen.append((call.match_info["recipient"], said["message"]))
        self.titles.append(said["title"])
        if how == "hang":
            await self.released.wait()
        if how == "drop" and call.transport is not None:
            call.transport.abort()
        return web.Response(status=200)
