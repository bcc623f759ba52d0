"""Any history, cut into any batches, with transactions that fail anywhere: what is committed is what the core says.

On the broker in memory: the partition's own tenures, one after the other, against the oracle.
"""

from __future__ import annotations

import asyncio
import dataclasses
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from aiokafka.errors import KafkaError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams import events
from streams.avro.codec import Codec
from streams.clock import to_millis
from streams.errors import PartitionLost
from streams.processor.isolation import Search
from streams.processor.tenure import Tenure
from streams.processor.transaction import Committed
from tests.chaos.stories import closing
from tests.chaos.twin import Drive, histories
from tests.chaos.verdict import Verdict
from tests.drawn import examples
from tests.journey.given import NOON
from tests.streams.given import prepared
from tests.streams.owning import QUICK, TOUCHPOINTS, taken

CALLS = ("begin_transaction", "send_batch", "send_offsets_to_transaction", "commit_transaction")


class End(Enum):
    """How a transaction ends."""

    COMMITTED = "committed"
    ABORTED = "aborted"
    """Nothing of it is true, the partition is taken afresh."""
    UNKNOWN = "unknown"
    """It was committed, but the worker died before it knew."""


async def transact(tenure: Tenure[Any], batch: int, end: End, *, fails_at: str) -> Committed[Any] | None:
    """Take at most so many records; None where there are none left. Raises PartitionLost, as ``end`` wants it."""
    shared: Any = tenure._shared
    shared.consumer.seek(TOUCHPOINTS, tenure.position)
    found = (await shared.consumer.getmany(TOUCHPOINTS, max_records=batch)).get(TOUCHPOINTS)
    if not found:
        return None
    tx = await tenure.make(found, [], tick=None, room=1_000, search=Search(1_000))

    def lost(call: str) -> None:
        if call == (fails_at if end is End.ABORTED else "commit_transaction"):
            shared.broker.before = shared.broker.after = lambda _: None
            raise KafkaError(call)

    if end is End.ABORTED:
        shared.broker.before = lost
    elif end is End.UNKNOWN:
        shared.broker.after = lost
    changes = await tenure.commit(tx)
    tenure.take_over(changes)
    return changes


async def verdict_of(
    codec: Codec,
    told: list[tuple[datetime, Any]],
    cuts: list[tuple[int, End]],
    *,
    timers: int,
    fails: Callable[[Any], bool] = lambda event: False,
) -> Verdict:
    """What the oracle says of a history that was cut into these transactions, with these ends; the rest are committed.

    ``fails``: the events of which the step fails.
    """
    drive = await Drive.begun(codec, told)
    limits = dataclasses.replace(QUICK, timers=timers)
    tenure = await taken(await drive.worker(limits))
    for number in range(10_000):
        batch, end = cuts[number] if number < len(cuts) else (7, End.COMMITTED)
        try:
            if await transact(tenure, batch, end, fails_at=CALLS[number % len(CALLS)]) is None:
                break
        except PartitionLost:
            tenure = await taken(await drive.worker(limits))
    return await drive.verdict(fails=fails)


CODEC, _ = asyncio.run(prepared())


@given(
    told=histories(),
    cuts=st.lists(st.tuples(st.integers(1, 9), st.sampled_from([End.COMMITTED, End.COMMITTED, *End])), max_size=30),
    timers=st.sampled_from([1, 2, 1_000]),
)
@settings(
    max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
def test_any_history_comes_to_the_same(
    told: list[tuple[datetime, Any]], cuts: list[tuple[int, End]], timers: int
) -> None:
    """However it is cut, repeated, shuffled and interrupted: each state and output once, in order, as the core says."""
    found = asyncio.run(verdict_of(CODEC, told, cuts, timers=timers))
    assert found.clean, found


async def test_deadlines_that_fall_due_together_share_no_one_transaction() -> None:
    """A hundred thousand at once would keep a worker from answering its group for longer than its session lasts: so
    many and no more fire in a transaction, and the record that they are due before waits for all of them."""
    told: list[tuple[datetime, Any]] = []
    for number in range(10):
        delay = events.DelayNoticed(
            event_id=str(uuid.UUID(int=number)), customer_id=f"waiting-{number}", occurred_at=NOON, source="test",
            subject_kind="flight", subject_id="F1", description="flight F 1", promised_at=NOON + timedelta(hours=1),
        )  # fmt: skip
        told.append((NOON, delay))
    told.append(closing(NOON + timedelta(hours=1, minutes=31), "closing"))
    drive = await Drive.begun(CODEC, told)
    tenure = await taken(await drive.worker(dataclasses.replace(QUICK, timers=4)))
    fired = []
    while (changes := await transact(tenure, 50, End.COMMITTED, fails_at="")) is not None:
        fired.append((changes.timers, changes.position))
        due = to_millis(NOON + timedelta(hours=1, minutes=30))
        assert changes.clock.millis <= due or changes.position == 11
    assert fired == [(4, 10), (4, 10), (2, 11)]
