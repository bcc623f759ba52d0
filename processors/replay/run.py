"""A replay from end to end: reads each partition's recorded decisions, replays its touchpoints, and compares."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from processors.journey.playbook import Playbook
from processors.journey.recording import Output
from processors.replay.difference import difference
from processors.replay.fold import Fold, Tally, Touchpoints
from processors.replay.recorded import (
    Decided,
    Decisions,
    Recorded,
    read_decisions,
    read_outreach,
    read_states,
)
from processors.replay.report import Report, SetAside
from processors.replay.source import Extent, Source
from streams.avro.codec import as_written
from streams.clock import to_millis
from streams.http.destinations import STRICT, Destinations
from streams.processor.intake import Intake
from streams.publishing.writers import DEFAULT, Writers

_TELL_EVERY = 500

Progress = Callable[[int, int], None]
"""Called with the number of touchpoints read so far, and the total."""


def _nobody(read: int, of: int) -> None:
    pass


async def replay(
    source: Source,
    *,
    playbook: Playbook,
    since: datetime,
    until: datetime,
    progress: Progress = _nobody,
    destinations: Destinations = STRICT,
    writers: Writers = DEFAULT,
) -> Report:
    """Replay all retained touchpoints under ``playbook``, and compare the decisions in ``since`` <= time < ``until``.
    ``destinations`` and ``writers`` must be those of the journeys role.

    Memory: the states of one partition's customers at a time, and the decisions of the range.
    Raises Unavailable when a server does not answer, Unreadable for a recorded decision that cannot be read.
    """
    extents = await source.extents()
    whole = sum(one.end - one.begin for one in extents)
    recorded: dict[str, Decided] = {}
    replayed: dict[str, Decided] = {}
    incomplete: set[str] = set()
    tally, reached, read = Tally(), to_millis(until), 0
    twice = [0, 0]
    for extent in extents:

        def told(count: int, before: int = read) -> None:
            progress(before + count, whole)

        one = _Partition(
            source,
            extent,
            partitions=len(extents),
            playbook=playbook,
            since=since,
            until=until,
            destinations=destinations,
            writers=writers,
        )
        await one.replay(told)
        read += extent.end - extent.begin
        progress(read, whole)
        recorded |= one.recorded.decisions.whole()
        replayed |= one.replayed.whole()
        incomplete |= one.incomplete
        tally.add(one.fold.tally)
        twice[0] += one.recorded.decisions.doubled
        twice[1] += one.replayed.doubled
        if one.fold.behind:
            reached = min(reached, one.fold.reached)
    known, aside = _parted(recorded, incomplete)
    known_replayed, aside_replayed = _parted(replayed, incomplete)
    return Report(
        since=since,
        until=until,
        playbook=playbook.version,
        reached=reached,
        tally=tally,
        difference=difference(known, known_replayed),
        set_aside=SetAside(customers=frozenset(incomplete), recorded=aside, replayed=aside_replayed),
        recorded_twice=twice[0],
        replayed_twice=twice[1],
    )


class _Partition:
    """The replay of one partition."""

    def __init__(
        self,
        source: Source,
        extent: Extent,
        *,
        partitions: int,
        playbook: Playbook,
        since: datetime,
        until: datetime,
        destinations: Destinations,
        writers: Writers,
    ) -> None:
        self.recorded = Recorded(decisions=Decisions(since=since, until=until))
        self.replayed = Decisions(since=since, until=until)
        self.incomplete: set[str] = set()
        self._source = source
        self._extent = extent
        self._partitions = partitions
        self._playbook = playbook
        self._destinations = destinations
        self._writers = writers
        self._until = until

    async def replay(self, told: Callable[[int], None]) -> None:
        """Read the recorded decisions, decide again, and find customers with an incomplete history."""
        source, extent = self._source, self._extent
        await read_decisions(source, extent.partition, self.recorded)
        self.fold = Fold(
            extent,
            # a window of one record, all of which may be unreadable: the limit that stops the role stops no replay
            intake=Intake(
                logic=Touchpoints(source.topics, writers=self._writers),
                codec=source.codec,
                partition=extent.partition,
                partitions=self._partitions,
                window=1,
                share=1.0,
            ),
            playbook=self._playbook,
            destinations=self._destinations,
            handled_at=self.recorded.handled_at,
            until=to_millis(self._until),
            take=self._take,
        )
        async for raw in source.records(source.topics.touchpoints, extent.partition):
            await self.fold.read(raw)
            if (count := raw.offset + 1 - extent.begin) % _TELL_EVERY == 0:
                told(count)
        self.fold.reach_position()
        decisions = self.recorded.decisions
        decisions.drop([key for key, one in decisions.decisions.items() if self.fold.is_later(one)])
        await read_outreach(source, extent.partition, self.recorded)
        await self._find_incomplete()

    def _take(self, output: Output) -> None:
        if self.replayed.wants(output):
            self.replayed.take(as_written(output))

    async def _find_incomplete(self) -> None:
        """Find customers whose recorded state counts more touchpoints than are retained: the oldest were deleted."""
        decisions = (*self.recorded.decisions.decisions.values(), *self.replayed.decisions.values())
        customers = {decision.customer_id for decision in decisions}
        states = await read_states(self._source, self._extent.partition, customers)
        for customer in customers:
            if customer in states:
                if not self.fold.has_all_of(states[customer]):
                    self.incomplete.add(customer)
            elif self._extent.begin and not self.fold.knows(customer):
                # the state was deleted, so its number of touchpoints is unknown
                self.incomplete.add(customer)


def _parted(decided: dict[str, Decided], incomplete: set[str]) -> tuple[dict[str, Decided], int]:
    known = {key: one for key, one in decided.items() if one.decision.customer_id not in incomplete}
    return known, len(decided) - len(known)
