"""The topics the tables are kept in: made before the app starts, dropped when everything is to be counted again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import (
    CommitFailedError,
    TopicAlreadyExistsError,
    UnknownMemberIdError,
    UnknownTopicOrPartitionError,
    for_code,
)

from processors.measure.app import app_id, changelogs
from streams.broker.answering import kafka_answers
from streams.broker.closing import closed
from streams.broker.fetched import AIOKafkaConsumer
from streams.config import Settings
from streams.errors import Unavailable
from streams.patience import until

_PATIENCE = timedelta(seconds=30)


async def declare(settings: Settings) -> None:
    """Make the changelog topics that are missing, and wait until the broker knows their partitions.

    Faust makes them itself while it starts, but then takes the group's first picture of them at times before the broker
    has one, and its agents fail. Raises Unavailable.
    """
    with kafka_answers(settings):
        admin = AIOKafkaAdminClient(**settings.kafka_client())
        await admin.start()
        try:
            wanted = [
                NewTopic(name, settings.partitions, settings.replication, topic_configs={"cleanup.policy": "compact"})
                for name in changelogs(settings)
            ]
            missing = [topic for topic in wanted if topic.name not in set(await admin.list_topics())]
            if missing:
                response = await admin.create_topics(missing)
                for _, code, *_ in response.topic_errors:
                    if code and code != TopicAlreadyExistsError.errno:
                        raise for_code(code)()
            await _until(admin, settings, lambda found: all(found.get(name) for name in changelogs(settings)))
        finally:
            await closed(admin)


async def forget(settings: Settings) -> None:
    """Forget what was measured, so that the role's next start counts everything that the topics still have.

    To be called while no measure role runs. Raises Unavailable if one does, or if Kafka does not answer.
    """
    with kafka_answers(settings):
        await _go_back(settings)
        await _drop_tables(settings)


async def _go_back(settings: Settings) -> None:
    topics = settings.topics
    names = [topics.full_name(topic) for topic in (topics.decisions, topics.outcomes, topics.touchpoints)]
    consumer = AIOKafkaConsumer(**settings.kafka_client(), group_id=app_id(settings), enable_auto_commit=False)
    await consumer.start()
    try:
        partitions = [TopicPartition(name, number) for name in names for number in range(settings.partitions)]
        consumer.assign(partitions)
        # the broker takes offsets from outside of a group only while it has no members
        await consumer.commit(await consumer.beginning_offsets(partitions))
    except (CommitFailedError, UnknownMemberIdError) as error:
        raise Unavailable("a measure role is running; stop it before its tables are forgotten") from error
    finally:
        await closed(consumer)


async def _drop_tables(settings: Settings) -> None:
    admin = AIOKafkaAdminClient(**settings.kafka_client())
    await admin.start()
    try:
        ours = set(changelogs(settings))
        existing = ours & set(await admin.list_topics())
        if existing:
            response = await admin.delete_topics(sorted(existing))
            for _, code, *_ in response.topic_error_codes:
                if code and code != UnknownTopicOrPartitionError.errno:
                    raise for_code(code)()
        await _until(admin, settings, lambda found: not any(found.get(name) for name in ours))
    finally:
        await closed(admin)


async def _until(admin: Any, settings: Settings, met: Callable[[dict[str, int]], bool]) -> None:
    """Wait for what takes effect a moment later; ``met`` is given each existing changelog's number of partitions."""

    async def seen() -> bool:
        described = await admin.describe_topics()  # all: asking for one that is missing may create it
        return met({one["topic"]: len(one["partitions"]) for one in described})

    try:
        await until(seen, within=_PATIENCE)
    except TimeoutError as error:
        what = "the changelog topics are not as they should be"
        raise Unavailable.says("Kafka", settings.kafka_bootstrap, what) from error
