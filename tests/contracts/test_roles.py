"""What every role promises to whoever starts, watches and stops it: one suite for all five."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import typer
from pydantic import SecretStr

import schemas
from processors.cli import run as run_command
from processors.outreach.channels.agent_task import AgentTaskChannel
from processors.playbook import load_playbook
from processors.roles import wiring
from processors.roles.role import Role
from processors.roles.running import ops_of, serve
from processors.roles.wiring import ROLES
from processors.settings import Settings
from processors.view.store import InMemoryViewStore
from streams.broker.provision import set_up
from streams.errors import CarelineError
from streams.events import OutreachChannel
from streams.http.ops import OpsServer
from streams.registry.registry import InMemoryRegistry
from streams.topics import Topics
from tests.waiting import until

AWAY = "127.0.0.1:1"
"""Where no broker answers."""

LINKS = {"public_url": "http://127.0.0.1:8090", "link_secret": SecretStr("a secret of the tests' own, long enough")}
SETTINGS = Settings(kafka_bootstrap=AWAY, ops_port=0, gateway_port=0, **LINKS)


class Owned(InMemoryRegistry):
    """A registry that has every schema of ours, and knows how often it was let go of."""

    def __init__(self) -> None:
        super().__init__()
        self.closed = 0

    async def close(self) -> None:
        self.closed += 1


async def owned() -> Owned:
    registry = Owned()
    for subject, record in Topics().subjects():
        await registry.register(subject, schemas.latest(record))
    return registry


Make = Callable[[Owned], Role]


def journeys(registry: Owned) -> Role:
    return wiring.journeys(SETTINGS, playbook=load_playbook(), registry=registry)


def outreach(registry: Owned) -> Role:
    channels = {OutreachChannel.AGENT_TASK: AgentTaskChannel()}
    return wiring.outreach(SETTINGS, playbook=load_playbook(), channels=channels, registry=registry)


def view(registry: Owned) -> Role:
    return wiring.view(SETTINGS, store=InMemoryViewStore(), registry=registry)


def measure(registry: Owned) -> Role:
    return wiring.measure(SETTINGS, registry=registry)


def gateway(registry: Owned) -> Role:
    return wiring.gateway(SETTINGS, registry=registry)


MADE: dict[str, Make] = {
    "journeys": journeys, "outreach": outreach, "view": view, "measure": measure, "gateway": gateway
}  # fmt: skip

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
every = pytest.mark.parametrize(("name", "make"), MADE.items(), ids=MADE)


@asynccontextmanager
async def served(role: Role, settings: Settings = SETTINGS) -> AsyncIterator[tuple[OpsServer, asyncio.Event]]:
    """The role as a process serves it, until the block ends or the event is set."""
    ops, stop = ops_of(role, settings), asyncio.Event()
    serving = asyncio.create_task(serve(role, ops, stop=stop))
    try:
        await until(lambda: ops.port is not None or serving.done())
        yield ops, stop
    finally:
        stop.set()
        await serving


async def asked(ops: OpsServer, path: str) -> tuple[int, Any]:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{ops.port}", timeout=10) as client:
        answer = await client.get(path)
    return answer.status_code, answer.text if path == "/metrics" else answer.json()


def test_the_suite_holds_every_role() -> None:
    """Whoever adds a role finds it here, in the composition root and on the command line."""
    commands = typer.main.get_command(run_command.app).commands  # type: ignore[attr-defined]
    assert list(MADE) == list(ROLES) == list(commands)


@every
async def test_a_role_is_made_of_settings_and_named_collaborators(name: str, make: Make) -> None:
    """They cannot be mixed up, and a registry is always one of them."""
    role = make(await owned())
    for made_by in (ROLES[name], type(role)):
        settings, *others = inspect.signature(made_by).parameters.values()
        assert settings.name == "settings"
        assert {one.kind for one in others} == {inspect.Parameter.KEYWORD_ONLY}
        assert "registry" in {one.name for one in others}
    await role.stop()


@every
async def test_a_role_that_was_only_made_does_nothing_yet(name: str, make: Make) -> None:
    """It is not ready, says so, and is not broken."""
    role = make(await owned())
    assert (role.name, role.ready, role.broken()) == (name, False, [])
    assert role.waiting_for() == ["its start"]
    await role.stop()


@every
async def test_a_role_says_which_server_it_waits_for(name: str, make: Make) -> None:
    """An operator reads the address of the server that does not answer, and the role goes on trying."""
    role = make(await owned())
    starting = asyncio.create_task(role.start())
    await until(lambda: any(f"Kafka at {AWAY}" in one for one in role.waiting_for()))
    assert (role.ready, role.crashed, role.broken()) == (False, False, [])
    await role.stop()
    await starting


@every
async def test_operators_are_answered_while_a_role_waits(name: str, make: Make) -> None:
    """It lives and is not ready, with what it waits for; its metrics are read; what it shows beside them is there."""
    role = make(await owned())
    async with served(role) as (ops, _):
        await until(lambda: any(AWAY in one for one in role.waiting_for()))
        assert await asked(ops, "/livez") == (200, {"live": True, "wrong": []})
        status, body = await asked(ops, "/readyz")
        assert (status, body["ready"], body["waiting_for"]) == (503, False, role.waiting_for())
        status, text = await asked(ops, "/metrics")
        assert status == 200
        assert "careline_dead_letters_total" in text
        for path in role.routes():
            status, body = await asked(ops, path)
            assert (status, body["ready"]) == (200, False)


@every
async def test_a_role_that_waits_can_be_stopped(name: str, make: Make) -> None:
    """SIGTERM ends it at once, whatever it waits for, and it lets go of what it was given, once."""
    registry = await owned()
    role = make(registry)
    async with served(role) as (ops, stop):
        await until(lambda: any(AWAY in one for one in role.waiting_for()))
        stop.set()
        await until(lambda: ops.port is None, within=10)
    assert (role.ready, role.waiting_for()) == (False, ["a restart: it was stopped"])
    assert registry.closed == 1


@every
async def test_stopping_twice_is_stopping_once(name: str, make: Make) -> None:
    """Whoever is not sure stops it again."""
    registry = await owned()
    role = make(registry)
    starting = asyncio.create_task(role.start())
    await until(lambda: role.started)
    await role.stop()
    await role.stop()
    await starting
    assert registry.closed == 1


@every
async def test_a_role_that_never_started_can_be_stopped(name: str, make: Make) -> None:
    """It lets go of what it was given all the same, and a start that comes too late does nothing."""
    registry = await owned()
    role = make(registry)
    await role.stop()
    await role.stop()
    assert registry.closed == 1
    async with asyncio.timeout(10):
        await role.start()
    assert not role.ready


@every
async def test_a_role_that_fails_ends_its_process(name: str, make: Make) -> None:
    """What it cannot deal with is told with the role's name, and everything is let go of."""
    registry = await owned()
    role = make(registry)
    serving = asyncio.create_task(serve(role, ops_of(role, SETTINGS), stop=asyncio.Event()))
    await until(lambda: role.started)
    await role.crash(RuntimeError("the disk is on fire"))
    assert "the disk is on fire" in role.waiting_for()[0]
    with pytest.raises(CarelineError, match=f"{name} failed: RuntimeError\\('the disk is on fire'\\)"):
        await serving
    assert (role.ready, registry.closed) == (False, 1)


