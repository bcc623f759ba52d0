"""Reads topics back as everybody sees them: read-committed, to the end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from aiokafka import ConsumerRecord

from streams.config import Settings
from streams.events import JourneyState
from streams.subscribing.dead_letters import DeadLetter
from streams.subscribing.subscriber import Message, Subscriber

T = TypeVar("T")


async def raw_records(settings: Settings, topic: str) -> list[ConsumerRecord]:
    """Every record of the topic, undecoded, in the order of each partition."""
    async with Subscriber(settings, topic, until_end=True) as subscriber:
        return [record async for record in subscriber.raw()]


async def messages(settings: Settings, *topics: str) -> list[Message]:
    """Every message that can be read."""
    async with Subscriber(settings, *topics, until_end=True) as subscriber:
        return [message async for message in subscriber]


async def records(settings: Settings, *topics: str) -> list[Any]:
    """Every record that can be read."""
    return [message.record for message in await messages(settings, *topics) if message.record is not None]


async def states(settings: Settings) -> dict[str, JourneyState]:
    """The latest state of each customer."""
    found: dict[str, JourneyState] = {}
    for message in await messages(settings, "journeys"):
        if message.record is None:
            found.pop(message.key, None)
        else:
            assert isinstance(message.record, JourneyState)
            found[message.key] = message.record
    return found


async def dead_letters(settings: Settings) -> list[DeadLetter]:
    """Every dead letter."""
    return [DeadLetter.of(raw) for raw in await raw_records(settings, "dead-letters")]


async def until(look: Callable[[], Awaitable[T]], met: Callable[[T], bool], *, within: float = 30) -> T:
    """Look again and again until it is as wanted."""
    began = time.monotonic()
    while not met(seen := await look()):
        waited = time.monotonic() - began
        assert waited < within, f"after {within} s still {str(seen)[:3000]}"
        await asyncio.sleep(min(0.1 + waited / 4, 1.5))  # looking costs what the roles need
    return seen
