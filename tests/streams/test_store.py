"""A partition's state: the bytes are authoritative, a transaction sees its overlay, and only a commit changes the
store."""

from __future__ import annotations

from streams.events import JourneyState, Profile, replace
from streams.processor.store import Overlay, Store
from tests.streams.given import NOON, TOPICS, prepared

ANA = JourneyState(customer_id="ana", revision=1, updated_at=NOON, profile=Profile(), touchpoints=1, recent_events=b"")


async def new(cache_size: int = 10) -> tuple[Store[JourneyState], bytes]:
    """Return an empty store, and Ana's encoded state."""
    codec, _ = await prepared()
    store: Store[JourneyState] = Store(codec=codec, topic=TOPICS.journeys, cache_size=cache_size)
    return store, codec.encode(TOPICS.journeys, ANA)


async def test_what_was_restored_is_read() -> None:
    """A restored state is decoded from its bytes; keys and bytes are counted."""
    store, value = await new()
    assert await store.get("ana") is None
    store.put_encoded("ana", value)
    assert await store.get("ana") == ANA
    assert (len(store), store.bytes) == (1, len(value))


async def test_a_tombstone_deletes() -> None:
    """A null value deletes the key, whether it was known or not."""
    store, value = await new()
    store.put_encoded("ana", value)
    assert await store.get("ana") == ANA
    store.put_encoded("ana", None)
    store.put_encoded("bea", None)
    assert await store.get("ana") is None
    assert (len(store), store.bytes) == (0, 0)


async def test_the_latest_bytes_count() -> None:
    """A later value replaces the earlier one, also in the cache."""
    store, value = await new()
    store.put_encoded("ana", value)
    await store.get("ana")
    codec, _ = await prepared()
    later = replace(ANA, revision=2)
    store.put_encoded("ana", codec.encode(TOPICS.journeys, later))
    assert await store.get("ana") == later
    assert len(store) == 1


async def test_the_cache_only_saves_decoding() -> None:
    """With room for one decoded state in the cache all states can still be read."""
    store, value = await new(cache_size=1)
    for key in "abc":
        store.put_encoded(key, value)
    for key in "abcabc":
        assert await store.get(key) == ANA


async def test_a_transaction_sees_its_own_changes() -> None:
    """A transaction's changes are visible in its overlay and not in the store."""
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
    """A key that a transaction deletes is gone in its overlay and not in the store."""
    store, value = await new()
    store.put_encoded("ana", value)
    overlay = Overlay(store)
    overlay.put("ana", None)
    assert await overlay.get("ana") is None
    assert await store.get("ana") == ANA


async def test_a_commit_takes_it_over() -> None:
    """After the commit the changes are in the store."""
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
    """A discarded overlay changes nothing."""
    store, value = await new()
    store.put_encoded("ana", value)
    Overlay(store).put("ana", None)
    assert await store.get("ana") == ANA
