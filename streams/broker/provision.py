"""Creates and changes topics to match the catalogue: first a plan, then the changes. Idempotent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum

from aiokafka.errors import BrokerResponseError, InvalidReplicationFactorError, KafkaError

from streams.broker.answering import kafka_unavailable
from streams.broker.choice import broker_of
from streams.broker.closing import closed
from streams.broker.contract import Admin, NewTopic
from streams.config import Settings
from streams.errors import RefusedByServer, SettingsError
from streams.registry.choice import registry_of
from streams.registry.subjects import apply_schemas
from streams.topics import Topic


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

    ``keep_history``: the setting of that name if None. Raises Unavailable, or RefusedByServer.
    """
    async with _admin(settings) as admin:
        return await compared_by(admin, settings, partitions=await admin.partitions(), keep_history=keep_history)


async def compared_by(
    admin: Admin, settings: Settings, *, partitions: Mapping[str, int], keep_history: bool | None = None
) -> TopicPlan:
    """:func:`plan_topics` by a client that is connected already. ``partitions``: their number, of all topics that
    exist. Raises KafkaError."""
    if keep_history is None:
        keep_history = settings.keep_history
    wanted = {settings.topics.full_name(topic): topic for topic in settings.topics.all()}
    configs = await admin.configs([name for name in wanted if name in partitions])
    return TopicPlan(
        settings=settings,
        changes=tuple(
            _compare(name, topic, settings.partitions, keep_history, partitions.get(name), configs.get(name, {}))
            for name, topic in wanted.items()
        ),
    )


async def apply_topics(plan: TopicPlan) -> None:
    """Carry out the plan; returns once the topics can be written to.

    Raises SettingsError if the plan has problems (then nothing was changed), RefusedByServer, or Unavailable.
    """
    if plan.problems:
        raise SettingsError("; ".join(plan.problems))
    missing = [change for change in plan.changes if change.status is TopicStatus.MISSING]
    differing = [change for change in plan.changes if change.status is TopicStatus.DIFFERS]
    async with _admin(plan.settings) as admin:
        if missing:
            await _create(admin, missing, plan.settings.replication)
        if differing:
            # This request replaces all that is set on a topic, so what others set goes with it.
            await admin.alter({change.topic: {**change.present, **change.config} for change in differing})


async def set_up(settings: Settings, *, keep_history: bool | None = None) -> None:
    """Register all schemas and create or change all topics, without asking. Idempotent.

    ``keep_history`` as in :func:`plan_topics`. Raises what :func:`apply_schemas` and :func:`plan_topics` raise.
    """
    registry = registry_of(settings)
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
    present: Mapping[str, tuple[str, bool]],
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
        present={key: value for key, (value, set_here) in present.items() if set_here},
        problem=problem,
    )


def _other_partitions(name: str, present: int, wanted: int) -> str:
    return (
        f"{name} has {present} partitions and CARELINE_PARTITIONS says {wanted}: another number would send customers' "
        f"keys to other partitions, away from their state. Set CARELINE_PARTITIONS={present}, or start over under "
        "another CARELINE_TOPIC_PREFIX"
    )


@asynccontextmanager
async def _admin(settings: Settings) -> AsyncIterator[Admin]:
    admin = broker_of(settings).admin("careline-provision")
    try:
        await admin.start()
        yield admin
    except (KafkaError, TimeoutError, OSError) as error:
        if isinstance(error, BrokerResponseError) and not error.retriable:
            raise RefusedByServer(f"Kafka at {settings.kafka_bootstrap}: {error}") from error
        raise kafka_unavailable(settings, error) from error
    finally:
        await closed(admin)


async def _create(admin: Admin, missing: list[TopicChange], replication: int) -> None:
    try:
        await admin.create(
            [
                NewTopic(name=change.topic, partitions=change.partitions, replication=replication, config=change.config)
                for change in missing
            ]
        )
    except InvalidReplicationFactorError as error:
        raise SettingsError(f"CARELINE_REPLICATION: {error.args[0]}") from error
