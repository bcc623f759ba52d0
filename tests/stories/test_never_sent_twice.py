"""No letter is ever silently sent twice."""

from __future__ import annotations

import pytest

from processors.outreach.errors import Ambiguous
from processors.outreach.ledger import LedgerLogic
from streams.events import Address, LedgerStatus, OutreachChannel, OutreachLedgerEntry, OutreachUncertain
from streams.processor import Incoming, Step
from streams.topics import Topics
from tests.outreach.given import NOON, letter, outreach_id, request
from tests.outreach.test_webhook import hooked

BY_MAIL = Address(channel=OutreachChannel.EMAIL, address="ana@mail.example")
BY_WEBHOOK = Address(channel=OutreachChannel.WEBHOOK, address="https://ana.example/hook")
LEDGER = LedgerLogic(topics=Topics(), idempotent={OutreachChannel.EMAIL: False, OutreachChannel.WEBHOOK: True})


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


def test_the_step_that_calls_is_the_step_that_records_the_intent() -> None:
    """The intent is committed before the mail server is called."""
    step = requested(BY_MAIL)
    assert step.state is not None
    assert step.state.status is LedgerStatus.INTENT
    [call] = step.effects  # performed once this step's transaction is committed: tests/live/test_processor.py
    assert call.key == step.state.outreach_id


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
