"""What the brokers know: themselves, topics and their replicas, groups with their members, and the ends of topics."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Iterable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment
from aiokafka.errors import KafkaError
from aiokafka.protocol.metadata import MetadataRequest

from processors.status.reading import Ends, last_of, reason_of
from processors.status.seen import Group, Member, Seen, Spread
from streams.avro.codec import schema_id_of
from streams.broker.answering import kafka_unavailable
from streams.broker.closing import closed
from streams.broker.kafka import KafkaAdmin
from streams.broker.provision import compared_by
from streams.config import Settings
from streams.durations import whole_millis
from streams.errors import Unavailable
from streams.topics import Topic

_UUID = re.compile(r"-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
_CONSUMER = "consumer"

Bounds = dict[TopicPartition, tuple[int, int]]
Positions = Mapping[tuple[str, int], int]


class Brokers:
    """Asks all of it at once and writes what it hears to ``seen``, each part as soon as it is known."""

    def __init__(self, settings: Settings, seen: Seen, *, within: timedelta) -> None:
        """``within``: the limit of one request; whoever calls :meth:`ask` limits the whole."""
        self._settings = settings
        self._seen = seen
        self._within = within
        self._bounds: Bounds = {}
        self._client: Any = None
        self._ends: Ends | None = None
        self.answered_after: float | None = None
        """Seconds until a broker named the brokers; None before."""

    async def ask(self, uncertain: Awaitable[frozenset[int]], view: Awaitable[Positions]) -> None:
        """``uncertain``: the schema ids of an uncertain letter's outcome, once the registry has told them; ``view``:
        up to where the view was read, once Redis has. Raises KafkaError if no broker answers; what fails later is
        unknown in ``seen``."""
        self._client = AIOKafkaAdminClient(
            **self._settings.kafka_client(),
            client_id="careline-status",
            request_timeout_ms=whole_millis(self._within),
        )
        self._ends = Ends(self._settings, within=self._within)
        begun = time.monotonic()
        await asyncio.gather(self._client.start(), self._ends.start())
        self._seen.cluster = await KafkaAdmin(self._client).cluster()
        self.answered_after = time.monotonic() - begun
        there = await self._partitions()
        await asyncio.gather(
            self._part("topics", self._compare(there)),
            self._part("ends", self._look_at_ends(there, uncertain, view)),
        )

    async def close(self) -> None:
        """Disconnect."""
        for client in (self._client, self._ends):
            if client is not None:
                with suppress(KafkaError, OSError):
                    await closed(client)

    async def _part(self, name: str, work: Awaitable[None]) -> None:
        try:
            await work
        except KafkaError as error:
            self._seen.unknown[name] = str(kafka_unavailable(self._settings, error))
        except Unavailable as error:
            self._seen.unknown[name] = str(error)

    async def _partitions(self) -> dict[str, list[TopicPartition]]:
        """The partitions of those topics of ours that exist, and how they are kept."""
        ours = {self._settings.topics.full_name(topic) for topic in self._settings.topics.all()}
        # by name, since there may be thousands of others; and without the brokers making those that do not exist
        asked = MetadataRequest(sorted(ours), allow_auto_topic_creation=False)
        answer = (await self._client._send_request(asked)).to_object()
        described = [one for one in answer["topics"] if not one["error_code"]]
        self._seen.replication = self._settings.replication
        self._seen.spread = {
            one["topic"]: Spread(
                replication=min((len(part["replicas"]) for part in one["partitions"]), default=0),
                lacking=tuple(
                    sorted(part["partition"] for part in one["partitions"] if len(part["isr"]) < len(part["replicas"]))
                ),
            )
            for one in described
        }
        return {
            one["topic"]: sorted(TopicPartition(one["topic"], part["partition"]) for part in one["partitions"])
            for one in described
        }

    async def _compare(self, there: Mapping[str, list[TopicPartition]]) -> None:
        counts = {name: len(places) for name, places in there.items()}
        plan = await compared_by(KafkaAdmin(self._client), self._settings, partitions=counts)
        self._seen.topics = plan.changes

    async def _look_at_ends(
        self,
        there: Mapping[str, list[TopicPartition]],
        uncertain: Awaitable[frozenset[int]],
        view: Awaitable[Positions],
    ) -> None:
        assert self._ends is not None
        await self._ends.know(there)
        self._bounds = await self._ends.bounds([place for places in there.values() for place in places])
        topics = self._settings.topics
        touchpoints, asked = self._of(topics.touchpoints), self._of(topics.outreach)
        self._seen.any_event = any(end > begin for begin, end in touchpoints.values())
        await asyncio.gather(
            self._part("last event", self._see_last_event(touchpoints)),
            self._part("journeys", self._group("journeys", touchpoints)),
            self._part("outreach", self._group("outreach", asked)),
            self._part("measure", self._group("measure", touchpoints)),
            self._part("view", self._see_view(view)),
            self._part("dead letters", self._count_dead_letters()),
            self._part("uncertain letters", self._count_uncertain(uncertain)),
        )

    def _of(self, topic: Topic) -> Bounds:
        name = self._settings.topics.full_name(topic)
        return {place: bounds for place, bounds in self._bounds.items() if place.topic == name}

    async def _see_last_event(self, touchpoints: Bounds) -> None:
        assert self._ends is not None
        self._seen.last_event = last_of(await self._ends.tail(touchpoints))

    async def _see_view(self, view: Awaitable[Positions]) -> None:
        assert self._ends is not None
        known = {TopicPartition(*place): offset for place, offset in (await view).items()}
        left = await self._ends.left({one: self._bounds[one] for one in known if one in self._bounds}, known)
        self._seen.view_lag = sum(left.values()) if known else None

    async def _count_dead_letters(self) -> None:
        assert self._ends is not None
        bounds = self._of(self._settings.topics.dead_letters)
        self._seen.dead_letters = await self._ends.of_the_last_day(bounds, self._seen.at, counts=reason_of)

    async def _count_uncertain(self, uncertain: Awaitable[frozenset[int]]) -> None:
        assert self._ends is not None
        bounds = self._of(self._settings.topics.outcomes)
        ids = await uncertain

        def counts(record: Any) -> str | None:
            known = record.value is not None and schema_id_of(record.value) in ids
            return "uncertain" if known else None

        self._seen.uncertain = await self._ends.of_the_last_day(bounds, self._seen.at, counts=counts)

    async def _group(self, role: str, bounds: Bounds) -> None:
        assert self._ends is not None
        name = f"{self._settings.topic_prefix}{role}"
        coordinator = await self._client.find_coordinator(name)
        described, offsets = await asyncio.gather(
            self._client.describe_consumer_groups([name], coordinator),
            self._client.list_consumer_group_offsets(name, coordinator, list(bounds) or None),
        )
        [(_, _, state, kind, _, members, *_)] = described[0].groups
        committed = {place: one.offset for place, one in offsets.items() if one.offset >= 0}
        topic = {place.topic for place in bounds}
        self._seen.groups[role] = Group(
            state=state,
            members=tuple(_member(name, one, topic) for one in members) if kind in ("", _CONSUMER) else (),
            lag={place.partition: count for place, count in (await self._ends.left(bounds, committed)).items()},
            committed=bool(committed),
        )


def _member(group: str, said: tuple[Any, ...], topics: set[str]) -> Member:
    member_id, client, host, _, assignment = said[:5]
    instance = _UUID.sub("", member_id).removeprefix(f"{group}-") if member_id.startswith(f"{group}-") else None
    return Member(
        client=client,
        host=host.removeprefix("/"),
        instance=instance,
        partitions=tuple(sorted(_assigned(assignment, topics))),
    )


def _assigned(assignment: bytes, topics: set[str]) -> Iterable[int]:
    if not assignment:  # while the group is giving them out
        return ()
    try:
        decoded = ConsumerProtocolMemberAssignment.decode(assignment)
    except ValueError:  # another protocol's
        return ()
    return [number for topic, numbers in decoded.assignment if topic in topics for number in numbers]
