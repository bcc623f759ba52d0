"""How many letters are open at a time is bounded, whatever asks for them: after a crash so many are uncertain."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

from processors.outreach.ledger import FIRST_RETRY, LedgerLogic
from processors.outreach.results import Postponed
from streams.avro.codec import Codec
from streams.clock import ManualClock, PartitionClock, to_millis
from streams.config import Settings
from streams.events import Address, OutreachChannel, OutreachLedgerEntry, OutreachRequested
from streams.order import follow
from streams.processor import Incoming
from streams.processor.deadlines import Deadlines
from streams.processor.intake import Intake
from streams.processor.steps import Steps
from streams.processor.store import Overlay, Store
from streams.processor.transaction import Outbox, Transaction
from tests.outreach.given import NOON, outreach_id, request
from tests.streams.given import TOPICS, prepared, record

SETTINGS = Settings(partitions=1)
AFTER = NOON + FIRST_RETRY + timedelta(seconds=1)
LATER = Postponed(channel=OutreachChannel.EMAIL, provider="smtp", detail="451 try again")


class Dispatcher:
    """The processor's steps with the ledger's logic, on a partition where many letters wait for the mail server."""

    def __init__(self, steps: Steps[OutreachLedgerEntry], store: Store[OutreachLedgerEntry], codec: Codec) -> None:
        self._steps = steps
        self._store = store
        self._codec = codec

    @classmethod
    async def with_waiting(cls, count: int) -> Dispatcher:
        """So many letters wait, all until the same moment."""
        logic = LedgerLogic(topics=TOPICS, idempotent={OutreachChannel.EMAIL: False})
        codec, _ = await prepared()
        store: Store[OutreachLedgerEntry] = Store(codec=codec, topic=TOPICS.outreach_ledger, cache_size=1_000)
        wakes, overlay = Deadlines(as_they_came=True), Overlay(store)
        for number in range(count):
            entry = _waiting(logic, number)
            overlay.put(entry.outreach_id, entry)
            follow(wakes, entry.outreach_id, entry)
        store.merge(store.encode(overlay))
        steps = Steps(
            settings=SETTINGS, group="test", logic=logic, wakes=wakes, busy=lambda key: False, wall=ManualClock(AFTER),
            intake=Intake(logic=logic, codec=codec, partition=0, partitions=1, window=10, share=0.5),
            outbox=Outbox(settings=SETTINGS, codec=codec, logic=logic, role="outreach", partition=0, partitions=1),
            timers=1_000, outside=True,
        )  # fmt: skip
        return cls(steps, store, codec)

    async def transact(self, *, room: int, asked: int = 0) -> Transaction[OutreachLedgerEntry]:
        """A transaction after the moment they all wait for, with so many new requests, which come later still."""
        at = to_millis(AFTER)
        records = [
            dataclasses.replace(
                record(self._codec.encode(TOPICS.outreach, _request(1_000 + offset)), offset=offset), timestamp=at
            )
            for offset in range(asked)
        ]
        tx = await self._steps.make(
            lambda: Transaction(
                overlay=Overlay(self._store), clock=PartitionClock(to_millis(NOON)), position=0, room=room
            ),
            records=records,
            tick=at,
        )
        self._store.merge(tx.changes)
        return tx


def _request(number: int) -> OutreachRequested:
    to = Address(channel=OutreachChannel.EMAIL, address="ana@mail.example")
    return request(outreach_id=outreach_id(number), customer_id=f"customer-{number}", addresses=(to,))


def _waiting(logic: LedgerLogic, number: int) -> OutreachLedgerEntry:
    """A letter that the mail server wanted later."""
    asked = Incoming(record=_request(number), value=b"", headers=[])
    intent = logic.receive(asked, None, NOON, busy=False).state
    entry = logic.completed(outreach_id(number), intent, LATER, NOON).state
    assert entry is not None
    return entry


async def test_after_an_outage_no_more_letters_are_open_than_agreed() -> None:
    """Fifty letters are due again at once: they leave sixteen at a time, each once, the first due first."""
    dispatcher = await Dispatcher.with_waiting(50)
    left = [[effect.key for effect in (await dispatcher.transact(room=16)).effects] for _ in range(5)]
    assert [len(each) for each in left] == [16, 16, 16, 2, 0]
    assert len({key for each in left for key in each}) == 50


async def test_new_letters_share_the_room() -> None:
    """Requests are heard whatever room there is; they leave as they came, when there is room for them."""
    dispatcher = await Dispatcher.with_waiting(0)
    taken = await dispatcher.transact(room=5, asked=8)
    assert ([effect.key for effect in taken.effects], taken.position) == (
        [outreach_id(n) for n in range(1_000, 1_005)],
        8,
    )
    rest = await dispatcher.transact(room=5)
    assert [effect.key for effect in rest.effects] == [outreach_id(n) for n in range(1_005, 1_008)]


async def test_without_room_nothing_is_begun() -> None:
    """What is due stays due, while requests and retractions are heard."""
    dispatcher = await Dispatcher.with_waiting(3)
    full = await dispatcher.transact(room=0, asked=1)
    assert (full.effects, full.position, full.timers) == ([], 1, 0)
    assert len((await dispatcher.transact(room=16)).effects) == 4
