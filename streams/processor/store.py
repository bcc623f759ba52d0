"""A partition's state: encoded bytes by key, the decoded ones of recent use, and the overlay of a transaction."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Generic, TypeVar, cast

from streams.codec import Codec
from streams.processor.failpoints import Point, reached
from streams.topics import Topic

S = TypeVar("S")

_ABSENT: Any = object()


class Store(Generic[S]):
    """What is committed. Bytes are the truth; the cache only saves decoding them."""

    def __init__(self, *, codec: Codec, topic: Topic, cache_size: int) -> None:
        self._codec = codec
        self._topic = topic
        self._encoded: dict[str, bytes] = {}
        self._decoded: OrderedDict[str, S] = OrderedDict()
        self._cache_size = cache_size
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._encoded)

    def put_encoded(self, key: str, value: bytes | None) -> None:
        """Take what the topic says of the key; None deletes."""
        old = self._encoded.pop(key, None)
        if old is not None:
            self.bytes -= len(old)
        if value is not None:
            self._encoded[key] = value
            self.bytes += len(value)
        self._decoded.pop(key, None)

    async def get(self, key: str) -> S | None:
        """The state of the key, None if it has none."""
        cached = self._decoded.get(key)
        if cached is not None:
            self._decoded.move_to_end(key)
            return cached
        value = self._encoded.get(key)
        if value is None:
            return None
        state = cast("S", await self._codec.decode(value))
        self._cache(key, state)
        return state

    def merge(self, overlay: Overlay[S], encoded: dict[str, bytes | None]) -> None:
        """Take over what a committed transaction changed."""
        reached(Point.BEFORE_MERGE)
        for key, value in encoded.items():
            self.put_encoded(key, value)
            state = overlay.changed[key]
            if state is not None:
                self._cache(key, state)
        reached(Point.AFTER_MERGE)

    def _cache(self, key: str, state: S) -> None:
        self._decoded[key] = state
        if len(self._decoded) > self._cache_size:
            self._decoded.popitem(last=False)


class Overlay(Generic[S]):
    """The state as a transaction sees it: its own changes over what is committed."""

    def __init__(self, store: Store[S]) -> None:
        self._store = store
        self.changed: dict[str, S | None] = {}

    async def get(self, key: str) -> S | None:
        """The state of the key within the transaction."""
        state = self.changed.get(key, _ABSENT)
        if state is _ABSENT:
            return await self._store.get(key)
        return cast("S | None", state)

    def put(self, key: str, state: S | None) -> None:
        """Change it within the transaction."""
        self.changed[key] = state
