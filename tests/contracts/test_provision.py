"""Setting up topics and schemas: first the difference, then the change, and the second time nothing."""

from __future__ import annotations

import asyncio
import copy
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

import schemas
from streams.broker.provision import TopicStatus, apply_topics, plan_topics
from streams.config import Settings
from streams.errors import IncompatibleSchema, SettingsError, Unavailable
from streams.registry.registry import FULL_TRANSITIVE, InMemoryRegistry, Registry
from streams.registry.subjects import apply_schemas, find_strangers
from streams.topics import Topics
from tests.contracts.words import without_words


@pytest.fixture
async def admin(live_env: dict[str, str]) -> AsyncIterator[Any]:
    client = AIOKafkaAdminClient(**Settings.from_environment(live_env).kafka_client())
    await client.start()
    yield client
    await client.close()


@pytest.fixture
async def fresh(live_env: dict[str, str], admin: Any) -> AsyncIterator[Settings]:
    """The running stack, under a prefix nobody used yet; its topics are gone afterwards."""
    fresh = Settings.from_environment({**live_env, "CARELINE_PARTITIONS": "3"})
    yield fresh
    if left := [topic for topic in await admin.list_topics() if topic.startswith(fresh.topic_prefix)]:
        await admin.delete_topics(left)


def _with(settings: Settings, **changes: Any) -> Settings:
    # not model_copy: that takes what the original remembers of its topics along
    return Settings.model_validate({**settings.model_dump(), **changes})


async def _settings_of(admin: Any, topic: str) -> dict[str, str]:
    """What a client that is not ours sees."""
    [response] = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
    [(code, _, _, _, entries)] = response.resources
    assert code == 0
    return {entry[0]: entry[1] for entry in entries}


async def _partitions_of(admin: Any, topic: str) -> int:
    [found] = await admin.describe_topics([topic])
    assert found["error_code"] == 0
    return len(found["partitions"])


async def _create(admin: Any, topic: NewTopic) -> None:
    [(_, code, message)] = (await admin.create_topics([topic])).topic_errors
    assert code == 0, message
    async with asyncio.timeout(20):
        while topic.name not in await admin.list_topics():  # noqa: ASYNC110
            await asyncio.sleep(0.05)


@pytest.mark.live
async def test_missing_topics_are_planned_then_made(fresh: Settings, admin: Any) -> None:
    """Planning changes nothing; applying makes every topic of the catalogue as it says, and it can be written to."""
    plan = await plan_topics(fresh)
    assert {change.status for change in plan.changes} == {TopicStatus.MISSING}
    assert len(plan.pending) == len(Topics().all())
    assert not {change.topic for change in plan.changes} & set(await admin.list_topics())

    await apply_topics(plan)
    for topic in fresh.topics.all():
        name = fresh.topics.full_name(topic)
        assert await _partitions_of(admin, name) == 3
        found = await _settings_of(admin, name)
        assert {key: found[key] for key in topic.config()} == topic.config()
    producer = AIOKafkaProducer(**fresh.kafka_client())
    await producer.start()
    sent = await producer.send_and_wait(fresh.topics.full_name(fresh.topics.outreach_ledger), b"v", key=b"k")
    assert sent.offset == 0
    await producer.stop()


@pytest.mark.live
async def test_a_second_time_there_is_nothing_to_do(fresh: Settings) -> None:
    """And doing that nothing is fine."""
    await apply_topics(await plan_topics(fresh))
    again = await plan_topics(fresh)
    assert again.pending == ()
    await apply_topics(again)


@pytest.mark.live
async def test_two_at_once_do_not_trip(fresh: Settings) -> None:
    """Two roles may set up at the same moment."""
    plans = [await plan_topics(fresh) for _ in range(2)]
    await asyncio.gather(*(apply_topics(plan) for plan in plans))
    assert (await plan_topics(fresh)).pending == ()


