"""Within Kafka, exactly once."""

from __future__ import annotations

import pytest
from aiokafka.errors import KafkaError

from streams.errors import PartitionLost
from tests.journey.codec import codec
from tests.journey.given import delay, given, profile
from tests.streams.owning import TOUCHPOINTS, broker_with_topics, committed, failing, handled, publish, taken, worker

WRITTEN = ("careline.journeys", "careline.decisions", "careline.outreach")


async def test_a_role_that_is_killed_before_its_commit_has_done_nothing() -> None:
    """Offsets, state, decisions and outreach are committed in one transaction."""
    broker = await broker_with_topics()  # in memory; on real brokers, with kill -9: tests/live/test_processor.py
    await publish(broker, codec(), profile(), delay(minutes=45))

    killed = await taken(await worker(broker, codec()))
    broker.before = failing("commit_transaction", KafkaError("killed"))
    with pytest.raises(PartitionLost):
        await handled(killed)
    assert [await committed(broker, topic) for topic in WRITTEN] == [[], [], []]

    shared = await worker(broker, codec())
    heir = await taken(shared)
    assert heir.position == 0
    await handled(heir)
    assert [len(await committed(broker, topic)) for topic in WRITTEN] == [1, 1, 1]
    offset, _ = await shared.admin.committed(shared.group, TOUCHPOINTS)
    assert offset == 2


def test_a_fact_that_is_told_again_is_known() -> None:
    """A repeated `event_id` changes nothing if it is among the latest 64 facts of its customer."""
    late = delay(minutes=45)
    others = [profile(name=f"Ana {number}") for number in range(63)]
    ana = given(profile(), late, *others)
    before = ana.state
    for fact in (late, *others):
        ana.when(fact).then_nothing()
        assert ana.handling == "duplicate"
    assert ana.state == before
