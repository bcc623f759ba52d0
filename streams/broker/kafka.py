"""Kafka by aiokafka: its clients as they are, with the settings that Careline relies on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

import aiokafka.admin
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import for_code

from streams.broker.contract import PATIENCE, Cluster, NewTopic
from streams.broker.fetched import AIOKafkaConsumer
from streams.config import Settings
from streams.durations import whole_millis
from streams.patience import until

_TRANSACTION_BATCH = 9 << 20  # one dead letter of the largest size has to fit
_PUBLISHED_BATCH = 256 * 1024
_MEMBER_FETCH = 4 << 20  # bytes of a partition at once
_SET_ON_TOPIC = 1  # a setting's source in Kafka's answer: the topic itself, not the broker or a default
_ALREADY_EXISTS = 36
_VISIBLE_WITHIN = timedelta(seconds=30)
"""The controller has done it; the brokers hear of it a moment later, and nobody is called back."""

_READ_COMMITTED = {"enable_auto_commit": False, "isolation_level": "read_committed"}


class KafkaProducer(AIOKafkaProducer):
    """aiokafka's producer, and how to be rid of what it holds. See :class:`~streams.broker.contract.Producer`."""

    def give_up(self, why: Exception) -> None:
        """Fail whatever is queued; aiokafka has no public way."""
        self._message_accumulator.fail_all(why)


class KafkaConsumer(AIOKafkaConsumer):
    """aiokafka's consumer, and a topic's partitions. See :class:`~streams.broker.contract.Consumer`."""

    async def partitions_of(self, topic: str) -> set[int]:
        """The topic's partitions; asks the brokers where a consumer without a group has asked for no metadata yet."""
        known = self.partitions_for_topic(topic)
        if not known:
            await self._client.set_topics([topic])
            known = self.partitions_for_topic(topic)
        return set(known or ())


