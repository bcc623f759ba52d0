"""Asks the servers that a role uses whether they answer, beside its work, and shows it as metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Self

import structlog

from processors.roles import metrics
from processors.roles.certificates import certificates, soonest
from processors.roles.servers import LIMIT, Answer, Server, asked, server_of
from processors.settings import Settings
from streams.errors import SettingsError

log = structlog.get_logger()

EVERY = timedelta(seconds=5)
CERTIFICATES_EVERY = timedelta(hours=1)
_BUSY = 0.25
"""Seconds by which an answer may be late before it is our own process that was."""
_CERTIFICATES_AGAIN = timedelta(minutes=1)


class Dependencies:
    """Asks for as long as the block lasts: each server by itself, so one that hangs keeps no other waiting.

    A server is asked again only when the last question has ended, so one that hangs costs one question at a time. What
    fails here is logged and never reaches the role.
    """

    def __init__(
        self,
        role: str,
        servers: Sequence[str],
        settings: Settings,
        *,
        every: timedelta = EVERY,
        limit: timedelta = LIMIT,
        certificates_every: timedelta = CERTIFICATES_EVERY,
    ) -> None:
        """``servers``: as :mod:`processors.roles.servers` names them; each is asked ``every`` so often, and has
        ``limit`` to answer."""
        self._role = role
        self._servers = tuple(servers)
        self._settings = settings
        self._every = every.total_seconds()
        self._limit = limit
        self._certificates_every = certificates_every
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._ask(name)) for name in self._servers]
        self._tasks.append(asyncio.create_task(self._read_certificates()))
        return self

    async def __aexit__(self, *exc: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks, timeout=self._limit.total_seconds())
        self._tasks = []

    async def _ask(self, name: str) -> None:
        try:
            server = server_of(name, self._settings)
        except SettingsError as error:  # the role itself ends with it, if it needs the server
            log.warning("server_away", server=name, error=error)
            self._show(Answer(server=name, seconds=0, why=str(error)))
            return
        try:
            await self._ask_again(name, server)
        finally:
            with suppress(Exception):
                await server.close()

    async def _ask_again(self, name: str, server: Server) -> None:
        loop = asyncio.get_running_loop()
        up = True
        while True:
            begun = loop.time()
            answer = await asked(name, server, within=self._limit)
            if not answer.up and answer.seconds > self._limit.total_seconds() + _BUSY:
                # this process had no time to look at the answer, as while it starts: that is not the server's fault
                answer = await asked(name, server, within=self._limit)
            self._show(answer)
            if answer.up != up:
                up = answer.up
                if answer.up:
                    log.info("server_back", server=name)
                else:
                    log.warning("server_away", server=name, why=answer.why)
            await asyncio.sleep(max(0.0, begun + self._every - loop.time()))

    def _show(self, answer: Answer) -> None:
        labels = {"role": self._role, "dependency": answer.server}
        metrics.DEPENDENCY_UP.labels(**labels).set(answer.up)
        metrics.DEPENDENCY_SECONDS.labels(**labels).set(answer.seconds)

    async def _read_certificates(self) -> None:
        told: set[str] = set()
        while True:
            try:
                found = await certificates(self._settings, self._servers)
            except Exception as error:  # a setting that cannot be read: the role says so itself
                log.warning("certificates_not_read", error=error)
                return
            if not found:  # no TLS
                return
            for endpoint, ends in soonest(found).items():
                metrics.CERTIFICATE_EXPIRY.labels(role=self._role, endpoint=endpoint).set(ends.timestamp())
            unread = {f"{one.endpoint} at {one.address}: {one.why}" for one in found if one.why is not None}
            for one in sorted(unread - told):
                log.warning("certificate_not_read", why=one)
            told = unread
            await asyncio.sleep((_CERTIFICATES_AGAIN if unread else self._certificates_every).total_seconds())
