"""Consumer groups: who reads which partition, and how far a group has come."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

import structlog
from aiokafka import TopicPartition

log = structlog.get_logger()


class Member(Protocol):
    """A consumer as its group sees it."""

    @property
    def topics(self) -> frozenset[str]: ...

    async def revoke(self) -> None:
        """Give up what it reads; returns when its listener has let go."""
        ...

    async def receive(self, partitions: Iterable[TopicPartition]) -> None:
        """Read these from now on."""
        ...


class Group:
    """One group. Every change of its members takes all partitions back and deals them out again, one after another.

    A member that is known by an instance and stops keeps its partitions until :meth:`expire`.
    """

    def __init__(self, partitions_of: Callable[[str], Iterable[TopicPartition]]) -> None:
        self.offsets: dict[TopicPartition, tuple[int, str]] = {}
        """How far the group has come, each with the text it was committed with."""
        self._partitions_of = partitions_of
        self._members: dict[str, Member | None] = {}
        self._held: dict[str, list[TopicPartition]] = {}
        self._changed = False
        self._dealing: asyncio.Task[None] | None = None

    async def join(self, name: str, member: Member) -> None:
        """Become a member; returns when partitions are assigned."""
        if name in self._members and name in self._held:
            # known by its instance: what it had is its own again, and nobody else is disturbed
            self._members[name] = member
            await member.receive(self._held[name])
            return
        self._members[name] = member
        await asyncio.shield(self._deal())

    def leave(self, name: str, member: Member, *, lasting: bool) -> None:
        """Be a member no more; ``lasting``: its partitions wait for it."""
        if self._members.get(name) is not member:
            return  # somebody of the same instance took its place
        if lasting:
            self._members[name] = None
            return
        del self._members[name]
        self._held.pop(name, None)
        if self._members:
            self._deal()

    async def expire(self) -> None:
        """The sessions of members that are gone have timed out: others get their partitions."""
        for name in [name for name, member in self._members.items() if member is None]:
            del self._members[name]
            self._held.pop(name, None)
        if self._members:
            await asyncio.shield(self._deal())

    def look_again(self) -> None:
        """Topics have come: what there is to read is dealt out again."""
        if self._members:
            self._deal()

    def commit(self, offsets: Mapping[TopicPartition, tuple[int, str]]) -> None:
        """Remember how far the group has come."""
        self.offsets.update(offsets)

    def _deal(self) -> asyncio.Task[None]:
        self._changed = True
        if self._dealing is None or self._dealing.done():
            self._dealing = asyncio.get_running_loop().create_task(self._dealt(), name="deal partitions out")
        return self._dealing

    async def _dealt(self) -> None:
        while self._changed:
            self._changed = False
            for present in self._present():
                try:
                    await present.revoke()
                except Exception:
                    log.exception("rebalance_listener_failed", why="partitions were revoked")
            self._held = self._shares()
            for name, member in list(self._members.items()):
                if member is not None and self._members.get(name) is member and not self._changed:
                    try:
                        await member.receive(self._held[name])
                    except Exception:
                        log.exception("rebalance_listener_failed", why="partitions were assigned")

    def _present(self) -> list[Member]:
        return [member for member in self._members.values() if member is not None]

    def _shares(self) -> dict[str, list[TopicPartition]]:
        """The partitions of all topics one by one to the members in the order of their names, as aiokafka does it."""
        shares: dict[str, list[TopicPartition]] = {name: [] for name in self._members}
        names = sorted(shares)
        topics = {topic for member in self._present() for topic in member.topics}
        turn = 0
        for partition in sorted(one for topic in topics for one in self._partitions_of(topic)):
            for _ in names:
                name = names[turn % len(names)]
                turn += 1
                holder = self._members[name]
                if holder is None or partition.topic in holder.topics:
                    shares[name].append(partition)
                    break
        return shares
