"""A codec over a registry in memory, for tests that are about the records and not about the wire."""

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
    """Prepared for every topic of the contract."""
    registry = InMemoryRegistry()
    for topic in TOPICS.all():
        for record in topic.records:
            at_once(registry.register(TOPICS.subject(topic, record), schemas.latest(record)))
    made = Codec(registry=registry, topics=TOPICS)
    at_once(made.prepare(*TOPICS.all()))
    return made


def at_once(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that has nothing to wait for."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    coroutine.close()
    raise AssertionError("it waited for something")
