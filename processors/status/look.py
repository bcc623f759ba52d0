"""One look at everything: all are asked at once, each with a limit, and whatever answered by then is the picture."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

from aiokafka.errors import KafkaError

from processors.roles.certificates import certificates
from processors.roles.servers import KAFKA, MAIL, REDIS, REGISTRY, Answer, answered, asked, server_of
from processors.settings import Settings
from processors.status.brokers import Brokers, Positions
from processors.status.ops import COMPOSE, announced, ask_all, clock_off, prometheus_version
from processors.status.seen import Seen
from processors.view.redis_store import RedisViewStore
from streams.broker.answering import kafka_answers
from streams.clock import Clock, SystemClock
from streams.errors import SettingsError, Unavailable
from streams.registry.choice import registry_of
from streams.registry.subjects import compare_subjects, ids_of
from streams.secrets import without_credentials

T = TypeVar("T")

LIMIT = timedelta(seconds=1)
"""Whoever has not answered by then counts as away; with the start of the program, the whole takes less than two."""

_CLOSING = timedelta(milliseconds=100)
SERVERS = (KAFKA, REGISTRY, REDIS, MAIL)
_UNCERTAIN = "careline.outcome.OutreachUncertain"


async def look(
    settings: Settings,
    *,
    servers: Sequence[str] = SERVERS,
    ops: Sequence[str] = (),
    limit: timedelta = LIMIT,
    clock: Clock | None = None,
) -> Seen:
    """Ask these servers and the ops ports: those given, those that roles announced on this machine,
    CARELINE_OPS_PORT's, and docker-compose.yml's.

    Takes ``limit`` and a moment at most. Raises SettingsError for a setting that names no server at all.
    """
    if settings.memory_broker is not None or settings.memory_registry is not None:
        raise SettingsError(
            "CARELINE_KAFKA_BOOTSTRAP, CARELINE_REGISTRY_URL: one in memory is seen by no other process"
        )
    begun = time.monotonic()
    seen = Seen(at=(clock or SystemClock()).now(), prefix=settings.topic_prefix)
    one = _Look(settings, seen, limit)
    await one.whole(tuple(servers), ops)
    seen.took = timedelta(seconds=time.monotonic() - begun)
    return seen


class _Look:
    def __init__(self, settings: Settings, seen: Seen, limit: timedelta) -> None:
        self._settings = settings
        self._seen = seen
        self._limit = limit
        loop = asyncio.get_running_loop()
        self._uncertain: asyncio.Future[frozenset[int]] = loop.create_future()
        self._view: asyncio.Future[Positions] = loop.create_future()
        self._brokers = Brokers(settings, seen, within=limit)

    async def whole(self, servers: tuple[str, ...], ops: Sequence[str]) -> None:
        asking = {KAFKA: self._kafka, REGISTRY: self._registry, REDIS: self._redis, MAIL: self._mail}
        work = [asking[name]() for name in SERVERS if name in servers]
        if REGISTRY not in servers:
            _tell(self._uncertain, Unavailable("the registry is left out"))
        if REDIS not in servers:
            _tell(self._view, {})
        await asyncio.gather(*work, self._ops(ops), self._monitoring(), self._certificates(servers))
        self._seen.servers = {name: self._seen.servers[name] for name in SERVERS if name in servers}

    async def _kafka(self) -> None:
        async def ask() -> None:
            try:
                with kafka_answers(self._settings):
                    await self._brokers.ask(self._uncertain, self._view)
            finally:
                closing.append(asyncio.create_task(_at_most(self._brokers.close())))

        closing: list[asyncio.Task[None]] = []
        answer = await self._answer(KAFKA, ask, "Kafka", self._settings.kafka_bootstrap)
        await asyncio.gather(*closing)
        self._seen.servers[KAFKA] = self._answered_in_part(answer, self._brokers.answered_after, "brokers")

    async def _registry(self) -> None:
        registry = registry_of(self._settings)

        async def ask() -> None:
            topics = self._settings.topics
            ids = await ids_of(registry, topics.subject(topics.outcomes, _UNCERTAIN), _UNCERTAIN)
            _tell(self._uncertain, ids)
            answers.append(time.monotonic() - begun)
            self._seen.subjects = await compare_subjects(registry, topics)

        address = without_credentials(self._settings.registry_url)
        answers: list[float] = []
        begun = time.monotonic()
        answer = await self._answer(REGISTRY, ask, "the schema registry", address)
        _tell(self._uncertain, Unavailable("the registry is away, which tells the kinds of outcomes apart"))
        self._seen.servers[REGISTRY] = self._answered_in_part(answer, answers[0] if answers else None, "schemas")
        await _at_most(registry.close())

    async def _redis(self) -> None:
        store = RedisViewStore(self._settings)

        async def ask() -> None:
            before = time.time()
            positions, clock = await store.positions()
            self._seen.redis_clock_off = clock_off(clock, (before, time.time()))
            ours = {self._settings.topics.full_name(topic) for topic in self._settings.topics.all()}
            of_ours = {place: offset for place, offset in (positions or {}).items() if place[0] in ours}
            # a view of another prefix is not ours; one that was just begun has no position yet
            self._seen.view_built = positions is not None and len(of_ours) == len(positions)
            _tell(self._view, of_ours)

        self._seen.servers[REDIS] = await self._answer(REDIS, ask, "Redis", store.address)
        _tell(self._view, {})
        await _at_most(store.close())

    async def _answer(self, name: str, ask: Callable[[], Awaitable[None]], title: str, address: str) -> Answer:
        self._seen.addresses[name] = address
        return await answered(name, ask, title=title, address=address, within=self._limit)

    def _answered_in_part(self, answer: Answer, first: float | None, about: str) -> Answer:
        """A server that answers, but not everything in time, is not away. ``first``: seconds until it first did."""
        if first is None:
            return answer
        if answer.why is not None:
            self._seen.unknown[about] = answer.why
        return replace(answer, why=None, seconds=first)

    async def _mail(self) -> None:
        server = server_of(MAIL, self._settings)
        self._seen.addresses[MAIL] = server.address
        self._seen.servers[MAIL] = await asked(MAIL, server, within=self._limit)

    async def _ops(self, given: Sequence[str]) -> None:
        own = self._settings.ops_port
        told = announced(self._settings.ops_targets)
        urls = (*given, *told, *([f"http://127.0.0.1:{own}"] if own else []), *COMPOSE)
        self._seen.ops, self._seen.strangers = await ask_all(urls, seconds=self._limit.total_seconds())
        there = {one.url for one in self._seen.ops} | {one.url for one in self._seen.strangers}
        self._seen.vanished = tuple((role, url) for url, role in told.items() if url not in there)

    async def _monitoring(self) -> None:
        self._seen.prometheus = await prometheus_version(seconds=self._limit.total_seconds())

    async def _certificates(self, servers: tuple[str, ...]) -> None:
        self._seen.certificates = await certificates(self._settings, servers, within=self._limit)


def _tell(future: asyncio.Future[T], what: T | Unavailable) -> None:
    """Tell whoever waits for it, unless it was told, or they waited too long."""
    if future.done():
        return
    if isinstance(what, Unavailable):
        future.set_exception(what)
        future.exception()  # nobody may be waiting
    else:
        future.set_result(what)


async def _at_most(closing: Awaitable[None]) -> None:
    """Close, but do not wait for a server that is away."""
    with suppress(TimeoutError, OSError, KafkaError):
        async with asyncio.timeout(_CLOSING.total_seconds()):
            await closing
