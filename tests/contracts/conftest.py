"""What the contract suites share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from streams.broker.contract import Broker
from streams.broker.kafka import KafkaBroker
from streams.broker.memory import MemoryBroker
from streams.config import Settings
from streams.registry.registry import ConfluentRegistry, InMemoryRegistry, Registry


@pytest.fixture(params=["memory", pytest.param("confluent", marks=pytest.mark.live)])
async def registry(request: pytest.FixtureRequest) -> AsyncIterator[Registry]:
    """The twin in memory, and the real server."""
    made: Registry
    made = (
        InMemoryRegistry()
        if request.param == "memory"
        else ConfluentRegistry(Settings.from_environment(request.getfixturevalue("live_env")))
    )
    yield made
    await made.close()


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.live)])
async def broker(request: pytest.FixtureRequest) -> Broker:
    """The twin in memory, and the real one."""
    if request.param == "memory":
        return MemoryBroker()
    return KafkaBroker(Settings.from_environment(request.getfixturevalue("live_env")))
