"""The providers of a drive: real servers on loopback that record every call, and fail at random."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from email import message_from_bytes
from pathlib import Path
from typing import Protocol

from aiohttp import web
from aiosmtpd.smtp import SMTP, Envelope, Session
from standardwebhooks import Webhook

from deploy.local.mail_sink import MailSink, Mode, set_mode
from streams.events import OutreachRequested
from tests.live.outreach import OUTREACH_HEADER, mailbox

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@dataclass(frozen=True, slots=True)
class Call:
    """One letter that reached a provider completely. ``key``: the provider's key for recognising it, None if none."""

    outreach_id: str
    key: str | None
    body: bytes


class Provider(Protocol):
    """``calls`` has all calls in order, including refused ones."""

    calls: list[Call]

    def shown(self, requests: Sequence[OutreachRequested]) -> Counter[str]:
        """How often each outreach was put before its customer."""


class Receiver:
    """A webhook receiver. Idempotent: it shows a ``webhook-id`` once, with the content of the first call.

    Unless it is ``calm``, one call in ten fails: 503 and not accepted, accepted but disconnected, not accepted and
    disconnected, or slow.
    """

    def __init__(self, *, idempotent: bool, calm: bool, rng: random.Random) -> None:
        self.calls: list[Call] = []
        self.url = ""
        self._idempotent = idempotent
        self._calm = calm
        self._rng = rng
        self._seen: dict[str, bytes] = {}
        self._shown: Counter[str] = Counter()

    def shown(self, requests: Sequence[OutreachRequested]) -> Counter[str]:
        """How often each outreach was put before its customer."""
        return self._shown

    async def answer(self, call: web.Request) -> web.Response:
        """Accept a letter, or not."""
        body = await call.read()
        Webhook(SECRET).verify(body, dict(call.headers))
        letter = Call(json.loads(body)["data"]["outreach_id"], call.headers["webhook-id"], body)
        self.calls.append(letter)
        trouble = 0.5 if self._calm else self._rng.random()
        if trouble < 0.03:
            return web.Response(status=503)
        if trouble >= 0.05:
            self._take(letter)
        if trouble < 0.08 and call.transport is not None:
            call.transport.abort()
        if trouble > 0.98:
            await asyncio.sleep(0.5)
        return web.Response(status=204)

    def _take(self, letter: Call) -> None:
        if (
            self._idempotent
            and letter.key is not None
            and self._seen.setdefault(letter.key, letter.body) == letter.body
        ):
            self._shown[letter.outreach_id] = 1
        else:
            self._shown[letter.outreach_id] += 1


@asynccontextmanager
async def receiver(*, idempotent: bool, seed: int, calm: bool = False) -> AsyncIterator[Receiver]:
    """A receiver for the duration of the block."""
    made = Receiver(idempotent=idempotent, calm=calm, rng=random.Random(seed))
    app = web.Application()
    app.router.add_post("/hook", made.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.5, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
        yield made
    finally:
        await runner.cleanup()


class MailServer(MailSink):
    """The stack's mail sink, in the drive's process, recording every letter that it received."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.calls: list[Call] = []
        self.url = ""
        self._mailbox = directory

    def shown(self, requests: Sequence[OutreachRequested]) -> Counter[str]:
        """How often each outreach is in the mailbox."""
        return Counter(letter.outreach_id for letter in mailbox(self._mailbox, of=requests))

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Record it, then behave like the sink."""
        content = envelope.original_content or b""
        self.calls.append(Call(str(message_from_bytes(content)[OUTREACH_HEADER]), None, content))
        return await super().handle_DATA(server, session, envelope)


@asynccontextmanager
async def mail_server(directory: Path, *, trouble: Mode, seed: int) -> AsyncIterator[MailServer]:
    """A mail server for the duration of the block; :func:`_troubled` sets it to ``trouble`` now and then."""
    made = MailServer(directory)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(made, hostname="localhost", enable_SMTPUTF8=True, loop=loop), "127.0.0.1", 0
    )
    made.url = f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    switching = asyncio.create_task(_troubled(directory, trouble, random.Random(seed)))
    try:
        yield made
    finally:
        switching.cancel()
        with suppress(asyncio.CancelledError):
            await switching
        server.close()


async def _troubled(directory: Path, trouble: Mode, rng: random.Random) -> None:
    """Healthy for a second or two, then failing for about one; one refusal in four is permanent."""
    while True:
        set_mode(directory, Mode.OK)
        await asyncio.sleep(rng.uniform(1, 2))
        set_mode(directory, trouble, code=rng.choice((451, 451, 452, 554)) if trouble is Mode.REFUSE else None)
        await asyncio.sleep(rng.uniform(0.5, 1.2))
