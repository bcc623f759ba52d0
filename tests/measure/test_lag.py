"""How far the measurements are behind: nothing is left once all is counted, whatever ends a topic."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import SimpleNamespace
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import IllegalStateError

from processors.measure.lag import records_left
from processors.measure.role import MeasureRole
from streams.config import Settings
from tests.scraped import scraped, shown
from tests.streams.given import prepared

SENT, ASKED, TABLE = (TopicPartition(name, 0) for name in ("outcomes", "touchpoints", "measure-letters-changelog"))
OTHER = TopicPartition("outcomes", 1)
TOPICS = ("outcomes", "touchpoints", "decisions")


class Consumer:
    """What of Faust's consumer is asked: where it reads next, the ends, and what is not acknowledged."""

    def __init__(
        self,
        places: Mapping[TopicPartition, tuple[int, int]],
        unacked: Iterable[tuple[TopicPartition, int]] = (),
    ) -> None:
        self.places = places
        self.unacked = [SimpleNamespace(tp=tp, offset=offset) for tp, offset in unacked]
        self.error: Exception | None = None

    def assignment(self) -> set[TopicPartition]:
        """What this worker has."""
        return set(self.places)

    async def highwaters(self, *partitions: TopicPartition) -> dict[TopicPartition, int]:
        """The ends."""
        if self.error is not None:
            raise self.error
        return {tp: self.places[tp][1] for tp in partitions}

    async def position(self, tp: TopicPartition) -> int:
        """Where it reads next."""
        return self.places[tp][0]


async def test_what_is_not_acknowledged_is_left() -> None:
    """Fetched is not counted; partitions of a topic add up, and a table's own topic is none of it."""
    consumer = Consumer(
        {SENT: (100, 120), OTHER: (50, 50), ASKED: (7, 7), TABLE: (0, 1_000)}, [(SENT, 90), (SENT, 80), (ASKED, 6)]
    )
    assert await records_left(consumer, TOPICS) == {"outcomes": 40, "touchpoints": 1, "decisions": 0}


async def test_behind_the_end_of_a_transaction_nothing_is_left() -> None:
    """The consumer reads on behind the marker, which nobody acknowledges."""
    assert await records_left(Consumer({SENT: (11, 11)}), TOPICS) == {"outcomes": 0, "touchpoints": 0, "decisions": 0}


async def test_a_worker_without_partitions_has_nothing_left() -> None:
    """Others have them."""
    assert set((await records_left(Consumer({}), TOPICS)).values()) == {0}


async def test_operators_see_what_is_left() -> None:
    """By the topic's name; what is not known just now stays as it was."""
    _, registry = await prepared()
    role: Any = MeasureRole(Settings(), registry=registry)
    names = list(role._app._topics)
    consumer = Consumer({TopicPartition(names[0], 0): (3, 10)})
    role._app.faust = SimpleNamespace(consumer=consumer, rebalancing=False)
    await role._measure_lag()
    assert [scraped("careline_measure_lag_records", topic=name) for name in names] == [7, 0, 0]
    consumer.error = IllegalStateError("not assigned")
    await role._measure_lag()
    assert scraped("careline_measure_lag_records", topic=names[0]) == 7
    assert shown("careline_measure_lag_records", topic=names[1])
