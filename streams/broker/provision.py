"""Creates and changes topics to match the catalogue: first a plan, then the changes. Idempotent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import BrokerResponseError, KafkaError, for_code

from streams.broker.closing import closed
from streams.config import Settings
from streams.errors import Refused, SettingsError, Unavailable
from streams.registry.registry import ConfluentRegistry
from streams.registry.subjects import apply_schemas
from streams.topics import Topic

_SET_ON_TOPIC = 1  # the source of a setting in Kafka's answer: the topic itself, not the broker or a default
_ALREADY_EXISTS = 36
_BAD_REPLICATION = 38
_VISIBLE_WITHIN_S = 30.0


class TopicStatus(StrEnum):
    """How a topic on the broker compares with the catalogue."""

    SAME = "same"
    MISSING = "missing"
    DIFFERS = "differs"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicChange:
    """One topic: its present and its intended settings."""

    topic: str
    """Its name on the broker."""
    status: TopicStatus
    partitions: int
    """The intended number of partitions."""
    config: Mapping[str, str]
    """All intended settings, by Kafka's names."""
    differences: Mapping[str, tuple[str | None, str]]
    """By setting: the present value (None if unknown) and the intended one."""
    present: Mapping[str, str]
    """All settings made on the topic itself; those that others made are kept."""
    problem: str | None = None
    """Why the topic cannot be changed to match."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicPlan:
    """What :func:`apply_topics` would do."""

    settings: Settings
    changes: tuple[TopicChange, ...]

    @property
    def pending(self) -> tuple[TopicChange, ...]:
        """The changes still to be made; () if the broker matches the catalogue."""
        return tuple(change for change in self.changes if change.status is not TopicStatus.SAME)

    @property
    def problems(self) -> tuple[str, ...]:
        """Why the plan cannot be carried out."""
        return tuple(change.problem for change in self.changes if change.problem is not None)


async def plan_topics(settings: Settings, *, keep_history: bool | None = None) -> TopicPlan:
    """Compare the broker with the catalogue, without changing anything.

    ``keep_history``: the setting of that name if None. Raises Unavailable, or Refused by the broker.
    """
    if keep_history is None:
        keep_history = settings.keep_history
    wanted = {settings.topics.full_name(topic): topic for topic in settings.topics.all()}
    async with _admin(settings) as admin:
        partitions = await _partitions(admin)
        configs = await _configs(admin, [name for name in wanted if name in partitions])
    return TopicPlan(
        settings=settings,
        changes=tuple(
            _compare(name, topic, settings.partitions, keep_history, partitions.get(name), configs.get(name, {}))
            for name, topic in wanted.items()
        ),
    )


async def apply_topics(plan: TopicPlan) -> None:
    """Carry out the plan; returns once the topics can be written to.

    Raises SettingsError if the plan has problems (then nothing was changed), Refused, or Unavailable.
    """
    if plan.problems:
        raise SettingsError("; ".join(plan.problems))
    missing = [change for change in plan.changes if change.status is TopicStatus.MISSING]
    differing = [change for change in plan.changes if change.status is TopicStatus.DIFFERS]
    async with _admin(plan.settings) as admin:
        if missing:
            await _create(admin, missing, plan.settings.replication)
        if differing:
            await _alter(admin, differing)


async def set_up(settings: Settings, *, keep_history: bool | None = None) -> None:
    """Register all schemas and create or change all topics, without asking. Idempotent.

    ``keep_history`` as in :func:`plan_topics`. Raises what :func:`apply_schemas` and :func:`plan_topics` raise.
    """
    registry = ConfluentRegistry(settings)
    try:
        await apply_schemas(registry, settings.topics)
    finally:
        await registry.close()
    await apply_topics(await plan_topics(settings, keep_history=keep_history))


def _compare(
    name: str,
    topic: Topic,
    partitions: int,
    keep_history: bool,
    present_partitions: int | None,
    present: Mapping[str, tuple[str, int]],
) -> TopicChange:
    config = topic.config(keep_history=keep_history)
    if present_partitions is None:
        status, problem = TopicStatus.MISSING, None
    elif present_partitions != partitions:
        status, problem = TopicStatus.REFUSED, _other_partitions(name, present_partitions, partitions)
    else:
        same = all(key in present and present[key][0] == value for key, value in config.items())
        status, problem = TopicStatus.SAME if same else TopicStatus.DIFFERS, None
    return TopicChange(
        topic=name,
        status=status,
        partitions=partitions,
        config=config,
        differences={}
        if status is TopicStatus.MISSING
        else {
            key: (present[key][0] if key in present else None, value)
            for key, value in config.items()
            if key not in present or present[key][0] != value
        },
        present={key: value for key, (value, source) in present.items() if source == _SET_ON_TOPIC},
        problem=problem,
    )


def _other_partitions(name: str, present: int, wanted: int) -> str:
    return (
        f"{name} has {present} partitions and CARELINE_PARTITIONS says {wanted}: another number would send customers' "
        f"keys to other partitions, away from their state. Set CARELINE_PARTITIONS={present}, or start over under "
        "another CARELINE_TOPIC_PREFIX"
    )


@asynccontextmanager
async def _admin(settings: Settings) -> AsyncIterator[Any]:
    admin = AIOKafkaAdminClient(**settings.kafka_client(), client_id="careline-provision", request_timeout_ms=30_000)
    try:
        await admin.start()
        yield admin
    except (KafkaError, TimeoutError, OSError) as error:
        what = f"Kafka at {settings.kafka_bootstrap}: {type(error).__name__}: {error}"
        if isinstance(error, BrokerResponseError) and not error.retriable:
            raise Refused(what) from error
        raise Unavailable(what) from error
    finally:
        await closed(admin)


async def _partitions(admin: Any) -> dict[str, int]:
    """The number of partitions of each existing topic."""
    return {topic["topic"]: len(topic["partitions"]) for topic in await admin.describe_topics()}


async def _configs(admin: Any, names: Iterable[str]) -> dict[str, dict[str, tuple[str, int]]]:
    """By topic and setting: the effective value and its source."""
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    found: dict[str, dict[str, tuple[str, int]]] = {}
    for response in await admin.describe_configs(resources) if resources else ():
        for code, message, _, name, entries in response.resources:
            _raise_for(code, name, message)
            found[name] = {entry[0]: (entry[1], entry[3]) for entry in entries if entry[1] is not None}
    return found


async def _create(admin: Any, missing: list[TopicChange], replication: int) -> None:
    topics = [
        NewTopic(change.topic, change.partitions, replication, topic_configs=dict(change.config)) for change in missing
    ]
    response = await admin.create_topics(topics)
    for name, code, message in response.topic_errors:
        if code == _BAD_REPLICATION:
            raise SettingsError(f"CARELINE_REPLICATION: {name}: {message}")
        if code != _ALREADY_EXISTS:  # somebody created it meanwhile; the next plan compares it
            _raise_for(code, name, message)
    wanted = {change.topic for change in missing}

    async def visible() -> bool:
        return wanted <= (await _partitions(admin)).keys()

    await _until(visible)


async def _alter(admin: Any, differing: list[TopicChange]) -> None:
    # This request replaces all settings of a topic, so those that others made are sent again.
    resources = [
        ConfigResource(ConfigResourceType.TOPIC, change.topic, {**change.present, **change.config})
        for change in differing
    ]
    for response in await admin.alter_configs(resources):
        for code, message, _, name in response.resources:
            _raise_for(code, name, message)

    async def in_force() -> bool:
        found = await _configs(admin, [change.topic for change in differing])
        return all(found[change.topic][key][0] == value for change in differing for key, value in change.config.items())

    await _until(in_force)


async def _until(done: Callable[[], Awaitable[bool]]) -> None:
    # The controller has applied the change, the brokers learn of it a moment later, and there is no notification.
    async with asyncio.timeout(_VISIBLE_WITHIN_S):
        while not await done():  # noqa: ASYNC110
            await asyncio.sleep(0.05)


def _raise_for(code: int, name: str, message: str | None) -> None:
    if code:
        raise for_code(code)(f"{name}: {message}")
