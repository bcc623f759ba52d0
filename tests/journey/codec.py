"""A codec over an in-memory registry, for tests that are about records only."""

from __future__ import annotations

from collections.abc import Coroutine
from functools import cache
from typing import Any, TypeVar

import schemas
from streams.avro.codec import Codec
from streams.registry.registry import InMemoryRegistry
from streams.topics import Topics

TOPICS = Topics()

T = TypeVar("T")


@cache
def codec() -> Codec:
    """Return a codec that is prepared for every topic of the contract."""
    registry = InMemoryRegistry()
    for topic in TOPICS.all():
        for record in topic.records:
            at_once(registry.register(TOPICS.subject(topic, record), schemas.latest(record)))
    made = Codec(registry=registry, topics=TOPICS)
    at_once(made.prepare(*TOPICS.all()))
    return made


def at_once(coroutine: Coroutine[Any, Any, T]) -> T:
    """Return the result of a coroutine that never waits."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    coroutine.close()
    raise AssertionError("it waited for something")
