"""What a partition shows while a worker has it: never absurd, never unknown as a number, and gone when it is let go."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from aiokafka import ConsumerRecord

from streams.clock import ManualClock, to_millis
from streams.metrics import REGISTRY
from streams.processor.deadlines import Deadlines
from streams.processor.gauges import Gauges
from streams.processor.progress import Progress
from streams.processor.store import Store
from streams.publishing.cloudevents import PUBLISHED_AT
from tests.streams.given import NOON, TOPICS, prepared

NUMBERS = count()


class Board:
    """A partition of a role of the test's own, and what /metrics has of it."""

    def __init__(self, *, live: bool = True, kept: timedelta | None = timedelta(days=30)) -> None:
        self.role = f"gauges-{next(NUMBERS) % 5}"
        self.clock = ManualClock(NOON)
        self.monotonic = 0.0
        self.progress = Progress(seconds=lambda: self.monotonic)
        self.gauges = Gauges(
            role=self.role, partition=3, progress=self.progress, clock=self.clock, live=live, kept=kept
        )

    def __getattr__(self, name: str) -> float | None:
        return REGISTRY.get_sample_value(f"careline_processor_{name}", {"role": self.role, "partition": "3"})

    def later(self, seconds: float) -> None:
        """Time passes."""
        self.clock.advance(timedelta(seconds=seconds))
        self.monotonic += seconds

    @property
    def lag(self) -> tuple[float | None, float | None]:
        """In records and in seconds."""
        return self.lag_records, self.lag_seconds


@pytest.fixture
def board() -> Iterator[Board]:
    """A live partition."""
    board = Board()
    yield board
    board.gauges.close()


def record(*, at: float, published: Any = None, offset: int = 7) -> ConsumerRecord:
    """A record of ``at`` seconds after noon by the broker's time; ``published``: the same by the publisher's."""
    headers = () if published is None else ((PUBLISHED_AT, str(to_millis(NOON) + int(published * 1000)).encode()),)
    return ConsumerRecord(
        topic="t", partition=3, offset=offset, timestamp=to_millis(NOON) + int(at * 1000), timestamp_type=0, key=b"",
        value=b"", checksum=None, serialized_key_size=0, serialized_value_size=0, headers=headers,
    )  # fmt: skip


def test_nothing_is_shown_of_what_nobody_knows_yet(board: Board) -> None:
    """Neither a zero that would be wrong nor a number that is none."""
    assert board.lag == (None, None)
    assert (board.keys, board.deadlines, board.recovery_remaining_seconds) == (None, None, None)


def test_an_idle_partition_has_no_lag(board: Board) -> None:
    """However long it is idle, and whatever came before."""
    board.gauges.waits(1, record(at=0))
    board.gauges.waits(0, None)
    board.later(3_600)
    assert board.lag == (0, 0)


def test_the_lag_grows_while_nothing_moves(board: Board) -> None:
    """Between two scrapes, although nobody tells it anything."""
    board.gauges.waits(2, record(at=-3))
    assert board.lag == (2, 3)
    board.later(60)
    assert board.lag == (2, 63)


def test_the_lag_counts_from_the_publication(board: Board) -> None:
    """A past day that is replayed has records of years ago, published now."""
    board.gauges.waits(1, record(at=-400_000_000, published=-2))
    assert board.lag == (1, 2)


@pytest.mark.parametrize("wrong", [record(at=-400_000_000), record(at=-60, published=-400_000_000)])
def test_a_wrong_time_makes_no_absurd_lag(board: Board, wrong: ConsumerRecord) -> None:
    """A record older than the topic keeps any waits since we first saw it."""
    board.gauges.waits(1, wrong)
    board.later(2)
    board.gauges.waits(1, wrong)
    assert board.lag == (1, 2)
    board.gauges.waits(1, record(at=-400_000_000, offset=8))
    assert board.lag == (1, 0)


def test_a_time_ahead_of_ours_makes_no_negative_lag(board: Board) -> None:
    """Publishers' clocks differ."""
    board.gauges.waits(1, record(at=90))
    assert board.lag == (1, 0)


def test_in_the_records_own_time_the_broker_s_does_not_count() -> None:
    """It is the event's then, of years ago."""
    board = Board(live=False, kept=None)
    board.gauges.waits(1, record(at=-400_000_000))
    board.later(1)
    assert board.lag == (1, 1)
    board.gauges.close()


