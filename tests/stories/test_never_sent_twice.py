"""No letter is ever silently sent twice."""

from __future__ import annotations

from typing import Any

import pytest

from processors.outreach.errors import Ambiguous
from processors.outreach.ledger import LedgerLogic
from processors.outreach.results import Delivered
from streams.broker.memory import MemoryBroker
from streams.clock import ManualClock, to_millis
from streams.config import Settings
from streams.events import Address, LedgerStatus, OutreachChannel, OutreachLedgerEntry, OutreachUncertain
from streams.processor import Effect, Incoming, Step
from tests.journey.codec import TOPICS, codec
from tests.outreach.given import NOON, letter, outreach_id, request
from tests.outreach.test_webhook import hooked
from tests.streams.owning import broker_with_topics, committed, running, until, worker

BY_MAIL = Address(channel=OutreachChannel.EMAIL, address="ana@mail.example")
BY_WEBHOOK = Address(channel=OutreachChannel.WEBHOOK, address="https://ana.example/hook")
LEDGER = LedgerLogic(topics=TOPICS, idempotent={OutreachChannel.EMAIL: False, OutreachChannel.WEBHOOK: True})


def requested(to: Address) -> Step[OutreachLedgerEntry]:
    """The step of the outreach role in which the letter's turn comes."""
    asked = request(addresses=(to,))
    heard = LEDGER.receive(Incoming(record=asked, value=b"", headers=()), None, NOON, busy=False)
    assert heard.state is not None
    return LEDGER.wake(asked.outreach_id, heard.state, NOON, busy=False)


def after_a_crash(step: Step[OutreachLedgerEntry]) -> Step[OutreachLedgerEntry]:
    """What the next worker does with an intent of which it does not know what became."""
    assert step.state is not None
    resumed = LEDGER.resume(step.state.outreach_id, step.state, NOON)
    assert resumed is not None
    return resumed


class MailServer:
    """Looks at what is on record when it is called."""

    def __init__(self, broker: MemoryBroker) -> None:
        self._broker = broker
        self.on_record: list[Any] = []

    async def perform(self, effect: Effect) -> Delivered:
        """Takes the letter."""
        entries = await committed(self._broker, "careline.outreach-ledger")
        self.on_record += [await codec().decode(entry.value) for entry in entries]
        return Delivered(channel=OutreachChannel.EMAIL, provider="smtp", message_id=effect.key)

    def withdraw(self, key: str) -> None:
        """Nothing is withdrawn here."""


async def test_a_mail_server_is_called_with_the_intent_on_record() -> None:
    """The intent is committed before the mail server is called."""
    broker = await broker_with_topics()
    server = MailServer(broker)
    producer = broker.publishing(largest=1 << 20)
    await producer.start()
    asked = request(addresses=(BY_MAIL,))
    value = codec().encode(TOPICS.outreach, asked)
    await producer.send_and_wait("careline.outreach", value, b"customer-7", timestamp_ms=to_millis(NOON))

    shared = await worker(
        broker,
        codec(),
        settings=Settings(partitions=1),
        role="outreach",
        logic=LEDGER,
        performer=server,
        clock=ManualClock(NOON),
    )
    async with running(shared):
        await until(lambda: bool(server.on_record))
    assert [(entry.outreach_id, entry.status) for entry in server.on_record] == [
        (asked.outreach_id, LedgerStatus.INTENT)
    ]


def test_an_e_mail_in_doubt_is_told_and_left_alone() -> None:
    """If a crash hides whether an e-mail left, it is recorded as `OutreachUncertain` and not sent again."""
    step = after_a_crash(requested(BY_MAIL))
    assert not step.effects
    assert {type(send.record) for send in step.sends} == {OutreachUncertain}
    assert step.state is not None
    assert step.state.status is LedgerStatus.UNCERTAIN


async def test_a_webhook_in_doubt_is_sent_again_and_received_once() -> None:
    """Webhooks carry the outreach id and are sent again; receivers drop an id they already know."""
    assert len(after_a_crash(requested(BY_WEBHOOK)).effects) == 1
    async with hooked() as (receiver, channel):
        said = letter(address=receiver.url)
        receiver.next.append("drop")  # it takes the letter, and its answer is lost
        with pytest.raises(Ambiguous):
            await channel.send(said)
        await channel.send(said)
        assert receiver.calls == 2
        assert list(receiver.seen) == [outreach_id(1)]