async def test_a_role_is_ready_when_it_lacks_nothing() -> None:
    """With brokers that take what it hands on, the gateway takes calls; once it is stopped it does not."""

    class Takes:
        async def publish(self, event: Any) -> None:
            """Whatever it is."""

    role = wiring.gateway(SETTINGS, publishers=(Takes(),), registry=await owned())
    assert not role.ready, "it was not started"
    async with served(role) as (ops, _):
        await until(lambda: role.ready)
        assert await asked(ops, "/readyz") == (200, {"ready": True, "waiting_for": []})
    assert not role.ready


ON_ANY_BROKER = ("journeys", "outreach", "gateway")


@pytest.mark.parametrize("name", ON_ANY_BROKER)
async def test_a_role_becomes_ready_on_a_broker_in_memory(name: str) -> None:
    """Made of nothing but settings; then it stops in order, and is started afresh by the next one."""
    where = f"memory://the-role-{name}"
    given = SETTINGS.model_copy(update={"kafka_bootstrap": where, "registry_url": where})
    await set_up(given)
    for _ in range(2):
        role = wiring.role_of(name, given)()
        async with served(role, given) as (ops, _):
            await until(lambda role=role: role.ready)  # type: ignore[misc]
            assert await asked(ops, "/readyz") == (200, {"ready": True, "waiting_for": []})
            assert await asked(ops, "/livez") == (200, {"live": True, "wrong": []})
        assert not role.ready


@pytest.mark.live
@pytest.mark.parametrize("name", ROLES)
async def test_a_role_becomes_ready(name: str, settings: Settings) -> None:
    """On real servers, made of nothing but settings; then it stops in order."""
    given = settings.model_copy(update={"ops_port": 0, "gateway_port": 0, **LINKS})
    role = wiring.role_of(name, given)()
    async with served(role, given) as (ops, _):
        await until(lambda: role.ready, within=90)
        assert await asked(ops, "/readyz") == (200, {"ready": True, "waiting_for": []})
        assert await asked(ops, "/livez") == (200, {"live": True, "wrong": []})
    assert not role.ready
