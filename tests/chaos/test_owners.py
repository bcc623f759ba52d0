"""Owners that die, are fenced, or are replaced in any moment: what is committed is what the core says, each once.

Whole partitions run on the broker in memory; what happens to them happens in the named moments of their transactions.
"""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.broker.memory import MemoryBroker
from streams.processor import failpoints, recovery, tenure
from streams.processor.failpoints import Point
from streams.processor.partition import Partition
from streams.processor.transaction import Outbox
from tests.chaos.bugs import BUGS
from tests.chaos.stories import BEGIN, closing, stream
from tests.chaos.test_histories import CODEC
from tests.chaos.twin import Drive, SigningBroker, histories
from tests.chaos.verdict import Verdict
from tests.drawn import examples
from tests.streams.owning import QUICK

MOMENTS = (
    Point.IN_RECOVERY,
    Point.BEFORE_FIRST_SEND,
    Point.AFTER_FIRST_SEND,
    Point.BEFORE_OFFSETS,
    Point.AFTER_OFFSETS,
    Point.BEFORE_COMMIT,
    Point.AFTER_COMMIT,
    Point.BEFORE_MERGE,
    Point.AFTER_MERGE,
)


class Blow(Enum):
    """What happens to an owner."""

    KILLED = "killed"
    """It ends there; another begins afterwards."""
    FENCED = "fenced"
    """Somebody took its transactional id, and went away again."""
    REPLACED = "replaced"
    """Another works on the partition from then on, and the old one has not heard of it."""


class Killed(BaseException):
    """The process is gone."""


Cut = tuple[Point, int, Blow]


class Owners:
    """The partition's owners, one after the other."""

    def __init__(self, drive: Drive, *, batch: int) -> None:
        self._drive = drive
        self._limits = dataclasses.replace(QUICK, batch=batch)
        self._running: list[asyncio.Task[None]] = []
        self._current: Partition[Any] | None = None

    async def run(self, cuts: list[Cut]) -> None:
        """Process everything, with a cut as soon as the one before has been struck or the end was reached."""
        for point, nth, blow in cuts:
            if not (self._running and not self._running[-1].done()):
                await self.begin()
            struck = asyncio.Event()
            with listening(point, nth, lambda blow=blow, struck=struck: self._strike(blow, struck)):  # type: ignore[misc]
                await self._until(lambda struck=struck: struck.is_set() or self._at_the_end())  # type: ignore[misc]
            if struck.is_set() and blow is Blow.KILLED:
                await asyncio.wait(self._running[-1:])
            if struck.is_set() and blow is Blow.REPLACED:
                old = self._current
                await self.begin()
                assert old is not None
                old.finish()
        if not (self._running and not self._running[-1].done()):
            await self.begin()
        await self._until(self._at_the_end)
        assert self._at_the_end(), "the last owner ended before everything was handled"
        assert self._current is not None
        self._current.finish()
        async with asyncio.timeout(20):
            await asyncio.gather(*self._running, return_exceptions=True)

    async def begin(self) -> None:
        """One more owner."""
        self._current = Partition(0, shared=await self._drive.worker(self._limits))
        self._running.append(asyncio.create_task(self._current.run()))

    def _strike(self, blow: Blow, struck: asyncio.Event) -> None:
        struck.set()
        match blow:
            case Blow.KILLED:
                self._running[-1].cancel()  # in a callback nothing else ends it
                if asyncio.current_task() is self._running[-1]:
                    raise Killed
            case Blow.FENCED:
                self._drive.broker.fence("careline.journeys-0")

    def _at_the_end(self) -> bool:
        return self._current is not None and self._drive.is_done(self._current.progress.position)

    async def _until(self, met: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not met() and not self._running[-1].done():  # noqa: ASYNC110
                await asyncio.sleep(0)


@contextmanager
def listening(point: Point, nth: int, strike: Callable[[], None]) -> Iterator[None]:
    """Strike when the point is reached for the n-th time."""
    reached = itertools.count(1)

    def listener(at: Point) -> None:
        if at is point and next(reached) == nth:
            strike()

    failpoints.listen(listener)
    try:
        yield
    finally:
        failpoints.listen(None)


async def verdict_of(
    told: list[tuple[datetime, Any]], cuts: list[Cut], *, batch: int, broker: type[MemoryBroker] = SigningBroker
) -> Verdict:
    """What the oracle says after all these cuts."""
    drive = await Drive.begun(CODEC, told, broker=broker)
    await Owners(drive, batch=batch).run(cuts)
    return await drive.verdict()


@given(
    told=histories(),
    cuts=st.lists(st.tuples(st.sampled_from(MOMENTS), st.integers(1, 3), st.sampled_from(Blow)), max_size=8),
    batch=st.integers(1, 9),
)
@settings(
    max_examples=examples(40), deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
def test_owners_that_come_to_grief_change_nothing(
    told: list[tuple[datetime, Any]], cuts: list[Cut], batch: int
) -> None:
    """Whenever an owner dies, is fenced or replaced: what a reader sees is exactly once, in order, as the core says."""
    found = asyncio.run(verdict_of(told, cuts, batch=batch))
    assert found.clean, found


def some() -> list[tuple[datetime, Any]]:
    """Two hundred events of a few customers, with deadlines."""
    return [*itertools.islice(stream(1), 200), closing(BEGIN + timedelta(days=30), "closing")]


@pytest.mark.parametrize("blow", Blow)
@pytest.mark.parametrize("point", MOMENTS)
async def test_every_moment_and_every_blow(point: Point, blow: Blow) -> None:
    """Each of them by itself, three times."""
    found = await verdict_of(some(), [(point, 2, blow)] * 3, batch=20)
    assert found.clean, found
    assert found.outputs > 20


class Unfenced(SigningBroker):
    """Knows every owner by an id of its own, so that it fences nobody."""

    def known_as(self, transactional_id: str) -> str:
        """See :meth:`SigningBroker.known_as`."""
        return f"{transactional_id}-{next(self.lives)}"


async def test_a_drive_without_fencing_is_noticed() -> None:
    """If an owner who was replaced can commit, the oracle says so."""
    cuts: list[Cut] = [(Point.BEFORE_FIRST_SEND, 2, Blow.REPLACED), (Point.AFTER_OFFSETS, 2, Blow.REPLACED)] * 3
    found = await verdict_of(some(), cuts, batch=20, broker=Unfenced)
    assert found.duplicated + found.order_breaks + found.zombie_records, found


@pytest.mark.parametrize("bug", ["early_merge", "lost_timer"])
async def test_a_planted_bug_is_noticed(bug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """If state is taken over before its commit, or a recovery forgets deadlines, the oracle says so."""
    for where, name in ((Outbox, "add_states"), (recovery, "restore"), (tenure, "restore")):
        monkeypatch.setattr(where, name, getattr(where, name))  # so that it is as it was afterwards
    BUGS[bug]()
    cuts: list[Cut] = [(Point.AFTER_OFFSETS, 2, Blow.FENCED)] * 5
    found = await verdict_of(some(), cuts, batch=20)
    assert not found.clean, found
