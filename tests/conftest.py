"""The real parts: one local stack for the whole test session, and topics of their own for every test that asks."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from deploy.local import Stack, running_stack, stack_environment
from processors.settings import Settings
from streams.broker.provision import set_up

MAIL = "CARELINE_MAIL_DIR"


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The local stack: servers named in the environment, else our own, taken down at the end."""
    with running_stack(tmp_path_factory.mktemp("stack"), purge=True) as running:
        yield running


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
