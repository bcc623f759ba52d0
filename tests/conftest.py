"""The real parts: one local stack for the whole test session, and topics of their own for every test that asks.

Workers of one session (``pytest -n 4``) share the stack: the first that needs it starts it, and the session takes it
down.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import hypothesis
import pytest
import structlog
import typer.main
import typer.testing

from deploy.local import Stack, running_stack, stack_environment
from deploy.local.interrupts import endings_raised
from processors.settings import Settings
from streams.broker.provision import set_up
from tests.drawn import examples
from tests.monitoring import monitoring_program

__all__ = ["monitoring_program"]  # a fixture of all tests

MAIL = "CARELINE_MAIL_DIR"

LONGEST = (
    "tests/live/test_demo.py",
    "tests/chaos/",
    "tests/live/",
    "tests/fuzz/",
    "tests/demo/",
    "tests/journey/test_properties.py",
    "tests/playbook/",
    "tests/simulator/",
    "tests/journey/test_care_properties.py",
)
"""What takes longest is begun first, so that no worker is left with it at the end."""

_SHARED = pytest.StashKey[tuple[Path, ExitStack]]()

# how long an example takes says how busy the machine is
hypothesis.settings.register_profile(
    "careline",
    max_examples=examples(100),
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("careline")

# a traceback with every variable around it takes half a second, and tests make hundreds of exceptions
structlog.configure(
    processors=[
        *structlog.get_config()["processors"][:-1],
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
    ]
)

# the commands are the same at every call of a test's runner, and building them takes longer than most of them
typer.testing._get_command = cache(typer.main.get_command)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files in the order in which they are begun."""
    items.sort(key=lambda item: next((at for at, begin in enumerate(LONGEST) if item.nodeid.startswith(begin)), 99))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Each worker is told where the stack is that they share."""
    stash = node.config.stash
    if _SHARED not in stash:
        ends = ExitStack()
        ends.enter_context(endings_raised())
        home = Path(ends.enter_context(TemporaryDirectory(prefix="careline-tests-", ignore_cleanup_errors=True)))
        ends.callback(lambda: Stack(home / "stack").down(purge=True))
        stash[_SHARED] = home, ends
    node.workerinput["home"] = str(stash[_SHARED][0])


def pytest_unconfigure(config: pytest.Config) -> None:
    """The workers are gone: nobody needs the stack any more."""
    if _SHARED in config.stash:
        config.stash[_SHARED][1].close()


@pytest.fixture(scope="session")
def stack(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The local stack: servers named in the environment, else our own, taken down at the end."""
    shared = getattr(pytestconfig, "workerinput", {}).get("home")
    if shared is not None:
        yield _up(Stack(Path(shared) / "stack"), Path(shared) / "up")
        return
    with running_stack(tmp_path_factory.mktemp("stack"), purge=True) as running:
        yield running


def _up(stack: Stack, begun: Path) -> Stack:
    # once: whoever comes later would start a server afresh that is too busy to answer
    with begun.open("a") as note:
        fcntl.flock(note, fcntl.LOCK_EX)
        if not note.tell():
            stack.up()
            note.write("up")
    return stack


@pytest.fixture(scope="session")
def stack_env(stack: Stack) -> dict[str, str]:
    """The stack's addresses as CARELINE_ variables."""
    return stack_environment(stack.place.home)


@pytest.fixture(scope="session")
def mail_dir(stack_env: dict[str, str]) -> Path:
    """Where the mail sink keeps its letters."""
    return Path(stack_env[MAIL])


@pytest.fixture
def live_env(stack_env: dict[str, str]) -> dict[str, str]:
    """The environment of a role in a test: the stack, under a prefix nobody else uses."""
    return _own_prefix(stack_env)


@pytest.fixture
def settings(live_env: dict[str, str]) -> Settings:
    """Settings of the stack, under a prefix of the test's own, its topics and schemas applied."""
    return _prepared(live_env)


@pytest.fixture
def role_env(live_env: dict[str, str]) -> dict[str, str]:
    """The whole environment for a role that runs as a process of its own."""
    return {**os.environ, **live_env}


@pytest.fixture(scope="module")
def module_env(stack_env: dict[str, str]) -> dict[str, str]:
    """As ``live_env``, the same for all tests of a module: for those that keep out of each other's way."""
    return _own_prefix(stack_env)


@pytest.fixture(scope="module")
def module_settings(module_env: dict[str, str]) -> Settings:
    """As ``settings``, once a module."""
    return _prepared(module_env)


@pytest.fixture(scope="module")
def module_role_env(module_env: dict[str, str]) -> dict[str, str]:
    """As ``role_env``, the same for all tests of a module."""
    return {**os.environ, **module_env}


def _own_prefix(stack_env: dict[str, str]) -> dict[str, str]:
    addresses = {name: value for name, value in stack_env.items() if name != MAIL}
    return addresses | {"CARELINE_TOPIC_PREFIX": f"test-{uuid.uuid4().hex[:8]}."}


def _prepared(env: dict[str, str]) -> Settings:
    settings = Settings.from_environment(env)
    # in a thread of its own: a fixture that is already on an event loop may ask for this one
    with ThreadPoolExecutor(1) as thread:
        # tests tell of days long ago, and the broker's retention, which goes by the records' times, runs while they do
        thread.submit(lambda: asyncio.run(set_up(settings, keep_history=True))).result()
    return settings
