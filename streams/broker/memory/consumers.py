"""Consumers in memory: positions, and what was seen when they last looked."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiokafka import ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import ConsumerStoppedError, IllegalOperation, IllegalStateError, UnknownTopicOrPartitionError
from aiokafka.util import commit_structure_validate

from streams.broker.memory.groups import Group
from streams.clock import to_millis

if TYPE_CHECKING:
    from streams.broker.memory.broker import MemoryBroker

_MOST = 500  # records at once, where nobody says how many; aiokafka's


@dataclass(slots=True)
class _Place:
    """Where a partition is read, and what the last fetch said of it. None before."""

    position: int | None = None
    highwater: int | None = None
    stable: int | None = None
    polled: int | None = None


class MemoryConsumer:
    """See :class:`~streams.broker.contract.Consumer`."""

    def __init__(
        self,
        broker: MemoryBroker,
        *,
        group: Group | None = None,
        name: str = "",
        lasting: bool = False,
        from_end: bool = False,
    ) -> None:
        """``lasting``: its partitions wait for another consumer of its name when it stops."""
        self._broker = broker
        self._group = group
        self._name = name
        self._lasting = lasting
        self._from_end = from_end
        self._places: dict[TopicPartition, _Place] = {}
        self._listener: ConsumerRebalanceListener | None = None
        self._started = False
        self._stopped = False
        self._joining: asyncio.Task[None] | None = None
        self.topics: frozenset[str] = frozenset()

    async def start(self) -> None:
        """See :meth:`Consumer.start`."""
        await self._broker.reached("start")
        self._started = True
        for topic in self.topics:
            if self._broker.count(topic) is None:
                raise UnknownTopicOrPartitionError(topic)
        if self.topics:
            await self._join()

    async def stop(self) -> None:
        """See :meth:`Consumer.stop`."""
        if self._stopped:
            return
        self._stopped = True
        if self._joining is not None:
            self._joining.cancel()
        if self._group is not None and self.topics:
            self._group.leave(self._name, self, lasting=self._lasting)
        self._broker.wake()
        await asyncio.sleep(0)

    def assign(self, partitions: Collection[TopicPartition]) -> None:
        """See :meth:`Consumer.assign`."""
        self._places = {partition: _Place() for partition in partitions}

    def subscribe(self, topics: Collection[str], listener: ConsumerRebalanceListener | None = None) -> None:
        """See :meth:`Consumer.subscribe`."""
        if self._group is None:
            raise IllegalOperation("Requires group_id")
        self.topics, self._listener = frozenset(topics), listener
        if self._started:
            self._joining = asyncio.get_running_loop().create_task(self._join(), name=f"{self._name} joins")

    def assignment(self) -> Collection[TopicPartition]:
        """See :meth:`Consumer.assignment`."""
        return set(self._places)

    async def partitions_of(self, topic: str) -> set[int]:
        """See :meth:`Consumer.partitions_of`."""
        await self._broker.reached("metadata")
        return set(range(self._broker.count(topic) or 0))

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """See :meth:`Consumer.seek`."""
        self._place(partition).position = offset

    async def seek_to_beginning(self, *partitions: TopicPartition) -> bool:
        """See :meth:`Consumer.seek_to_beginning`."""
        for partition in partitions:
            self._place(partition).position = self._broker.log(partition).start
        return True

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None
    ) -> dict[TopicPartition, list[ConsumerRecord]]:
        """See :meth:`Consumer.getmany`."""
        until = asyncio.get_running_loop().time() + timeout_ms / 1000
        while True:
            await self._broker.reached("getmany")
            if self._stopped:
                raise ConsumerStoppedError
            news = self._broker.news()
            found = self._fetched(partitions or tuple(self._places), max_records or _MOST)
            left = until - asyncio.get_running_loop().time()
            if found or left <= 0:
                return found
            await asyncio.wait({news}, timeout=left)

    async def position(self, partition: TopicPartition) -> int:
        """See :meth:`Consumer.position`."""
        return self._position(partition)

    def highwater(self, partition: TopicPartition) -> int | None:
        """See :meth:`Consumer.highwater`."""
        return self._place(partition).highwater

    def last_stable_offset(self, partition: TopicPartition) -> int | None:
        """See :meth:`Consumer.last_stable_offset`."""
        return self._place(partition).stable

    def last_poll_timestamp(self, partition: TopicPartition) -> int | None:
        """See :meth:`Consumer.last_poll_timestamp`."""
        return self._place(partition).polled

    async def beginning_offsets(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        """See :meth:`Consumer.beginning_offsets`."""
        await self._broker.reached("beginning_offsets")
        return {partition: self._broker.log(partition).start for partition in partitions}

    async def end_offsets(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        """See :meth:`Consumer.end_offsets`."""
        await self._broker.reached("end_offsets")
        return {partition: self._broker.log(partition).stable for partition in partitions}

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """See :meth:`Consumer.commit`."""
        await self._broker.reached("commit")
        if self._group is None:
            raise IllegalOperation("Requires group_id")
        checked = commit_structure_validate(dict(offsets))
        for partition in checked:
            self._place(partition)
        self._group.commit({partition: tuple(offset) for partition, offset in checked.items()})

    # -- as the group sees it ---------------------------------------------------------------------------------------

    async def revoke(self) -> None:
        """See :meth:`Member.revoke`."""
        revoked = set(self._places)
        if self._listener is not None:
            await self._listener.on_partitions_revoked(revoked)
        self._places = {}

    async def receive(self, partitions: Iterable[TopicPartition]) -> None:
        """See :meth:`Member.receive`."""
        self._places = {partition: _Place() for partition in partitions}
        if self._listener is not None:
            await self._listener.on_partitions_assigned(set(self._places))
        self._broker.wake()

    async def _join(self) -> None:
        assert self._group is not None
        await self._group.join(self._name, self)

    # -- reading ----------------------------------------------------------------------------------------------------

    def _fetched(self, partitions: Iterable[TopicPartition], most: int) -> dict[TopicPartition, list[ConsumerRecord]]:
        found: dict[TopicPartition, list[ConsumerRecord]] = {}
        for partition in partitions:
            place = self._places.get(partition)
            if place is None or most <= 0:
                continue
            log = self._broker.log(partition)
            records, place.position = log.read(self._position(partition), most)
            place.highwater, place.stable = log.end, log.stable
            place.polled = to_millis(self._broker.clock.now())
            if records:
                found[partition] = records
                most -= len(records)
                # the others come first next time
                self._places[partition] = self._places.pop(partition)
        return found

    def _position(self, partition: TopicPartition) -> int:
        place = self._place(partition)
        log = self._broker.log(partition)
        if place.position is None and self._group is not None and partition in self._group.offsets:
            place.position = self._group.offsets[partition][0]
        if place.position is None or not log.start <= place.position <= log.end:
            place.position = log.stable if self._from_end else log.start
        return place.position

    def _place(self, partition: TopicPartition) -> _Place:
        place = self._places.get(partition)
        if place is None:
            raise IllegalStateError(f"Partition {partition} is not assigned")
        return place
