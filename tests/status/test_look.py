"""One look at real servers: what is there, what is missing and what does not answer, within the limit."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions
from pydantic import SecretStr
from typer.testing import CliRunner

from processors.cli import app
from processors.cli.exits import Exit
from processors.settings import Settings
from processors.status.findings import ROLES, findings, state_of
from processors.status.look import SERVERS, look
from processors.status.seen import Recent, RoleState, Seen
from streams.broker.choice import broker_of
from streams.broker.provision import set_up
from streams.errors import SettingsError
from streams.patience import until
from streams.registry.choice import registry_of
from streams.registry.subjects import ids_of
from tests.live.roles import Role
from tests.roles.listening import refused, silent

LIMIT = timedelta(seconds=20)
"""Of the live tests: the machine may be busy, and nothing hangs in them."""
QUICK = timedelta(seconds=0.5)
NONE = Recent(count=0, complete=True)
SECRET = "a-customer-nobody-may-see"


def about(seen: Seen) -> dict[str, str]:
    return {one.about: f"{one.weight}: {one.what}" for one in findings(seen)}


async def once(met: Callable[[Seen], bool], settings: Settings, ops: Sequence[str], *, within: float = 120) -> Seen:
    """The first look of which this is true."""
    seen: list[Seen] = []

    async def looked() -> bool:
        seen.append(await look(settings, ops=ops, limit=LIMIT))
        return met(seen[-1])

    await until(looked, within=timedelta(seconds=within), every=timedelta(seconds=0.5))
    return seen[-1]


def nowhere(address: str, **fields: Any) -> Settings:
    """Every server at this address, where none is."""
    return Settings(
        kafka_bootstrap=address,
        registry_url=f"http://{address}",
        redis_url=SecretStr(f"redis://:a-password@{address}/0"),
        smtp_url=SecretStr(f"smtp://{address}"),
        **fields,
    )


async def test_servers_that_hang_cost_one_limit_together() -> None:
    """All four accept and say nothing: the look is over within the limit and a moment, and says so of each."""
    async with silent() as hung:
        begun = time.monotonic()
        seen = await look(nowhere(hung.address), ops=[f"http://{hung.address}"], limit=QUICK)
        took = time.monotonic() - begun
    assert took < 3 * QUICK.total_seconds() + 1
    assert {name: answer.up for name, answer in seen.servers.items()} == dict.fromkeys(SERVERS, False)
    assert all("nothing within 0.5 s" in (answer.why or "") for answer in seen.servers.values())
    assert {state_of(role, seen) for role in ROLES} == {RoleState.UNKNOWN}
    assert "a-password" not in repr(seen)
    assert about(seen)[f"http://{hung.address}"].startswith("note: is taken by something else: no answer")


async def test_servers_that_are_away_are_told_at_once() -> None:
    """Refused connections do not wait for the limit."""
    begun = time.monotonic()
    seen = await look(nowhere(refused()), limit=LIMIT)
    assert time.monotonic() - begun < LIMIT.total_seconds() / 2
    assert not any(answer.up for answer in seen.servers.values())


async def test_a_server_that_is_not_used_is_left_out() -> None:
    """It is not asked, and not missed."""
    seen = await look(nowhere(refused()), servers=("kafka", "registry"), limit=QUICK)
    assert list(seen.servers) == ["kafka", "registry"]
    assert seen.view_built is None


async def test_a_broker_in_memory_cannot_be_looked_at_from_outside() -> None:
    """It is in another process; the setting is named."""
    with pytest.raises(SettingsError, match="CARELINE_KAFKA_BOOTSTRAP"):
        await look(Settings(kafka_bootstrap="memory://x"))


def run(*words: str, env: dict[str, str]) -> Any:
    return CliRunner().invoke(app, ["status", *words], env={**env, "CARELINE_OPS_TARGETS": "/nonexistent"})


def test_the_code_says_that_servers_do_not_answer() -> None:
    """3, with each of them in the JSON; a name that is no server's is refused with 2."""
    address = refused()
    env = {
        "CARELINE_KAFKA_BOOTSTRAP": address,
        "CARELINE_REGISTRY_URL": f"http://{address}",
        "CARELINE_REDIS_URL": f"redis://{address}",
        "CARELINE_SMTP_URL": f"smtp://{address}",
    }
    result = run("--json", env=env)
    said = json.loads(result.stdout)
    assert (result.exit_code, said["state"]) == (Exit.UNAVAILABLE, "away")
    assert [name for name, one in said["servers"].items() if not one["up"]] == list(SERVERS)
    assert result.stderr == ""
    result = run(env=env)
    assert result.exit_code == Exit.UNAVAILABLE
    assert result.stdout.startswith("kafka, registry, redis, mail do not answer")
    result = run("--without", "postgres", env=env)
    assert (result.exit_code, result.stderr) == (
        Exit.WRONG,
        "--without: postgres: not one of kafka, registry, redis, mail\n",
    )


# -- on the running stack ----------------------------------------------------------------------------------------------