@pytest.mark.live
async def test_differing_settings_are_shown_and_changed(fresh: Settings, admin: Any) -> None:
    """What the catalogue does not speak of, somebody else's setting, stays."""
    name = fresh.topics.full_name(fresh.topics.touchpoints)
    other = {"retention.ms": "60000", "cleanup.policy": "delete", "compression.type": "zstd"}
    await _create(admin, NewTopic(name, 3, 1, topic_configs=other))
    plan = await plan_topics(fresh)
    [change] = [change for change in plan.changes if change.topic == name]
    assert change.status is TopicStatus.DIFFERS
    assert change.differences["retention.ms"] == ("60000", "2592000000")
    assert "cleanup.policy" not in change.differences

    await apply_topics(plan)
    found = await _settings_of(admin, name)
    assert found["retention.ms"] == "2592000000"
    assert found["compression.type"] == "zstd"
    assert (await plan_topics(fresh)).pending == ()


@pytest.mark.live
async def test_history_is_kept_where_wanted(fresh: Settings, admin: Any) -> None:
    """Topics that were made for live use are changed for the replay of a day of long ago, and back."""
    await apply_topics(await plan_topics(fresh))
    plan = await plan_topics(fresh, keep_history=True)
    assert {change.topic for change in plan.pending} == {
        fresh.topics.full_name(topic) for topic in fresh.topics.all() if topic.retention is not None
    }
    assert all(set(change.differences) == {"retention.ms"} for change in plan.pending)
    await apply_topics(plan)
    name = fresh.topics.full_name(fresh.topics.decisions)
    assert (await _settings_of(admin, name))["retention.ms"] == "-1"
    assert (await plan_topics(_with(fresh, keep_history=True))).pending == ()
    assert len((await plan_topics(fresh)).pending) == len(plan.pending)


@pytest.mark.live
async def test_another_number_of_partitions_is_refused(fresh: Settings, admin: Any) -> None:
    """Keys would move away from their state; nothing at all is changed then, and the way out is named."""
    name = fresh.topics.full_name(fresh.topics.journeys)
    await _create(admin, NewTopic(name, 5, 1))
    plan = await plan_topics(fresh)
    [problem] = plan.problems
    assert problem.startswith(f"{name} has 5 partitions and CARELINE_PARTITIONS says 3")
    assert "Set CARELINE_PARTITIONS=5" in problem
    with pytest.raises(SettingsError, match="CARELINE_PARTITIONS"):
        await apply_topics(plan)
    assert await _partitions_of(admin, name) == 5
    prefixed = [topic for topic in await admin.list_topics() if topic.startswith(fresh.topic_prefix)]
    assert prefixed == [name]


@pytest.mark.live
async def test_too_many_copies_name_the_setting(fresh: Settings) -> None:
    """One broker cannot hold nine copies."""
    nine = _with(fresh, replication=9)
    with pytest.raises(SettingsError, match="CARELINE_REPLICATION"):
        await apply_topics(await plan_topics(nine))


@pytest.mark.live
async def test_a_record_of_long_ago_survives_where_history_is_kept(fresh: Settings) -> None:
    """Its own time decides over retention; kept, a consumer still finds it."""
    await apply_topics(await plan_topics(fresh, keep_history=True))
    name = fresh.topics.full_name(fresh.topics.touchpoints)
    producer = AIOKafkaProducer(**fresh.kafka_client())
    await producer.start()
    await producer.send_and_wait(name, b"old", key=b"k", timestamp_ms=1360343400000, partition=0)
    await producer.stop()
    consumer = AIOKafkaConsumer(name, **fresh.kafka_client(), auto_offset_reset="earliest")
    await consumer.start()
    record = await asyncio.wait_for(consumer.getone(), 20)
    await consumer.stop()
    assert (record.value, record.timestamp) == (b"old", 1360343400000)


async def test_a_silent_broker_is_unavailable() -> None:
    """The message names the address."""
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:9"):
        await plan_topics(Settings(kafka_bootstrap="127.0.0.1:9"))


@pytest.fixture
def topics() -> Topics:
    return Topics(prefix=f"test-{uuid.uuid4().hex[:8]}.")


