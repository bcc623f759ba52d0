"""The dispatcher in memory while something was away: its own worker, the mail server, or whoever publishes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from processors.letters.templates import Templates
from processors.outreach.channels import Letter, Receipt
from processors.outreach.channels.agent_task import AgentTaskChannel
from processors.outreach.delivery import Delivery
from processors.outreach.errors import TryLater
from processors.outreach.ledger import LedgerLogic
from streams.avro.codec import Codec
from streams.clock import ManualClock, PartitionClock, from_millis, to_millis
from streams.config import Settings, TimeSource
from streams.events import OutreachChannel, OutreachLedgerEntry, OutreachRequested, OutreachRetracted
from streams.processor.deadlines import Deadlines
from streams.processor.intake import Intake
from streams.processor.logic import Completion
from streams.processor.steps import Steps
from streams.processor.store import Overlay, Store
from streams.processor.transaction import Outbox, Transaction
from tests.streams.given import TOPICS, prepared, record

Asked = OutreachRequested | OutreachRetracted
_OTHERS = (OutreachChannel.EMAIL, OutreachChannel.SMS, OutreachChannel.WEBHOOK)


@dataclass(frozen=True, slots=True)
class Seen:
    """A letter as the customer got it, and when."""

    outreach_id: str
    channel: OutreachChannel
    at: datetime


class Drive:
    """One partition: what was published and when, a worker, and providers that may be away."""

    def __init__(self, source: TimeSource, begin: datetime, codec: Codec, *, batch: int, room: int) -> None:
        settings = Settings(partitions=1, time_source=source)
        self.live = source is TimeSource.WALL
        self.wall = ManualClock(begin)
        self.seen: list[Seen] = []
        self.told: list[Any] = []
        """Everything that was sent to any topic, in its order."""
        self.away: tuple[datetime, datetime] | None = None
        """The time in which no provider answers."""
        self._batch, self._room = batch, room
        self._codec = codec
        self._topic: list[tuple[datetime, Asked]] = []
        self._clock, self._position = 0, 0
        self._completions: list[Completion] = []
        self._store: Store[OutreachLedgerEntry] = Store(codec=codec, topic=TOPICS.outreach_ledger, cache_size=1_000)
        self._wakes = Deadlines(as_they_came=self.live)
        channels = {kind: _Provider(self, kind) for kind in _OTHERS}
        self._delivery = Delivery(
            channels={**channels, OutreachChannel.AGENT_TASK: AgentTaskChannel()},
            templates=Templates(),
            clock=self.wall.now,
        )
        logic = LedgerLogic(topics=TOPICS, idempotent={}, time_source=source)
        self._steps: Steps[OutreachLedgerEntry] = Steps(
            settings=settings, group="test", logic=logic, wakes=self._wakes, wall=self.wall, outside=True, timers=100,
            busy=lambda key: any(done.effect.key == key for done in self._completions),
            intake=Intake(logic=logic, codec=codec, partition=0, partitions=1, window=10, share=0.5),
            outbox=Outbox(settings=settings, codec=codec, logic=logic, role="outreach", partition=0, partitions=1),
        )  # fmt: skip

    @classmethod
    async def of(cls, source: TimeSource, begin: datetime, *, batch: int = 3, room: int = 2) -> Drive:
        """``batch`` records a transaction, ``room`` for so many calls at a time."""
        codec, _ = await prepared()
        return cls(source, begin, codec, batch=batch, room=room)

    @property
    def now(self) -> datetime:
        """Real time live, else how far the stream is."""
        return self.wall.now() if self.live else from_millis(self._clock)

    def publish(self, at: datetime, *asked: Asked) -> None:
        """The journeys role asked for it then."""
        self._topic += [(at, one) for one in asked]
        self._topic.sort(key=lambda one: one[0])

    async def run(self, until: datetime, *, pause: timedelta = timedelta(minutes=1)) -> None:
        """The worker works up to then; in event time on all that is published up to then."""
        while True:
            while await self._transact(until):
                pass
            if not self.live or self.wall.now() >= until:
                return
            self.wall.advance(min(pause, until - self.wall.now()))

    async def _transact(self, until: datetime) -> bool:
        """One transaction and the calls it asks for; False where there was nothing to do."""
        known = min(until, self.wall.now()) if self.live else until
        waiting = list(self._unread(known))
        taken, done = waiting[: self._batch], self._completions
        caught_up = to_millis(known) if self.live and len(taken) == len(waiting) else None
        due = self._wakes.next()
        if not taken and not done and (caught_up is None or due is None or due > caught_up):
            return False
        tx = await self._steps.make(
            lambda: Transaction(
                overlay=Overlay(self._store), clock=PartitionClock(self._clock), position=self._position,
                room=self._room,
            ),
            records=taken, completions=done, tick=caught_up,
        )  # fmt: skip
        self._store.merge(tx.changes)
        self._position, self._clock = tx.position, tx.clock.millis
        self.told += [send.record for send in tx.sent]
        self._completions = done[len(tx.settled) :]
        self._completions += [Completion(effect, await self._delivery.perform(effect)) for effect in tx.effects]
        return True

    def _unread(self, known: datetime) -> Iterator[Any]:
        for offset, (at, asked) in enumerate(self._topic):
            if offset >= self._position and at <= known:
                raw = record(self._codec.encode(TOPICS.outreach, asked), offset=offset)
                yield dataclasses.replace(raw, timestamp=to_millis(at))


class _Provider:
    """Takes every letter but while it is away."""

    idempotent = False

    def __init__(self, drive: Drive, kind: OutreachChannel) -> None:
        self.provider = kind.lower()
        self._drive, self._kind = drive, kind

    async def send(self, letter: Letter) -> Receipt:
        """Take it, if somebody is there."""
        away, now = self._drive.away, self._drive.now
        if away is not None and away[0] <= now < away[1]:
            raise TryLater("nobody answers")
        self._drive.seen.append(Seen(letter.outreach_id, self._kind, now))
        return Receipt(provider=self.provider, message_id=letter.outreach_id)

    async def close(self) -> None:
        """Nothing is held."""
