"""A result that comes after a quiet while: the partition's clock stood still meanwhile, and jumps in the same
transaction."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

from processors.outreach.ledger import LedgerLogic
from processors.outreach.results import Postponed
from streams.clock import ManualClock, PartitionClock, to_millis
from streams.config import Settings
from streams.events import Address, LedgerStatus, OutreachChannel, OutreachLedgerEntry, OutreachRetracted
from streams.processor import Incoming
from streams.processor.deadlines import Deadlines
from streams.processor.intake import Intake
from streams.processor.logic import Completion
from streams.processor.steps import Steps
from streams.processor.store import Overlay, Store
from streams.processor.transaction import Outbox, Transaction
from tests.outreach.given import NOON, outreach_id, request
from tests.streams.given import TOPICS, prepared, record

SETTINGS = Settings(partitions=1)
LATER = Postponed(channel=OutreachChannel.EMAIL, provider="smtp", detail="451 try again")
ID = outreach_id(1)
ASKED = request(outreach_id=ID, addresses=(Address(channel=OutreachChannel.EMAIL, address="ana@mail.example"),))
RETRACTED = OutreachRetracted(
    outreach_id=ID, customer_id=ASKED.customer_id, retracted_at=NOON, decision_id="d", policy="delay_care",
    journey_id="j", reason="wait_over",
)  # fmt: skip
A_MINUTE_LATER = to_millis(NOON + timedelta(minutes=1))


async def transaction(*, retracted: bool = False) -> Transaction[OutreachLedgerEntry]:
    """A letter is under way since noon; a minute later the mail server says "later", and perhaps it is retracted."""
    logic = LedgerLogic(topics=TOPICS, idempotent={OutreachChannel.EMAIL: False})
    codec, _ = await prepared()
    store: Store[OutreachLedgerEntry] = Store(codec=codec, topic=TOPICS.outreach_ledger, cache_size=10)
    heard = logic.receive(Incoming(record=ASKED, value=b"", headers=[]), None, NOON, busy=False)
    assert heard.state is not None
    begun = logic.wake(ID, heard.state, NOON, busy=False)
    assert begun.state is not None
    overlay = Overlay(store)
    overlay.put(ID, begun.state)
    store.merge(store.encode(overlay))
    steps = Steps(
        settings=SETTINGS, group="test", logic=logic, wakes=Deadlines(), busy=lambda key: key == ID,
        wall=ManualClock(NOON + timedelta(seconds=50)),
        intake=Intake(logic=logic, codec=codec, partition=0, partitions=1, window=10, share=0.5),
        outbox=Outbox(settings=SETTINGS, codec=codec, logic=logic, role="outreach", partition=0, partitions=1),
        timers=1_000, outside=True,
    )  # fmt: skip
    news = [record(codec.encode(TOPICS.outreach, RETRACTED), topic="careline.outreach")] if retracted else []
    return await steps.make(
        lambda: Transaction(overlay=Overlay(store), clock=PartitionClock(to_millis(NOON)), position=0, room=16),
        completions=[Completion(begun.effects[0], LATER)],
        records=[dataclasses.replace(one, timestamp=to_millis(NOON)) for one in news],
        tick=A_MINUTE_LATER,
    )


async def test_a_letter_that_is_due_again_at_once_is_sent_again() -> None:
    """It is not taken for one that is still with the mail server, and left alone for a day."""
    tx = await transaction()
    assert [effect.key for effect in tx.effects] == [ID]
    entry = tx.overlay.changed[ID]
    assert entry is not None
    assert (entry.status, entry.attempts) == (LedgerStatus.INTENT, 2)


async def test_a_letter_that_did_not_leave_and_is_retracted_is_not_uncertain() -> None:
    """The mail server said that it did not take it."""
    tx = await transaction(retracted=True)
    assert tx.effects == []
    entry = tx.overlay.changed[ID]
    assert entry is not None
    assert entry.status is LedgerStatus.RETRACTED