class KafkaBroker:
    """The brokers that the settings name. See :class:`~streams.broker.contract.Broker`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def transactional(self, transactional_id: str, *, within: timedelta) -> KafkaProducer:
        """See :meth:`Broker.transactional`."""
        return KafkaProducer(
            **self._settings.kafka_client(),
            transactional_id=transactional_id,
            acks="all",
            linger_ms=0,  # batches are built whole: there is nothing to wait for
            compression_type="lz4",
            max_batch_size=_TRANSACTION_BATCH,
            max_request_size=_TRANSACTION_BATCH,
            transaction_timeout_ms=whole_millis(within),
        )

    def publishing(self, *, largest: int) -> KafkaProducer:
        """See :meth:`Broker.publishing`."""
        return KafkaProducer(
            **self._settings.kafka_client(),
            client_id="careline-publisher",
            enable_idempotence=True,
            acks="all",
            compression_type="lz4",
            linger_ms=5,  # so that events published side by side share a batch
            max_batch_size=_PUBLISHED_BATCH,
            max_request_size=largest,
        )

    def occasional(self, *, largest: int) -> KafkaProducer:
        """See :meth:`Broker.occasional`."""
        return KafkaProducer(
            **self._settings.kafka_client(), enable_idempotence=True, acks="all", max_request_size=largest
        )

    def reader(self, *, from_end: bool = False, fetch: int) -> KafkaConsumer:
        """See :meth:`Broker.reader`."""
        return KafkaConsumer(
            **self._settings.kafka_client(),
            **_READ_COMMITTED,
            client_id="careline-reader",
            auto_offset_reset="latest" if from_end else "earliest",
            max_partition_fetch_bytes=fetch,
        )

    def member(self, group: str, *, from_end: bool = False) -> KafkaConsumer:
        """See :meth:`Broker.member`."""
        return KafkaConsumer(
            **self._settings.kafka_client(),
            **_READ_COMMITTED,
            client_id="careline-subscriber",
            group_id=group,
            auto_offset_reset="latest" if from_end else "earliest",
            max_partition_fetch_bytes=_MEMBER_FETCH,
        )

    def lasting_member(self, group: str, *, instance: str, client: str) -> KafkaConsumer:
        """See :meth:`Broker.lasting_member`."""
        return KafkaConsumer(
            **self._settings.kafka_client(),
            **_READ_COMMITTED,
            client_id=client,
            group_id=group,
            group_instance_id=instance,
            auto_offset_reset="earliest",
            session_timeout_ms=10_000,  # a worker that is gone for longer loses its partitions to the others
            heartbeat_interval_ms=2_000,
            max_poll_interval_ms=600_000,  # a recovery takes as long as it takes
            max_partition_fetch_bytes=_MEMBER_FETCH,
        )

    def admin(self, client: str | None = None, *, within: timedelta = PATIENCE) -> KafkaAdmin:
        """See :meth:`Broker.admin`."""
        named = {} if client is None else {"client_id": client}
        timeout = whole_millis(within)
        return KafkaAdmin(AIOKafkaAdminClient(**self._settings.kafka_client(), **named, request_timeout_ms=timeout))


class KafkaAdmin:
    """aiokafka's admin client, its answers read. See :class:`~streams.broker.contract.Admin`."""

    def __init__(self, client: AIOKafkaAdminClient) -> None:
        self._client = client

    async def start(self) -> None:
        """See :meth:`Admin.start`."""
        await self._client.start()

    async def close(self) -> None:
        """See :meth:`Admin.close`."""
        await self._client.close()

    async def cluster(self) -> Cluster:
        """See :meth:`Admin.cluster`. aiokafka's own ``describe_cluster`` asks for every topic, too."""
        found = await self._client._get_cluster_metadata(topics=[])
        brokers = {broker[0]: f"{broker[1]}:{broker[2]}" for broker in found.brokers}
        return Cluster(brokers=brokers, controller=found.controller_id if found.controller_id in brokers else None)

    async def partitions(self, *names: str) -> dict[str, int]:
        """See :meth:`Admin.partitions`."""
        found = await self._client.describe_topics(list(names) or None)
        return {topic["topic"]: len(topic["partitions"]) for topic in found if not topic["error_code"]}

    async def configs(self, names: Iterable[str]) -> dict[str, dict[str, tuple[str, bool]]]:
        """See :meth:`Admin.configs`."""
        resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
        found: dict[str, dict[str, tuple[str, bool]]] = {}
        for response in await self._client.describe_configs(resources) if resources else ():
            for code, message, _, name, entries in response.resources:
                _raise_for(code, name, message)
                found[name] = {
                    entry[0]: (entry[1], entry[3] == _SET_ON_TOPIC) for entry in entries if entry[1] is not None
                }
        return found

    async def create(self, topics: Sequence[NewTopic]) -> None:
        """See :meth:`Admin.create`."""
        response = await self._client.create_topics(
            [
                aiokafka.admin.NewTopic(one.name, one.partitions, one.replication, topic_configs=dict(one.config))
                for one in topics
            ]
        )
        for name, code, message in response.topic_errors:
            if code != _ALREADY_EXISTS:  # somebody was faster; whether it is as wanted, the next plan says
                _raise_for(code, name, message)
        wanted = {one.name for one in topics}

        async def visible() -> bool:
            return wanted <= (await self.partitions()).keys()

        await until(visible, within=_VISIBLE_WITHIN)

    async def alter(self, configs: Mapping[str, Mapping[str, str]]) -> None:
        """See :meth:`Admin.alter`."""
        resources = [ConfigResource(ConfigResourceType.TOPIC, name, dict(some)) for name, some in configs.items()]
        for response in await self._client.alter_configs(resources):
            for code, message, _, name in response.resources:
                _raise_for(code, name, message)

        async def in_force() -> bool:
            found = await self.configs(configs)
            return all(
                found[name].get(key, ("",))[0] == value for name in configs for key, value in configs[name].items()
            )

        await until(in_force, within=_VISIBLE_WITHIN)

    async def committed(self, group: str, partition: TopicPartition) -> tuple[int, str] | None:
        """See :meth:`Admin.committed`."""
        found = (await self._client.list_consumer_group_offsets(group, partitions=[partition])).get(partition)
        return None if found is None or found.offset < 0 else (found.offset, found.metadata or "")


def _raise_for(code: int, name: str, message: str | None) -> None:
    if code:
        raise for_code(code)(f"{name}: {message}")
