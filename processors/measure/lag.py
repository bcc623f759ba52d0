"""How many records the measurements have not counted yet, as Faust's consumer and the brokers know it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any


async def records_left(consumer: Any, topics: Collection[str]) -> dict[str, int]:
    """By topic, the records of the partitions that this worker has and that are not acknowledged yet.

    ``consumer`` is Faust's (:class:`faust.types.transports.ConsumerT`). From the first record that an agent has not
    acknowledged on everything counts, else from where the consumer reads next, which is behind a transaction's marker.
    Raises KafkaError and FaustError where that is not known now.
    """
    partitions = [tp for tp in consumer.assignment() if tp.topic in topics]
    left = dict.fromkeys(topics, 0)
    if not partitions:
        return left
    ends = await consumer.highwaters(*partitions)
    places = {tp: await consumer.position(tp) for tp in partitions}
    for message in list(consumer.unacked):
        if message.tp in places:
            places[message.tp] = min(places[message.tp], message.offset)
    for tp, place in places.items():
        left[tp.topic] += max(ends[tp] - place, 0)
    return left
