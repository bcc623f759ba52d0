"""A partition's state: encoded bytes by key, a cache of decoded states, and the overlay of a transaction."""

from __future__ import annotations

from typing import Any, Generic, TypeVar, cast

from streams.avro.codec import Codec
from streams.avro.parts import Parts
from streams.errors import Unreadable
from streams.processor.failpoints import Point, reached
from streams.topics import Topic

S = TypeVar("S")

_ABSENT: Any = object()

Change = tuple[Parts[Any], bytes] | None
"""A new state in parts and encoded, None for a deleted key."""

Changes = dict[str, Change]
"""The changes of a transaction by key."""


class Store(Generic[S]):
    """The committed states. The bytes are authoritative; the cache saves decoding, and encoding of unchanged parts."""

    def __init__(self, *, codec: Codec, topic: Topic, cache_size: int) -> None:
        self._codec = codec
        self._layout = codec.layout(topic)
        self._encoded: dict[str, bytes] = {}
        self._parts: dict[str, Parts[S]] = {}
        self._cache_size = cache_size
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._encoded)

    def put_encoded(self, key: str, value: bytes | None) -> None:
        """Set the key's value as read from the topic; None deletes it."""
        self._put(key, value)
        self._parts.pop(key, None)

    async def get(self, key: str) -> S | None:
        """Return the state of the key, None if it has none."""
        parts = self._parts.get(key)
        if parts is not None:
            return parts.record
        value = self._encoded.get(key)
        if value is None:
            return None
        return self._cache(key, await self._split(value)).record

    def encode(self, overlay: Overlay[S]) -> Changes:
        """Encode the overlay's changes: of each state only the parts that differ from the committed ones."""
        changes: Changes = {}
        for key, state in overlay.changed.items():
            changes[key] = self.encode_one(key, state)
        return changes

    def encode_one(self, key: str, state: S | None) -> Change:
        """Encode a key's new state; None if it is deleted."""
        if state is None:
            return None
        parts = self._layout.encode(state, self._parts.get(key))
        return parts, parts.encoded()

    def merge(self, changes: Changes) -> None:
        """Apply the changes of a committed transaction."""
        reached(Point.BEFORE_MERGE)
        for key, change in changes.items():
            if change is None:
                self.put_encoded(key, None)
            else:
                parts, value = change
                self._put(key, value)
                self._cache(key, parts)
        reached(Point.AFTER_MERGE)

    async def _split(self, value: bytes) -> Parts[S]:
        if value.startswith(self._layout.header):
            try:
                return self._layout.split(value)
            except Exception as error:  # any exception means that the bytes are broken
                raise Unreadable("undecodable", f"{type(error).__name__}: {error}") from error
        state = cast("S", await self._codec.decode(value))  # written by an earlier version
        return self._layout.encode(state, None)

    def _put(self, key: str, value: bytes | None) -> None:
        old = self._encoded.get(key)
        if old is not None:
            self.bytes -= len(old)
        if value is not None:
            self._encoded[key] = value
            self.bytes += len(value)
        elif old is not None:
            del self._encoded[key]

    def _cache(self, key: str, parts: Parts[S]) -> Parts[S]:
        # evicts the oldest entry: tracking the latest use would cost each event more than decoding a busy customer
        # again now and then
        self._parts[key] = parts
        if len(self._parts) > self._cache_size:
            del self._parts[next(iter(self._parts))]
        return parts


class Overlay(Generic[S]):
    """The state as a transaction sees it: its own changes over the committed states."""

    def __init__(self, store: Store[S]) -> None:
        self._store = store
        self.changed: dict[str, S | None] = {}
        self._changes: list[tuple[str, S | None]] = []

    async def get(self, key: str) -> S | None:
        """Return the state of the key within the transaction."""
        state = self.changed.get(key, _ABSENT)
        if state is _ABSENT:
            return await self._store.get(key)
        return cast("S | None", state)

    def put(self, key: str, state: S | None) -> None:
        """Set the state of the key within the transaction."""
        self._changes.append((key, self.changed.get(key, _ABSENT)))
        self.changed[key] = state

    def encode(self) -> Changes:
        """Encode all changes. Raises the codec's error for a state that does not fit its schema."""
        return self._store.encode(self)

    def encode_since(self, mark: int) -> Changes:
        """Encode the states that changed since ``mark``."""
        return {key: self._store.encode_one(key, self.changed[key]) for key, _ in self._changes[mark:]}

    def mark(self) -> int:
        """Return the current position for :meth:`undo`."""
        return len(self._changes)

    def undo(self, mark: int) -> None:
        """Revert every change since ``mark``."""
        while len(self._changes) > mark:
            key, was = self._changes.pop()
            if was is _ABSENT:
                del self.changed[key]
            else:
                self.changed[key] = was
