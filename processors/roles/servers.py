"""Asks a server whether it answers, each in its own protocol and within a limit: Kafka, the schema registry, Redis,
the mail server. Asking changes nothing and sends nothing to a customer."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any, Protocol

from aiokafka.errors import KafkaError

from processors.settings import Settings
from streams.broker.answering import kafka_answers
from streams.broker.choice import broker_of
from streams.broker.closing import closed
from streams.broker.contract import Admin
from streams.errors import Unavailable
from streams.registry.choice import registry_of
from streams.secrets import without_credentials

KAFKA, REGISTRY, REDIS, MAIL = "kafka", "registry", "redis", "mail"

LIMIT = timedelta(seconds=2)
"""A server that has not answered by then counts as away."""

_ASKING: ContextVar[bool] = ContextVar("asking", default=False)


class _Unheard(logging.Filter):
    """aiokafka logs each failed connection as an error; here the answer says it, and whoever asks logs the change."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not _ASKING.get()


for _logger in ("aiokafka", "aiokafka.conn", "aiokafka.admin.client"):
    logging.getLogger(_logger).addFilter(_Unheard())


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of asking ``server``. ``seconds``: how long it took; ``why`` it is away, None if it answered."""

    server: str
    seconds: float
    why: str | None = None

    @property
    def up(self) -> bool:
        """Whether it answered as it should."""
        return self.why is None


class Server(Protocol):
    """A server that can be asked again and again, one time after the other. It keeps its connection if it can."""

    title: str
    """Its kind, such as Kafka."""
    address: str
    """Without credentials."""

    async def ask(self) -> None:
        """Returns when it has answered. Raises Unavailable or SettingsError; nothing is left open if cancelled."""
        ...

    async def close(self) -> None:
        """Disconnect. It may be asked again."""
        ...


def server_of(name: str, settings: Settings) -> Server:
    """The server of that name. Raises SettingsError if its address is not valid."""
    return _SERVERS[name](settings)


async def asked(name: str, server: Server, *, within: timedelta = LIMIT) -> Answer:
    """Ask once. Never raises: whatever goes wrong is the reason in the answer."""
    return await answered(name, server.ask, title=server.title, address=server.address, within=within)


async def answered(
    name: str, call: Callable[[], Awaitable[None]], *, title: str, address: str, within: timedelta = LIMIT
) -> Answer:
    """What became of a call to the server of that name, which is a ``title`` at ``address``. Never raises."""
    begun = time.perf_counter()  # finer than the event loop's own clock
    token = _ASKING.set(True)
    try:
        async with asyncio.timeout(within.total_seconds()):
            await call()
        why = None
    except TimeoutError:
        why = str(Unavailable.of(title, address, f"nothing within {within.total_seconds():g} s"))
    except Exception as error:  # the edge: a fault in asking must not end the role that asks
        why = str(error) or type(error).__name__
    finally:
        _ASKING.reset(token)
    return Answer(server=name, seconds=time.perf_counter() - begun, why=why)


class _Kafka:
    title = "Kafka"

    def __init__(self, settings: Settings) -> None:
        self.address = settings.kafka_bootstrap
        self._settings = settings
        self._admin: Admin | None = None

    async def ask(self) -> None:
        """A broker names the brokers. If the connected one has gone, any other that is named may answer instead."""
        with kafka_answers(self._settings):
            if self._admin is not None:
                try:
                    return await self._asked(self._admin)
                except KafkaError:
                    await self.close()
                except BaseException:
                    await self.close()
                    raise
            # its own timeout is shorter, so that it gives up by itself and leaves nothing open
            self._admin = broker_of(self._settings).admin("careline-probe", within=LIMIT / 2)
            try:
                await self._admin.start()
                await self._asked(self._admin)
            except BaseException:
                await self.close()
                raise

    async def _asked(self, admin: Admin) -> None:
        if not (await admin.cluster()).brokers:
            raise Unavailable.says(self.title, self.address, "it answers, but has no broker yet")

    async def close(self) -> None:
        """See :meth:`Server.close`."""
        admin, self._admin = self._admin, None
        if admin is not None:
            with suppress(KafkaError):
                await closed(admin)


class _Registry:
    title = "the schema registry"

    def __init__(self, settings: Settings) -> None:
        self.address = without_credentials(settings.registry_url)
        self._registry = registry_of(settings)
        self._subject = settings.topics.subjects()[0][0]

    async def ask(self) -> None:
        """It lists the versions of a subject of ours, which every role may read; there may be none."""
        await self._registry.versions(self._subject)

    async def close(self) -> None:
        """See :meth:`Server.close`."""
        await self._registry.close()


class _Redis:
    title = "Redis"

    def __init__(self, settings: Settings) -> None:
        from processors.view.redis_client import answering, client_of

        client, self.address = client_of(settings, connect=LIMIT, answer=LIMIT)
        self._client: Any = client
        self._answering = partial(answering, self.address, settings)

    async def ask(self) -> None:
        """It answers PING."""
        async with self._answering():
            await self._client.ping()

    async def close(self) -> None:
        """See :meth:`Server.close`."""
        await self._client.aclose()


class _Mail:
    title = "the mail server"

    def __init__(self, settings: Settings) -> None:
        from processors.outreach.channels.smtp import MailServer

        server = MailServer.parse(settings.smtp_url.get_secret_value())
        self.address = f"{server.host}:{server.port}"
        # no login: a wrong password shows in letters that fail, and asking often must not lock the account
        self._server = replace(server, username=None, password=None)

    async def ask(self) -> None:
        """It greets and answers EHLO, encrypted if letters are. A new session each time: letters need one, too."""
        from processors.outreach.channels.smtp import Conversation
        from processors.outreach.errors import TryLater

        try:
            session = await Conversation.open(self._server, tls=None, timeout=LIMIT, greeting=LIMIT, patience=LIMIT)
        except TryLater as error:
            raise Unavailable.of(self.title, self.address, error) from error
        session.leave()

    async def close(self) -> None:
        """See :meth:`Server.close`: nothing is kept."""


_SERVERS: Mapping[str, type[_Kafka | _Registry | _Redis | _Mail]] = {
    KAFKA: _Kafka,
    REGISTRY: _Registry,
    REDIS: _Redis,
    MAIL: _Mail,
}
