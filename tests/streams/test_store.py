"""A partition's state: bytes are the truth, the overlay is what a transaction sees, and only a commit changes it."""

from __future__ import annotations

from streams.events import JourneyState, Profile, replace
from streams.processor.store import Overlay, Store
from tests.streams.given import NOON, TOPICS, prepared

ANA = JourneyState(customer_id="ana", revision=1, updated_at=NOON, profile=Profile(), touchpoints=1, recent_events=b"")


async def new(cache_size: int = 10) -> tuple[Store[JourneyState], bytes]:
    """An empty store, and Ana's state as bytes."""
    codec, _ = await prepared()
    store: Store[JourneyState] = Store(codec=codec, topic=TOPICS.journeys, cache_size=cache_size)
    return store, codec.encode(TOPICS.journeys, ANA)


async def test_what_was_restored_is_read() -> None:
    """State comes back from its bytes, and is counted by key and by byte."""
    store, value = await new()
    assert await store.get("ana") is None
    store.put_encoded("ana", value)
    assert await store.get("ana") == ANA
    assert (len(store), store.bytes) == (1, len(value))


async def test_a_tombstone_deletes() -> None:
    """A null forgets the key, whether it was known or not."""
    store, value = await new()
    store.put_encoded("ana", value)
    assert await store.get("ana") == ANA
    store.put_encoded("ana", None)
    store.put_encoded("bea", None)
    assert await store.get("ana") is None
    assert (len(store), store.bytes) == (0, 0)


async def test_the_latest_bytes_count() -> None:
    """A later value replaces the earlier one, in the cache too."""
    store, value = await new()
    store.put_encoded("ana", value)
    await store.get("ana")
    codec, _ = await prepared()
    later = replace(ANA, revision=2)
    store.put_encoded("ana", codec.encode(TOPICS.journeys, later))
    assert await store.get("ana") == later
    assert len(store) == 1


async def test_the_cache_only_saves_decoding() -> None:
    """With room for one decoded state, all are there all the same."""
    store, value = await new(cache_size=1)
    for key in "abc":
        store.put_encoded(key, value)
    for key in "abcabc":
        assert await store.get(key) == ANA


async def test_a_transaction_sees_its_own_changes() -> None:
    """What a transaction changed it sees, and nobody else does."""
    store, value = await new()
    store.put_encoded("ana", value)
    overlay = Overlay(store)
    changed = replace(ANA, revision=2)
    overlay.put("ana", changed)
    overlay.put("bea", ANA)
    assert await overlay.get("ana") == changed
    assert await overlay.get("bea") == ANA
    assert await store.get("ana") == ANA
    assert await store.get("bea") is None


async def test_a_deleted_key_is_gone_within_the_transaction() -> None:
    """What a transaction deleted it does not see any more, though it is still there for others."""
    store, value = await new()
    store.put_encoded("ana", value)
    overlay = Overlay(store)
    overlay.put("ana", None)
    assert await overlay.get("ana") is None
    assert await store.get("ana") == ANA


async def test_a_commit_takes_it_over() -> None:
    """After the commit everybody sees it."""
    store, value = await new()
    store.put_encoded("bea", value)
    overlay = Overlay(store)
    overlay.put("ana", ANA)
    overlay.put("bea", None)
    changes = store.encode(overlay)
    assert changes["ana"] is not None
    assert (changes["ana"][1], changes["bea"]) == (value, None)
    store.merge(changes)
    assert await store.get("ana") == ANA
    assert await store.get("bea") is None
    assert (len(store), store.bytes) == (1, len(value))


async def test_a_failed_transaction_leaves_nothing() -> None:
    """An overlay that is dropped was never there."""
    store, value = await new()
    store.put_encoded("ana", value)
    Overlay(store).put("ana", None)
    assert await store.get("ana") == ANA