@pytest.mark.live
async def test_a_fresh_stack_is_told_what_to_do_first(live_env: dict[str, str]) -> None:
    """No topic, no schema, no role: each with the command that mends it, and looking makes nothing."""
    settings = Settings.from_environment(live_env)
    for _ in range(2):
        seen = await look(settings, limit=LIMIT)
        assert {name: answer.up for name, answer in seen.servers.items()} == dict.fromkeys(SERVERS, True), seen.servers
        told = about(seen)
        assert told["topics"] == "attention: none of the 9 exists"
        assert told["journeys"] == told["outreach"] == "attention: is not running, and never was here"
        assert told["schemas"].startswith(f"attention: {len(settings.topics.subjects())} of ")
        assert seen.cluster is not None
        assert seen.unknown == {}


@pytest.mark.live
async def test_topics_and_schemas_that_differ_are_told(live_env: dict[str, str]) -> None:
    """Another number of partitions, another retention, too few replicas, and a schema that is not registered."""
    settings = Settings.from_environment({**live_env, "CARELINE_PARTITIONS": "2"})
    await set_up(settings)
    names = [settings.topics.full_name(topic) for topic in settings.topics.all()]
    admin = AIOKafkaAdminClient(**settings.kafka_client())
    await admin.start()
    await admin.create_partitions({names[0]: NewPartitions(3)})
    await admin.close()
    seen = await look(settings.model_copy(update={"replication": 2, "keep_history": True}), limit=LIMIT)
    assert about(seen)[names[1]] == "attention: kept once, CARELINE_REPLICATION says 2"
    what = [one.what for one in findings(seen)]
    assert f"{names[0]} has 3 partitions and CARELINE_PARTITIONS says 2" in what
    assert any(one.startswith("retention.ms is ") and one.endswith("should be -1") for one in what)
    assert not any("is not registered" in one for one in what)


@pytest.mark.live
async def test_a_worker_is_seen_ready_behind_and_gone(settings: Settings, role_env: dict[str, str]) -> None:
    """Its instance, partitions and lag; records that it cannot read are counted as dead letters, by reason; killed, it
    is told from one that never ran. A letter that may not have arrived is counted. No word of a customer is in it."""
    topics = settings.topics
    registry = registry_of(settings)
    outcome = "careline.outcome.OutreachUncertain"
    [schema_id] = await ids_of(registry, topics.subject(topics.outcomes, outcome), outcome)
    await registry.close()
    producer = broker_of(settings).occasional(largest=1 << 20)
    await producer.start()

    async def send(topic: Any, value: bytes) -> None:
        await producer.send_and_wait(topics.full_name(topic), key=SECRET.encode(), value=value)

    try:
        async with Role("journeys", role_env, instance="night-shift") as journeys:
            ops = [f"http://127.0.0.1:{journeys.port}"]
            for _ in range(3):
                await send(topics.touchpoints, SECRET.encode())
            await send(topics.outcomes, b"\0" + schema_id.to_bytes(4, "big") + SECRET.encode())
            seen = await once(lambda seen: (seen.dead_letters or NONE).count == 3, settings, ops)
            assert state_of("journeys", seen) is RoleState.READY, seen.groups
            [member] = seen.groups["journeys"].members
            assert (member.instance, member.client) == ("night-shift", "careline-journeys-night-shift")
            assert member.partitions == tuple(range(settings.partitions))
            [worker] = [one for one in seen.ops if one.url == ops[0]]
            assert (worker.role, worker.ready, worker.playbook is not None) == ("journeys", True, True)
            assert seen.uncertain == Recent(count=1, complete=True, by_reason={"uncertain": 1})
            assert seen.last_event is not None
            told = about(seen)
            assert told["dead letters"].startswith("attention: 3 in the last day: 3 ")
            assert told["uncertain letters"].startswith("attention: 1 in the last day")
            await once(lambda seen: not seen.groups["journeys"].behind, settings, ops)
            await journeys.kill()
            await send(topics.touchpoints, SECRET.encode())
            # the group notices after ten seconds
            seen = await once(lambda seen: state_of("journeys", seen) is RoleState.STOPPED, settings, ops)
        assert about(seen)["journeys"] == "attention: is not running; 1 records wait"
        assert SECRET not in repr(seen)
    finally:
        await producer.stop()


@pytest.mark.live
async def test_a_worker_that_is_not_ready_says_what_it_waits_for(
    live_env: dict[str, str], role_env: dict[str, str]
) -> None:
    """Started before its schemas are registered: it runs, is in no group yet, and its ops port tells."""
    settings = Settings.from_environment(live_env)
    async with Role("outreach", role_env, wait=False) as outreach:
        ops = [f"http://127.0.0.1:{outreach.port}"]
        waits = "our schema is not registered there"
        seen = await once(lambda seen: any(waits in str(one.waiting_for) for one in seen.ops), settings, ops)
    assert state_of("outreach", seen) is RoleState.NOT_READY
    told = about(seen)[f"outreach at {ops[0]}"]
    assert told.startswith("attention: is not ready: ")
    assert waits in told
