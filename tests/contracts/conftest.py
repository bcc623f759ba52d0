"""What the contract suites share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

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
