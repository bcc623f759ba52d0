"""The lag on a real broker, which has offsets that no reader sees."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from processors.playbook import load_playbook
from processors.roles.journeys import JourneyLogic
from processors.settings import Settings
from streams.broker.choice import broker_of
from streams.metrics import REGISTRY
from streams.processor import Processor
from tests.live.reading import until

pytestmark = pytest.mark.live

LAG = ("careline_processor_lag_records", "careline_processor_lag_seconds")


async def lag() -> list[float | None]:
    """Of the first partition, in records and in seconds."""
    return [REGISTRY.get_sample_value(name, {"role": "journeys", "partition": "0"}) for name in LAG]


async def test_an_idle_partition_has_no_lag_behind_transactions(settings: Settings) -> None:
    """Neither behind the marker of one that was committed, nor behind one that was aborted; what is open waits."""
    logic = JourneyLogic(topics=settings.topics, playbook=load_playbook())
    processor: Processor[Any] = Processor(settings=settings, role="journeys", logic=logic)
    topic = settings.topics.full_name(settings.topics.touchpoints)
    broker, name = broker_of(settings), f"{settings.topic_prefix}another"
    producer = broker.transactional(name, within=timedelta(seconds=10))
    await processor.start()
    await producer.start()
    try:
        await until(lag, lambda seen: seen == [0, 0], within=40)
        for committed in (True, False):
            await producer.begin_transaction()
            batch = producer.create_batch()
            batch.append(timestamp=None, key=b"c", value=b"garbage", headers=[])
            await (await producer.send_batch(batch, topic, partition=0))
            records, seconds = await until(lag, lambda seen: seen[0] != 0, within=20)
            assert (records, seconds is not None and seconds < 20) == (1, True)
            if committed:
                await producer.commit_transaction()
            else:
                await producer.stop()  # left open: whoever starts next aborts it
                producer = broker_of(settings).transactional(
                    f"{settings.topic_prefix}another", within=timedelta(seconds=10)
                )
                await producer.start()
            await until(lag, lambda seen: seen == [0, 0], within=30)
    finally:
        await producer.stop()
        await processor.stop()
    assert await lag() == [None, None]
