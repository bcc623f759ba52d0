"""Unreadable records are kept, and a few of them stop nothing."""

from __future__ import annotations

from streams.events import OutreachRequested
from tests.journey.codec import TOPICS
from tests.journey.given import at, delay, profile
from tests.replay.given import day


async def test_garbage_among_the_touchpoints() -> None:
    """Invalid records go to the dead-letter topic."""
    today = day()
    today.publish(profile())
    today.publish_bytes(b"nonsense", at=at("11:00"))
    from_the_future = delay(at("12:00", day=30), minutes=60)
    today.publish(from_the_future, at=at("11:10"))
    today.publish(delay(at("12:00"), minutes=60))
    await today.handled()

    dead = await today.bytes_on(TOPICS.dead_letters)
    assert dead == [b"nonsense", today.source.codec.encode(TOPICS.touchpoints, from_the_future)]
    report = await today.replayed()
    assert report.tally.dead_letters == {"not_avro": 1, "invalid_occurred_at": 1}
    assert [type(one) for one in await today.on(TOPICS.outreach)] == [OutreachRequested], "the customer has her letter"