def test_what_is_not_fetched_yet_waits_since_it_was_noticed(board: Board) -> None:
    """Behind the open transaction of another: not since the last record that was handled."""
    board.gauges.waits(1, record(at=-100))
    board.gauges.waits(2, None)
    assert board.lag == (2, 0)
    board.later(5)
    board.gauges.waits(2, None)
    assert board.lag == (2, 5)


def test_while_a_partition_is_lost_its_oldest_record_goes_on_waiting(board: Board) -> None:
    """Brokers are away, or it was stopped: records come, nobody reads them."""
    board.gauges.waits(1, record(at=-4))
    board.later(6)
    board.gauges.left(40)
    assert board.lag == (40, 10)
    board.gauges.left(0)
    assert board.lag == (0, 0)
    board.gauges.left(1)
    assert board.lag == (1, 0)


def test_recovery_tells_how_much_is_left_and_for_how_long(board: Board) -> None:
    """By its own pace; a number from the first moment, and 0 once it is done."""
    board.progress.recovering(0, 1_000_000)
    assert board.recovery_remaining_records == 1_000_000
    assert board.recovery_remaining_seconds == 50
    board.later(9)
    assert board.recovery_remaining_seconds == 500
    board.progress.recovering(480_000, 520_000)
    assert board.recovery_remaining_seconds == pytest.approx(10.4)
    board.progress.recovering(1_000_000, 0)
    assert (board.recovery_remaining_records, board.recovery_remaining_seconds) == (0, 0)


async def test_what_is_held_is_seen_from_the_recovery_on(board: Board) -> None:
    """Before the first transaction: an idle worker is not an empty one. Once it is lost, nobody knows."""
    codec, _ = await prepared()
    store: Store[Any] = Store(codec=codec, topic=TOPICS.journeys, cache_size=1)
    store.put_encoded("ana", b"12345")
    deadlines = Deadlines()
    deadlines.set("ana", to_millis(NOON) + 10_000)
    deadlines.set("ben", to_millis(NOON) + 20_000)
    board.gauges.holds(store, deadlines)
    assert (board.keys, board.state_bytes, board.deadlines) == (1, 5, 2)
    board.gauges.holds(None)
    assert (board.keys, board.deadlines, board.deadline_overdue_seconds) == (None, None, None)


@pytest.mark.parametrize("live", [True, False])
def test_a_deadline_that_does_not_fire_is_overdue(live: bool) -> None:
    """By the wall's time; in the records' own time it fires when they say so."""
    board, deadlines = Board(live=live), Deadlines()
    deadlines.set("ana", to_millis(NOON) + 10_000)
    board.gauges.holds(None, deadlines)
    assert board.deadline_overdue_seconds == 0
    board.later(70)
    assert board.deadline_overdue_seconds == (60 if live else 0)
    assert deadlines.pop_due(to_millis(NOON) + 10_000)
    board.gauges.fired()
    assert board.deadline_overdue_seconds == 0
    board.gauges.close()


def test_a_partition_that_is_let_go_shows_nothing() -> None:
    """The worker that has it now shows it: nobody adds up two figures of one partition."""
    board = Board()
    board.gauges.waits(3, record(at=-1))
    board.gauges.holds(None, Deadlines())
    board.progress.recovering(1, 2)
    board.gauges.stopped()
    stopped = {"role": board.role}
    assert REGISTRY.get_sample_value("careline_processor_partitions_stopped", stopped) == 1
    board.gauges.close()
    board.gauges.waits(4, record(at=-1))
    mine = {"role": board.role, "partition": "3"}
    shown = [sample for family in REGISTRY.collect() for sample in family.samples if sample.labels == mine]
    assert shown == []
    assert REGISTRY.get_sample_value("careline_processor_partitions_stopped", stopped) == 0


def test_no_gauge_of_a_partition_is_left_out() -> None:
    """Every metric with a partition in its labels goes with the partition, also one that is new."""
    labelled = {metric for metric in REGISTRY._collector_to_names if "partition" in getattr(metric, "_labelnames", ())}
    board = Board()
    assert set(board.gauges._shown) == labelled
    board.gauges.close()


def test_no_figure_is_ever_none(board: Board) -> None:
    """NaN breaks every sum over it."""
    board.gauges.waits(1, record(at=0))
    board.progress.recovering(0, 0)
    for family in REGISTRY.collect():
        assert not any(math.isnan(sample.value) for sample in family.samples), family.name
