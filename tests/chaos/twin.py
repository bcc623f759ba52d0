"""A drive without servers: the processor on the broker in memory, what it writes signed, and the oracle's verdict."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from hypothesis import strategies as st

from processors.playbook import load_playbook
from processors.roles.journeys import JourneyLogic
from streams.avro.codec import Codec
from streams.broker.memory import MemoryBroker
from streams.broker.memory.producers import MemoryTransactions
from streams.clock import ManualClock, to_millis
from streams.processor import Limits
from streams.processor.shared import Shared
from tests.chaos.oracle import Oracle, identity_of
from tests.chaos.stories import closing
from tests.chaos.verdict import Verdict, judge
from tests.chaos.watching import LIFE, Seen, Watcher, seen_of
from tests.journey.anything import lives
from tests.journey.given import NOON
from tests.streams.given import TOPICS
from tests.streams.owning import EVENTS, QUICK, TOUCHPOINTS, committed, set_up, worker

_LATER_THAN_ANY = ManualClock(datetime(2999, 1, 1, tzinfo=UTC))


class SigningBroker(MemoryBroker):
    """Every record of a transaction says which owner wrote it, the how manieth producer there was."""

    lives = itertools.count(1)

    def transactional(self, transactional_id: str, *, within: timedelta) -> MemoryTransactions:
        """See :meth:`MemoryBroker.transactional`."""
        producer: Any = MemoryBroker.transactional(self, self.known_as(transactional_id), within=within)
        life, create = f"1.{next(self.lives)}.0".encode(), producer.create_batch

        def signed() -> Any:
            batch = create()
            append = batch.append
            batch.append = lambda *, headers, **named: append(headers=[*headers, (LIFE, life)], **named)
            return batch

        producer.create_batch = signed
        made: MemoryTransactions = producer
        return made

    def known_as(self, transactional_id: str) -> str:
        """The transactional id that the broker gets to know."""
        return transactional_id


class Drive:
    """A history on the touchpoints topic, and workers that process it."""

    def __init__(self, codec: Codec, broker: MemoryBroker) -> None:
        self.codec = codec
        self.broker = broker
        self.logic = JourneyLogic(topics=TOPICS, playbook=load_playbook())

    @classmethod
    async def begun(
        cls, codec: Codec, told: Sequence[tuple[datetime, Any]], *, broker: type[MemoryBroker] = SigningBroker
    ) -> Drive:
        """Everything is told; nothing is processed."""
        drive = cls(codec, broker(clock=_LATER_THAN_ANY))
        await set_up(drive.broker)
        producer = drive.broker.occasional(largest=2 << 20)
        await producer.start()
        for at, event in told:
            value, key = codec.encode(TOPICS.touchpoints, event), event.customer_id.encode()
            await producer.send_and_wait(TOUCHPOINTS.topic, value, key, timestamp_ms=to_millis(at))
        return drive

    async def worker(self, limits: Limits = QUICK) -> Shared[Any]:
        """One more of them."""
        return await worker(self.broker, self.codec, logic=self.logic, limits=limits)

    async def verdict(self, *, fails: Callable[[Any], bool] = lambda event: False) -> Verdict:
        """What the oracle says of what is committed now. ``fails``: the events of which the step fails."""
        seen = Watcher(EVENTS)
        for topic in TOPICS.all():
            name = TOPICS.full_name(topic)
            seen.records[topic.name, 0] = [seen_of(topic, one) for one in await committed(self.broker, name)]
        oracle = Oracle(topics=TOPICS, partitions=1, codec=self.codec, fails=fails)
        for one in seen.of(TOPICS.touchpoints):
            await oracle.read(one)

        async def identify(one: Seen) -> str:
            return identity_of(await self.codec.decode(one.value))

        async def recode(value: bytes) -> bytes:
            state: Any = await self.codec.decode(value)
            return self.codec.encode(TOPICS.journeys, state)

        return await judge(oracle.expected, seen, seen, topics=TOPICS, identify=identify, recode=recode)

    def is_done(self, position: int | None) -> bool:
        """Whether nothing is left behind ``position`` of what was told, and retold by the processor."""
        return position is not None and not self.broker.log(TOUCHPOINTS).read(position, 1)[0]


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[datetime, Any]]:
    """The lives of a few customers, interleaved; some told twice, some shuffled, some late."""
    told: list[tuple[datetime, Any]] = []
    for number in range(draw(st.integers(1, 4))):
        at = NOON
        for pause, event in draw(lives(12)):
            at += pause
            told.append((at, msgspec.structs.replace(event, customer_id=f"customer-{number}")))
    told.sort(key=lambda one: one[0])
    told += [told[at] for at in draw(st.lists(st.integers(0, len(told) - 1), max_size=4))] if told else []
    for source, target in draw(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)), max_size=6)):
        if told:
            told.insert(target % len(told), told.pop(source % len(told)))
    last = max((at for at, _ in told), default=NOON)
    return [*told, closing(last + timedelta(days=3), "closing")]
