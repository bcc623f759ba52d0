"""Reads a mail server's replies as RFC 5321 (4.2) defines them: three digits, followed by any bytes.

This replaces the one class in which aiosmtplib reads replies, its protocol. In aiosmtplib, a reply that is not UTF-8
becomes text that cannot be encoded, a second reply in the same packet is taken for the answer to the next command, and
``+25 OK`` is a valid code. Here replies are parsed as bytes and escaped, and anything but one reply to one command
closes the connection, because nothing after it could be understood.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any, cast

from aiosmtplib import (
    SMTP,
    SMTPConnectError,
    SMTPConnectResponseError,
    SMTPConnectTimeoutError,
    SMTPResponse,
    SMTPResponseException,
    SMTPServerDisconnected,
    SMTPTimeoutError,
)
from aiosmtplib.protocol import SMTPProtocol

from processors.outreach.recordable import recordable

_LINE = re.compile(rb"([2-5][0-9]{2})(?:(-)|(?![0-9]))")
_LONGEST_REPLY = 32 * 1024  # bytes; a real EHLO reply takes a few kilobytes
_MALFORMED = -1
_READY = 220


class Replies(SMTPProtocol):
    """Reads one reply to each command. The reply's text is printable, with lines separated by a line feed."""

    def data_received(self, data: bytes) -> None:
        """Bytes from the server."""
        waiter = self._response_waiter
        if waiter is None:
            return
        if not self._response_pending or waiter.done():  # no command waits: it would answer the next one
            self._hang_up()
            return
        self._buffer.extend(data)
        try:
            reply = self._read_response_from_buffer()
        except SMTPResponseException as malformed:
            self._set_response_exception(waiter, malformed)
            self._hang_up()
            return
        if reply is None:
            return
        waiter.set_result(reply)
        if self._buffer:
            self._hang_up()

    def _read_response_from_buffer(self) -> SMTPResponse | None:
        if len(self._buffer) > _LONGEST_REPLY:
            raise SMTPResponseException(_MALFORMED, f"a reply of more than {_LONGEST_REPLY} bytes")
        code, texts, offset = 0, [], 0
        while (end := self._buffer.find(b"\n", offset)) >= 0:
            line = bytes(self._buffer[offset:end]).rstrip(b"\r")
            offset = end + 1
            found = _LINE.match(line)
            if found is None:
                raise SMTPResponseException(_MALFORMED, f"not a reply: {recordable(line)}")
            if code and code // 100 != int(found[1]) // 100:
                raise SMTPResponseException(_MALFORMED, f"a reply with both {code} and {int(found[1])}")
            code = int(found[1])
            texts.append(recordable(line[4:], longest=len(line) * 4))
            if found[2] is None:
                del self._buffer[:offset]
                return SMTPResponse(code, "\n".join(texts))
        return None

    def _hang_up(self) -> None:
        del self._buffer[:]
        if self.transport is not None:
            cast("asyncio.Transport", self.transport).abort()


class Client(SMTP):
    """aiosmtplib's client with our protocol. The server's greeting has its own timeout (RFC 5321, 4.5.3.2.1)."""

    def __init__(self, *, greeting: float, **options: Any) -> None:
        """``greeting`` is its timeout in seconds; ``options`` are the library's."""
        super().__init__(**options)
        self._greeting = greeting

    async def _create_connection(self, timeout: float | None) -> SMTPResponse:
        loop = asyncio.get_running_loop()
        protocol = Replies(loop=loop, connection_lost_callback=self._on_connection_lost)
        host, port = self.hostname or "localhost", self.port or self._get_default_port()
        options: dict[str, Any] = {}
        if self.use_tls:
            options = {
                "ssl": await self._get_tls_context(),
                "server_hostname": host,
                "ssl_handshake_timeout": timeout,
            }
        place = f"{host} on port {port}"
        try:
            async with asyncio.timeout(timeout):
                self.transport, _ = await loop.create_connection(lambda: protocol, host, port, **options)
        except TimeoutError as error:
            raise SMTPConnectTimeoutError(f"timed out connecting to {place}") from error
        except OSError as error:
            raise SMTPConnectError(f"cannot connect to {place}: {error}") from error
        self.protocol = protocol
        try:
            greeting = await protocol.read_response(timeout=self._greeting)
        except SMTPServerDisconnected as error:
            raise SMTPConnectError(f"{place} hung up instead of greeting") from error
        except SMTPTimeoutError as error:
            raise SMTPConnectTimeoutError(f"{place} did not greet within {self._greeting:g} s") from error
        if greeting.code != _READY:
            raise SMTPConnectResponseError(greeting.code, greeting.message)
        return greeting