async def test_every_subject_is_registered_and_guarded(registry: Registry, topics: Topics) -> None:
    """Afterwards each schema is found under its subject, and the registry checks what comes next."""
    reports = await apply_schemas(registry, topics)
    assert {(report.subject, report.record) for report in reports} == set(topics.subjects())
    for report in reports:
        known = schemas.versions(report.record)
        # a registry that goes by what a schema says takes versions that differ in words only for one
        assert len({str(without_words(one)) for one in known}) <= report.registered <= report.versions == len(known)
        assert report.compatibility_was is None
        assert await registry.id_of(report.subject, schemas.latest(report.record)) == report.schema_id
        assert await registry.compatibility(report.subject) == FULL_TRANSITIVE


async def test_the_second_time_nothing_is_registered(registry: Registry, topics: Topics) -> None:
    """Same ids, no new versions."""
    first = await apply_schemas(registry, topics)
    second = await apply_schemas(registry, topics)
    assert [report.schema_id for report in first] == [report.schema_id for report in second]
    assert {report.registered for report in second} == {0}
    assert {report.compatibility_was for report in second} == {FULL_TRANSITIVE}


async def test_a_stranger_under_our_subject_stops_it(registry: Registry, topics: Topics) -> None:
    """A subject that holds something else is not built upon."""
    subject = topics.subject(topics.journeys, "careline.journey.JourneyState")
    await registry.register(subject, {"type": "record", "name": "Other", "fields": [{"name": "a", "type": "int"}]})
    with pytest.raises(IncompatibleSchema) as caught:
        await apply_schemas(registry, topics)
    assert caught.value.subject == subject


def _gesture(cost: Any, **changes: Any) -> Any:
    """Our schema of a gesture with money of another making."""
    schema = copy.deepcopy(schemas.latest("careline.touchpoint.GestureGiven"))
    for field in schema["fields"]:
        if field["name"] == "cost":
            field["type"] = {**field["type"], **cost}
    return {**schema, **changes}


async def test_a_stranger_that_counts_otherwise_is_found(registry: Registry, topics: Topics) -> None:
    """The registry takes it beside ours; it is named with what differs, each time. One that differs in words only is
    named and read."""
    await apply_schemas(registry, topics)
    assert await find_strangers(registry, topics) == ()
    subject = topics.subject(topics.touchpoints, "careline.touchpoint.GestureGiven")
    await registry.set_writable(subject, writable=True)
    for schema in (_gesture({"scale": 4}), _gesture({}, doc=f"as {subject} says it")):
        await registry.register(subject, schema)
    for _ in range(2):
        reports = await apply_schemas(registry, topics)
        found = await find_strangers(registry, topics)
        assert found == tuple(stranger for report in reports for stranger in report.strangers)
        # one that goes by what a schema says has no version of its own for other words
        assert [(one.subject, one.version) for one in found] in ([(subject, 2)], [(subject, 2), (subject, 3)])
        [wrong], *others = (one.difference.refused for one in found)
        assert not any(others)
        assert "cost: is written as decimal of precision 12 and scale 4" in wrong
        assert {report.registered for report in reports} == {0}


async def test_a_closed_subject_takes_ours_and_no_others(registry: Registry, topics: Topics) -> None:
    """Where the registry can close subjects, nobody gets another version in after ours; where it cannot, it says so."""
    subject = topics.subject(topics.touchpoints, "careline.touchpoint.GestureGiven")
    await registry.set_compatibility(subject, FULL_TRANSITIVE)
    await registry.register(subject, _gesture({}, doc=f"{subject} before ours"))
    await registry.set_writable(subject, writable=False)
    reports = await apply_schemas(registry, topics)
    closed = {report.closed for report in reports}
    assert len(closed) == 1
    if closed == {True}:
        with pytest.raises(IncompatibleSchema):
            await registry.register(subject, _gesture({"scale": 4}))
    assert closed == {isinstance(registry, InMemoryRegistry)}, "Apicurio takes the request and does nothing about it"
