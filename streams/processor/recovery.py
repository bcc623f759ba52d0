"""Rebuilds a partition's state from its compacted topic, by copying bytes without decoding them."""

from __future__ import annotations

from typing import Any

from streams.avro.codec import Codec
from streams.broker.closing import closed
from streams.broker.contract import TopicPartition
from streams.clock import PartitionClock, to_millis
from streams.errors import Unreadable
from streams.processor.deadlines import Deadlines
from streams.processor.failpoints import Point, reached
from streams.processor.logic import Logic
from streams.processor.progress import Progress
from streams.processor.shared import Shared
from streams.processor.store import Store
from streams.processor.traces import Traces

_FETCH = 8 << 20  # bytes per fetch


async def restore(
    store: Store[Any],
    wakes: Deadlines,
    *,
    traces: Traces | None,
    shared: Shared[Any],
    partition: int,
    progress: Progress,
) -> None:
    """Fill ``store``, ``wakes`` and ``traces`` up to the end of what is committed.

    It reads read-committed and by position: the end is an offset, and aborted records and markers before it are
    skipped. Call it after the partition's producer was started, which settles the previous owner's transaction.
    """
    tp = TopicPartition(shared.settings.topics.full_name(shared.logic.state_topic), partition)
    consumer = shared.broker.reader(fetch=_FETCH)
    await consumer.start()
    try:
        consumer.assign([tp])
        await consumer.seek_to_beginning(tp)
        begin = position = (await consumer.beginning_offsets([tp]))[tp]
        end = (await consumer.end_offsets([tp]))[tp]
        progress.recovering(0, max(end - begin, 0))
        while position < end:
            for records in (await consumer.getmany(tp, timeout_ms=500, max_records=10_000)).values():
                for record in records:
                    key, value = record.key.decode(), record.value
                    store.put_encoded(key, value)
                    due = None if value is None else await _wake_at(value, codec=shared.codec, logic=shared.logic)
                    wakes.set(key, due)
                    if traces is not None:
                        traces.restored(key, record.headers)
                progress.not_stuck()
                reached(Point.IN_RECOVERY)
            position = await consumer.position(tp)
            progress.recovering(position - begin, max(end - position, 0))
    finally:
        await closed(consumer)


async def committed(tp: TopicPartition, *, shared: Shared[Any]) -> tuple[int, PartitionClock]:
    """Return the group's committed offset, and the partition clock that is stored with it, so that time does not go
    back over a restart."""
    found = await shared.admin.committed(shared.group, tp)
    if found is None:
        return (await shared.consumer.beginning_offsets([tp]))[tp], PartitionClock()
    offset, clock = found
    return offset, PartitionClock(int(clock or 0))


async def _wake_at(value: bytes, *, codec: Codec, logic: Logic[Any]) -> int | None:
    try:
        return codec.wake_at(logic.state_topic, logic.state_type, value)
    except Unreadable:  # written by an earlier version of ours
        state: Any = await codec.decode(value)
        return None if state.wake_at is None else to_millis(state.wake_at)
