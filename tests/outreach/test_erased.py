"""What the dispatcher keeps of somebody who was erased: nothing to know them by, wherever their letter was."""

from __future__ import annotations

from datetime import timedelta

import pytest

from processors.outreach.results import Delivered, Failed, Postponed, Result, Unknown
from streams.events import Address, FailureReason, LedgerStatus, OutreachChannel, OutreachLedgerEntry, replace
from streams.processor import Step
from tests.journey.codec import TOPICS, codec
from tests.outreach.given import NOON, letter, request
from tests.outreach.test_ledger import LOGIC, TAKEN_BACK, completed, entry_of, receive

EMAIL, SMS, WEBHOOK = OutreachChannel.EMAIL, OutreachChannel.SMS, OutreachChannel.WEBHOOK
ERASED = replace(TAKEN_BACK, reason="erased")
ADDRESSES = (
    Address(channel=EMAIL, address="Ana.Ruiz@mail.example"),
    Address(channel=SMS, address="+49 170 12345"),
    Address(channel=WEBHOOK, address="https://ana.example/hook?key=1"),
)
ASKED = request(addresses=ADDRESSES)
SAID = (
    "550 5.1.1 <ana.ruiz@MAIL.example>: no such user",
    "+4917012345 is switched off, so is +49 170 12345",
    "cannot reach https://ana.example/hook?key=1",
)
BACK_LATER = Postponed(channel=EMAIL, provider="smtp", detail=SAID[0])


def kept(step: Step[OutreachLedgerEntry]) -> bytes:
    """All that is written: the entry and what is told."""
    entry = codec().encode(TOPICS.outreach_ledger, entry_of(step))
    return entry.lower() + b"".join(codec().encode(send.topic, send.record) for send in step.sends).lower()


def personal(written: bytes) -> list[str]:
    """What of the customer stands in it."""
    return [one for one in ("ruiz", "170", "hook?key", "passenger", "houston") if one.encode() in written]


@pytest.mark.parametrize("detail", SAID)
@pytest.mark.parametrize("kind", [Failed, Unknown])
def test_what_a_provider_says_is_kept_without_the_address(kind: type[Result], detail: str) -> None:
    """Servers repeat the address in their replies; an entry is kept for good."""
    reason = {"reason": FailureReason.REJECTED} if kind is Failed else {}
    result = kind(channel=EMAIL, provider="smtp", detail=detail, **reason)  # type: ignore[call-arg]
    step = completed(result, entry_of(receive(ASKED)))
    assert personal(kept(step)) == []
    assert "(address)" in (entry_of(step).detail or "")


def test_erased_before_the_call_while_waiting_and_while_it_leaves() -> None:
    """The entry ends, and holds neither address nor words."""
    asked = entry_of(receive(ASKED))
    waiting = entry_of(completed(BACK_LATER, asked))
    leaving = entry_of(receive(ERASED, asked, busy=True))
    for step in (receive(ERASED, asked), receive(ERASED, waiting), completed(BACK_LATER, leaving)):
        entry = entry_of(step)
        assert (entry.status, entry.request, entry.wake_at) == (LedgerStatus.RETRACTED, None, None)
        assert personal(kept(step)) == []


def test_erased_while_a_crash_hides_whether_it_left() -> None:
    """Nobody knows whether it left; it is not sent again, and nothing to know them by is kept."""
    leaving = entry_of(receive(ERASED, entry_of(receive(ASKED)), busy=True))
    step = LOGIC.resume(ASKED.outreach_id, leaving, NOON)
    assert step is not None
    assert entry_of(step).status is LedgerStatus.UNCERTAIN
    assert not step.effects
    assert personal(kept(step)) == []


def test_a_task_that_was_taken_back_while_it_was_handed_over_is_not() -> None:
    """Its text never reaches the topic: it is published by the step that would record it as sent."""
    team = Address(channel=OutreachChannel.AGENT_TASK, address="rescue")
    asked = replace(ASKED, addresses=(team,), due_at=NOON + timedelta(minutes=30))
    leaving = entry_of(receive(ERASED, entry_of(receive(asked)), busy=True))
    handed = Delivered(
        channel=OutreachChannel.AGENT_TASK,
        provider="agents",
        message_id=asked.outreach_id,
        letter=letter(channel=OutreachChannel.AGENT_TASK, address="rescue", text="Call Ana Ruiz."),
    )
    step = completed(handed, leaving)
    assert entry_of(step).status is LedgerStatus.RETRACTED
    assert {send.topic for send in step.sends} == {TOPICS.outcomes, TOPICS.touchpoints}
    assert personal(kept(step)) == []


def test_a_late_call_is_not_made_for_them() -> None:
    """A retry that was due in the same moment is withdrawn."""
    waiting = entry_of(completed(BACK_LATER, entry_of(receive(ASKED))))
    due = LOGIC.wake(ASKED.outreach_id, waiting, NOON + timedelta(seconds=5), busy=False)
    assert due.effects
    step = receive(ERASED, entry_of(due), NOON + timedelta(seconds=5))
    assert step.withdraw_effects
    assert entry_of(step).request is None
