"""Whether a server answers is known within two seconds, with the reason, whatever the server does."""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from processors.roles.dependencies import Dependencies
from processors.roles.servers import KAFKA, LIMIT, MAIL, REDIS, REGISTRY, asked, server_of
from processors.settings import Settings
from streams.metrics import REGISTRY as METRICS
from tests.outreach.servers import MailSink, RawMailServer
from tests.roles.listening import refused, silent
from tests.waiting import until

ALL = (KAFKA, REGISTRY, REDIS, MAIL)
every = pytest.mark.parametrize("name", ALL)


def at(address: str, name: str) -> Settings:
    """Settings where the server of that name is at this address."""
    return Settings(
        kafka_bootstrap=address if name == KAFKA else "memory://servers",
        registry_url=f"http://{address}" if name == REGISTRY else "memory://servers",
        redis_url=SecretStr(f"redis://someone:a-secret-word@{address}/0"),
        smtp_url=SecretStr(f"smtp://{address}"),
    )


async def answer_of(name: str, settings: Settings) -> Any:
    server = server_of(name, settings)
    try:
        return await asked(name, server)
    finally:
        await server.close()


@every
async def test_a_hung_server_is_away_within_the_limit(name: str) -> None:
    """It accepts the connection and says nothing: after two seconds it counts as away, and nothing is left open."""
    async with silent() as hung:
        answer = await answer_of(name, at(hung.address, name))
        assert not answer.up
        assert hung.address in answer.why
        assert 0.9 <= answer.seconds < LIMIT.total_seconds() + 0.5
        assert hung.seen >= 1
        await until(lambda: hung.open == 0, within=5)


@every
async def test_a_refused_port_is_away_at_once(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """Nobody listens there: the reason says so, no password is in it, and no library logs the same once more."""
    address = refused()
    with caplog.at_level(logging.WARNING):
        answer = await answer_of(name, at(address, name))
    assert not answer.up
    assert address in answer.why
    assert "a-secret-word" not in answer.why
    assert answer.seconds < 1
    assert [one.message for one in caplog.records if one.name.startswith("aiokafka")] == []


@every
async def test_a_server_that_speaks_something_else_is_away(name: str) -> None:
    """Such as a web server that says 500 to everything."""

    async def teapot(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 500 Something Else\r\nContent-Length: 2\r\n\r\n{}")
        await reader.read(100)
        writer.close()

    server = await asyncio.start_server(teapot, "127.0.0.1", 0)
    async with server:
        address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        answer = await answer_of(name, at(address, name))
    assert not answer.up, answer
    assert answer.why
    assert answer.seconds < LIMIT.total_seconds() + 0.5


@pytest.mark.parametrize("name", [KAFKA, REGISTRY])
async def test_in_memory_they_are_always_there(name: str) -> None:
    """Without servers there is none that could be away."""
    assert (await answer_of(name, at("127.0.0.1:1", MAIL))).up


async def test_mail_is_asked_without_sending_anything() -> None:
    """It greets, answers EHLO and is left: no letter, no login."""
    async with MailSink(password="needed") as sink:
        url = SecretStr(f"smtp://someone:wrong@127.0.0.1:{sink.port}")
        answer = await answer_of(MAIL, Settings(smtp_url=url))
        assert (answer.up, sink.connections, sink.messages) == (True, 1, [])


async def test_a_mail_server_that_greets_and_then_refuses_is_away() -> None:
    """An open port alone is not an answer."""
    async with RawMailServer(hello=b"554 not for you\r\n") as server:
        answer = await answer_of(MAIL, Settings(smtp_url=SecretStr(f"smtp://127.0.0.1:{server.port}")))
    assert not answer.up
    assert "554" in answer.why


def shown(metric: str, dependency: str) -> float | None:
    return METRICS.get_sample_value(f"careline_{metric}", {"role": "probed", "dependency": dependency})


FAST: dict[str, Any] = {"every": timedelta(seconds=0.2), "limit": timedelta(seconds=0.3)}


async def test_a_role_shows_that_a_server_went_away_and_came_back() -> None:
    """The metric falls and rises again with the next question; the others keep their own."""
    async with RawMailServer() as mail:
        settings = at(f"127.0.0.1:{mail.port}", MAIL)
        async with Dependencies("probed", (KAFKA, REGISTRY, MAIL), settings, **FAST):
            await until(lambda: shown("dependency_up", MAIL) == 1, within=5)
            port = mail.port
            mail.server.close()
            await mail.server.wait_closed()
            await until(lambda: shown("dependency_up", MAIL) == 0, within=5)
            mail.server = await asyncio.start_server(mail._talk, "127.0.0.1", port)
            await until(lambda: shown("dependency_up", MAIL) == 1, within=5)
            assert (shown("dependency_up", KAFKA), shown("dependency_up", REGISTRY)) == (1, 1)
            assert 0 < (shown("dependency_seconds", MAIL) or 0) < 0.3


@every
async def test_a_hung_server_costs_one_question_at_a_time(name: str) -> None:
    """Asked again and again for as long as it hangs, it never has more than one of our connections, nor does a thread
    or a task stay behind for each; whoever else runs on the loop is not kept waiting."""
    async with silent() as hung:
        before = len(asyncio.all_tasks())
        most, gaps = 0, []
        async with Dependencies("probed", (name,), at(hung.address, name), **FAST):
            while hung.seen < 6:
                begun = time.thread_time()  # what the loop did meanwhile, however busy the machine is
                await asyncio.sleep(0.01)
                gaps.append(time.thread_time() - begun)
                most = max(most, hung.open)
            assert most <= 2, "one is being closed while the next is opened"
            assert shown("dependency_up", name) == 0
        await until(lambda: hung.open == 0, within=5)
        await until(lambda: len(asyncio.all_tasks()) <= before, within=5)
        # asked five times: what took the loop's time once was loading, or Python's collector of garbage
        assert sorted(gaps)[-3] < 0.1


async def test_a_busy_role_does_not_take_a_server_for_one_that_is_away() -> None:
    """While a role starts, or recovers a large state, it may look at an answer too late: it asks once more."""
    async with RawMailServer() as mail:
        settings = at(f"127.0.0.1:{mail.port}", MAIL)
        seen = set()
        async with Dependencies("busy", (MAIL,), settings, every=timedelta(seconds=30), limit=timedelta(seconds=0.3)):
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            time.sleep(1)  # noqa: ASYNC251, the loop has no time for anything else
            up = "careline_dependency_up"
            labels = {"role": "busy", "dependency": MAIL}
            await until(lambda: METRICS.get_sample_value(up, labels) is not None, within=10)
            seen.add(METRICS.get_sample_value(up, labels))
        assert seen == {1}
        assert mail.connections >= 1


async def test_what_fails_in_asking_does_not_reach_the_role() -> None:
    """A fault of ours in asking is an answer with its reason, and the role works on."""

    class Broken:
        title, address = "it", "nowhere"

        async def ask(self) -> None:
            raise AssertionError("a fault of ours")

        async def close(self) -> None:
            """Nothing."""

    answer = await asked("it", Broken())
    assert answer.why == "a fault of ours"


@pytest.mark.live
@every
async def test_the_real_servers_answer(name: str, stack_env: dict[str, str]) -> None:
    """Each in its own protocol, again and again on what it keeps open."""
    server = server_of(name, Settings.from_environment(_own(stack_env)))
    try:
        for _ in range(3):
            answer = await asked(name, server)
            assert answer.up, answer.why
            assert answer.seconds < LIMIT.total_seconds()
    finally:
        await server.close()


def _own(env: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if name != "CARELINE_MAIL_DIR"}
