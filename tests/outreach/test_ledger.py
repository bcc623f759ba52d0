"""The ledger: nothing leaves without an intent on record, nothing leaves twice in silence."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.outreach.ledger import FIRST_RETRY, LEASE, LONGEST_RETRY, LedgerLogic
from processors.outreach.results import Deliver, Delivered, Failed, Postponed, Result, Unknown
from streams.events import (
    Address,
    AgentTask,
    FailureReason,
    LedgerPhase,
    LedgerStatus,
    OutreachChannel,
    OutreachFailed,
    OutreachLedgerEntry,
    OutreachRequested,
    OutreachRetracted,
    OutreachSent,
    OutreachUncertain,
    replace,
)
from streams.events.earlier import phase_of
from streams.processor import Incoming, Step
from streams.topics import Topics
from tests.drawn import examples
from tests.outreach.given import NOON, letter, outreach_id, request
from tests.scraped import Growth

EMAIL, WEBHOOK = OutreachChannel.EMAIL, OutreachChannel.WEBHOOK
TOPICS = Topics()
LOGIC = LedgerLogic(topics=TOPICS, idempotent={EMAIL: False, WEBHOOK: True})
MAIL = Address(channel=EMAIL, address="ana@mail.example")
HOOK = Address(channel=WEBHOOK, address="https://ana.example/hook")
ASKED = request(addresses=(MAIL,))
TAKEN_BACK = OutreachRetracted(
    outreach_id=ASKED.outreach_id,
    customer_id=ASKED.customer_id,
    retracted_at=NOON,
    decision_id=outreach_id(3),
    policy="delay_care",
    journey_id="journey-1",
    reason="wait_over",
)
SENT = Delivered(channel=EMAIL, provider="smtp", message_id="<1@mail>")
LATER = Postponed(channel=EMAIL, provider="smtp", detail="451 try again")

Entry = OutreachLedgerEntry


def heard(record: Any, state: Entry | None = None, now: datetime = NOON, *, busy: bool = False) -> Step[Entry]:
    """A record of the outreach topic arrives."""
    return LOGIC.receive(Incoming(record=record, value=b"", headers=[]), state, now, busy=busy)


def receive(record: Any, state: Entry | None = None, now: datetime = NOON, *, busy: bool = False) -> Step[Entry]:
    """It arrives; a new request's turn comes at once."""
    step = heard(record, state, now, busy=busy)
    if state is None and step.state is not None and step.state.wake_at is not None:
        return LOGIC.wake(step.state.outreach_id, step.state, now, busy=False)
    return step


def completed(result: Result, state: Entry | None = None, now: datetime = NOON) -> Step[Entry]:
    """The provider's call came to this."""
    entry = entry_of(receive(ASKED)) if state is None else state
    return LOGIC.completed(entry.outreach_id, entry, result, now)


def entry_of(step: Step[Entry]) -> Entry:
    """The entry after a step that leaves one."""
    assert step.state is not None
    return step.state


def outcome(step: Step[Entry]) -> Any:
    """What is told: once as an outcome, once as a touchpoint, the very same record."""
    first, second = step.sends
    assert [first.topic, second.topic] == [TOPICS.outcomes, TOPICS.touchpoints]
    assert first.record == second.record
    assert first.key == second.key == ASKED.customer_id
    return first.record


class TestRequest:
    def test_becomes_an_intent_and_one_call(self) -> None:
        """The intent is on record before the provider is called, with all that a second try would need."""
        step = receive(ASKED)
        entry = entry_of(step)
        assert (entry.status, entry.attempts, entry.request) == (LedgerStatus.INTENT, 1, ASKED)
        assert entry.wake_at == NOON + LEASE
        (effect,) = step.effects
        assert (effect.key, effect.lane, effect.task) == (
            ASKED.outreach_id,
            ASKED.customer_id,
            Deliver(request=ASKED),
        )
        assert step.sends == ()

    @pytest.mark.parametrize("status", list(LedgerStatus))
    def test_a_second_time_changes_nothing(self, status: LedgerStatus) -> None:
        """The same outreach requested again is not sent again, however the first ended."""
        entry = replace(entry_of(receive(ASKED)), status=status, phase=LedgerPhase.ENDED)
        step = receive(ASKED, entry)
        assert (step.state, step.unchanged, step.handling) == (entry, True, "duplicate")
        assert not step.effects
        assert not step.sends

    def test_too_late(self) -> None:
        """What is of no use any more is not sent, and that is told."""
        step = receive(ASKED, now=ASKED.useful_until)
        assert entry_of(step).status is LedgerStatus.EXPIRED
        assert not step.effects
        told = outcome(step)
        assert isinstance(told, OutreachFailed)
        assert told.reason is FailureReason.EXPIRED

    def test_what_the_topic_does_not_carry(self) -> None:
        """A record that is neither a request nor a retraction is a fault of ours and says so."""
        with pytest.raises(TypeError, match="OutreachSent on the outreach topic"):
            receive(outcome(completed(SENT)))


class TestRetraction:
    def test_before_the_request(self) -> None:
        """A retraction of which we know no request changes nothing."""
        step = receive(TAKEN_BACK)
        assert (step.state, step.unchanged) == (None, True)

    def test_before_the_call(self) -> None:
        """A letter taken back before the provider was called is not sent."""
        step = receive(TAKEN_BACK, entry_of(receive(ASKED)))
        assert step.withdraw_effects
        entry = entry_of(step)
        assert (entry.status, entry.wake_at, entry.request) == (LedgerStatus.RETRACTED, None, None)
        told = outcome(step)
        assert (told.reason, told.detail) == (FailureReason.RETRACTED, "wait_over")

    def test_while_waiting_for_another_try(self) -> None:
        """A letter that waits for its provider to take it is not tried again."""
        waiting = entry_of(completed(LATER))
        assert entry_of(receive(TAKEN_BACK, waiting)).status is LedgerStatus.RETRACTED

    def test_while_it_leaves_and_it_leaves(self) -> None:
        """The call is stopped if it can be; if the provider took it, it was sent."""
        step = receive(TAKEN_BACK, entry_of(receive(ASKED)), busy=True)
        assert step.handling == "too_late"
        assert step.withdraw_effects
        assert entry_of(completed(SENT, step.state)).status is LedgerStatus.SENT

    def test_while_it_leaves_and_it_does_not(self) -> None:
        """A letter taken back during a call that the provider put off is not tried again."""
        step = receive(TAKEN_BACK, entry_of(receive(ASKED)), busy=True)
        step = completed(LATER, step.state)
        assert entry_of(step).status is LedgerStatus.RETRACTED
        assert outcome(step).reason is FailureReason.RETRACTED

    def test_cut_off_while_it_left(self) -> None:
        """A letter taken back during a call that a crash cut off is not sent again on any channel."""
        asked = replace(ASKED, addresses=(HOOK,))
        step = receive(TAKEN_BACK, entry_of(receive(asked)), busy=True)
        again = LOGIC.resume(asked.outreach_id, entry_of(step), NOON)
        assert again is not None
        assert not again.effects
        assert entry_of(again).status is LedgerStatus.UNCERTAIN

    @pytest.mark.parametrize("status", [one for one in LedgerStatus if one is not LedgerStatus.INTENT])
    def test_after_the_end(self, status: LedgerStatus) -> None:
        """What has ended stays as it ended."""
        entry = replace(entry_of(receive(ASKED)), status=status, phase=LedgerPhase.ENDED)
        step = receive(TAKEN_BACK, entry)
        assert (step.state, step.unchanged) == (entry, True)


class TestCompleted:
    def test_delivered(self) -> None:
        """The provider took it: sent, under the provider's own name for it."""
        step = completed(SENT)
        entry = entry_of(step)
        assert (entry.status, entry.provider, entry.provider_message_id) == (LedgerStatus.SENT, "smtp", "<1@mail>")
        assert (entry.wake_at, entry.request) == (None, None)
        told = outcome(step)
        assert isinstance(told, OutreachSent)
        assert (told.customer_id, told.outreach_id) == (ASKED.customer_id, ASKED.outreach_id)

    def test_failed(self) -> None:
        """It did not leave and never will, for this reason."""
        no = Failed(channel=EMAIL, provider="smtp", reason=FailureReason.REJECTED, detail="550 no such user")
        step = completed(no)
        assert (entry_of(step).status, entry_of(step).detail) == (LedgerStatus.FAILED, "550 no such user")
        told = outcome(step)
        assert isinstance(told, OutreachFailed)
        assert (told.reason, told.detail) == (FailureReason.REJECTED, "550 no such user")

    def test_unknown(self) -> None:
        """Nobody knows whether it left: that is told, and nothing is tried again."""
        step = completed(Unknown(channel=EMAIL, provider="smtp", detail="connection lost"))
        assert (entry_of(step).status, entry_of(step).wake_at) == (LedgerStatus.UNCERTAIN, None)
        assert isinstance(outcome(step), OutreachUncertain)

    def test_postponed(self) -> None:
        """It certainly did not leave: it is tried again, and nothing is told yet."""
        step = completed(LATER)
        entry = entry_of(step)
        assert (entry.status, entry.wake_at) == (LedgerStatus.INTENT, NOON + FIRST_RETRY)
        assert not step.sends
        assert not step.effects
        again = LOGIC.wake(entry.outreach_id, entry, NOON + FIRST_RETRY, busy=False)
        assert len(again.effects) == 1
        assert entry_of(again).attempts == 2

    def test_of_nothing_we_know(self) -> None:
        """A result without an entry is a fault of ours and is not passed over."""
        with pytest.raises(RuntimeError, match="the ledger knows nothing"):
            LOGIC.completed("x", None, SENT, NOON)

    def test_a_result_whose_commit_took_although_it_seemed_to_fail(self) -> None:
        """Told again after the ledger was read back, what came of the call is not told to anybody a second time."""
        ended = entry_of(completed(SENT))
        again = completed(SENT, ended)
        assert again.unchanged
        assert again.state == ended
        assert not again.sends

    def test_telling_it_twice_is_telling_it_once(self) -> None:
        """The same end has the same identity, whenever it is told; another end has another."""
        first, second = completed(SENT), completed(SENT, now=NOON + timedelta(hours=1))
        assert outcome(first).event_id == outcome(second).event_id
        assert outcome(first).event_id != outcome(completed(Unknown(channel=EMAIL, provider="p", detail="")))


class TestTryingAgain:
    def test_ever_less_often_up_to_ten_minutes(self) -> None:
        """Five seconds, ten, twenty, and at most ten minutes between two tries."""
        asked = replace(ASKED, useful_until=NOON + timedelta(days=2))
        entry, now, pauses = entry_of(receive(asked)), NOON, []
        for _ in range(120):
            entry = entry_of(completed(LATER, entry, now))
            assert entry.wake_at is not None
            pauses.append(entry.wake_at - now)
            now = entry.wake_at
            entry = entry_of(LOGIC.wake(entry.outreach_id, entry, now, busy=False))
        assert pauses[:4] == [FIRST_RETRY, FIRST_RETRY * 2, FIRST_RETRY * 4, FIRST_RETRY * 8]
        assert set(pauses[8:]) == {LONGEST_RETRY}

    def test_as_late_as_the_provider_asks(self) -> None:
        """A provider that names a time is not asked before it."""
        step = completed(dataclasses.replace(LATER, retry_after=timedelta(minutes=30)))
        assert entry_of(step).wake_at == NOON + timedelta(minutes=30)

    @pytest.mark.parametrize("pause", [timedelta(hours=3), timedelta.max])
    def test_not_beyond_its_use(self, pause: timedelta) -> None:
        """If the next try would come too late, it ends here, and the provider's word is kept."""
        step = completed(dataclasses.replace(LATER, retry_after=pause))
        assert entry_of(step).status is LedgerStatus.EXPIRED
        told = outcome(step)
        assert (told.reason, told.detail) == (
            FailureReason.EXPIRED,
            "not taken while it was of use: 451 try again",
        )

    def test_a_try_that_is_due_too_late(self) -> None:
        """If time has run out when the next try is due, the letter is not sent."""
        waiting = entry_of(completed(LATER))
        step = LOGIC.wake(waiting.outreach_id, waiting, ASKED.useful_until, busy=False)
        assert entry_of(step).status is LedgerStatus.EXPIRED
        assert not step.effects

    def test_a_call_that_takes_long(self) -> None:
        """A call still under way is left alone for another while."""
        entry = entry_of(receive(ASKED))
        step = LOGIC.wake(entry.outreach_id, entry, NOON + LEASE, busy=True)
        assert not step.effects
        assert entry_of(step).wake_at == NOON + 2 * LEASE


class TestAfterACrash:
    def test_a_cut_off_call_is_counted(self) -> None:
        """Whoever watches the metrics sees a letter in doubt, also one that a crash left behind."""
        counted = Growth("careline_outreach_outcomes_total", channel="EMAIL", outcome="uncertain")
        entry = entry_of(receive(ASKED))
        step = LOGIC.resume(entry.outreach_id, entry, NOON)
        assert step is not None
        assert counted.value == 0, "it is not committed yet"
        LOGIC.committed((), step.sends)
        assert counted.value == 1

    @pytest.mark.parametrize("how", ["resume", "wake"])
    def test_where_twice_is_once_it_is_sent_again(self, how: str) -> None:
        """A webhook carries the outreach's id, so the receiver sees it once: it is called again."""
        entry = entry_of(receive(replace(ASKED, addresses=(HOOK,))))
        step = again(how, entry)
        assert len(step.effects) == 1
        assert entry_of(step).attempts == 2

    @pytest.mark.parametrize("how", ["resume", "wake"])
    @pytest.mark.parametrize("addresses", [(MAIL,), (HOOK, MAIL), (Address(channel=OutreachChannel.SMS, address="1"),)])
    def test_elsewhere_nobody_knows(self, how: str, addresses: tuple[Address, ...]) -> None:
        """Where a second letter could reach them twice, it is recorded as uncertain, for a person to look at."""
        step = again(how, entry_of(receive(replace(ASKED, addresses=addresses))))
        assert not step.effects
        assert entry_of(step).status is LedgerStatus.UNCERTAIN
        told = outcome(step)
        assert isinstance(told, OutreachUncertain)
        assert told.detail == "the dispatcher stopped while the provider was being called"

    def test_what_waited_goes_on_waiting(self) -> None:
        """What certainly had not left waits for its time as before."""
        assert LOGIC.resume(ASKED.outreach_id, entry_of(completed(LATER)), NOON) is None

    def test_what_has_ended_stays_ended(self) -> None:
        """What has ended is not begun again."""
        assert LOGIC.resume(ASKED.outreach_id, entry_of(completed(SENT)), NOON) is None

    def test_too_late_to_send_again(self) -> None:
        """Even where it may be sent again it is not, once it is of no use; and whether it left nobody knows."""
        entry = entry_of(receive(replace(ASKED, addresses=(HOOK,))))
        step = LOGIC.resume(entry.outreach_id, entry, ASKED.useful_until)
        assert step is not None
        assert not step.effects
        assert entry_of(step).status is LedgerStatus.UNCERTAIN


class TestPerhapsLeft:
    """An idempotent provider's answer was lost: it is asked again, and nobody else is."""

    DOUBT = Postponed(channel=WEBHOOK, provider="webhook", detail="no answer", perhaps_left=True)
    ASKED = replace(ASKED, addresses=(HOOK,))

    def waiting(self) -> Entry:
        return entry_of(completed(self.DOUBT, entry_of(receive(self.ASKED))))

    def test_only_that_channel_is_tried_again(self) -> None:
        """Also after a crash: what may have reached the customer one way is not sent another way."""
        entry = self.waiting()
        assert entry.wake_at is not None
        assert LOGIC.resume(entry.outreach_id, entry, NOON) is None
        [effect] = LOGIC.wake(entry.outreach_id, entry, entry.wake_at, busy=False).effects
        assert effect.task == Deliver(request=self.ASKED, perhaps_by=WEBHOOK)
        [effect] = again("resume", entry_of(receive(self.ASKED))).effects
        assert effect.task == Deliver(request=self.ASKED, perhaps_by=WEBHOOK)
        waiting = entry_of(completed(LATER, entry_of(receive(self.ASKED))))
        [effect] = LOGIC.wake(entry.outreach_id, waiting, entry.wake_at, busy=False).effects
        assert effect.task == Deliver(request=self.ASKED)

    def test_it_is_never_told_as_not_sent(self) -> None:
        """Too late, or taken back: nobody knows whether they have it, and that is what is told."""
        entry = self.waiting()
        for step in (
            LOGIC.wake(entry.outreach_id, entry, ASKED.useful_until, busy=False),
            receive(TAKEN_BACK, entry),
            completed(dataclasses.replace(self.DOUBT, retry_after=timedelta(hours=9)), entry_of(receive(self.ASKED))),
        ):
            assert isinstance(outcome(step), OutreachUncertain)
            assert entry_of(step).status is LedgerStatus.UNCERTAIN


def test_waiting_in_line_is_no_try() -> None:
    """A letter for which there was no turn comes back when its turn is, however often."""
    in_line = Postponed(
        channel=EMAIL, provider="smtp", detail="10 a second", retry_after=timedelta(seconds=1.5), in_line=True
    )
    entry = entry_of(completed(in_line))
    assert (entry.attempts, entry.wake_at) == (0, NOON + timedelta(seconds=1.5))
    entry = entry_of(LOGIC.wake(entry.outreach_id, entry, NOON + timedelta(seconds=2), busy=False))
    assert entry_of(completed(LATER, entry)).wake_at == NOON + FIRST_RETRY


def test_a_task_is_published_with_what_records_it_as_sent() -> None:
    """In one transaction, so that it is there exactly when it is told as sent; with all that an agent needs."""
    due = NOON + timedelta(minutes=30)
    asked = replace(
        ASKED, addresses=(Address(channel=OutreachChannel.AGENT_TASK, address="rescue"),), due_at=due, escalation=True
    )
    handed = Delivered(
        channel=OutreachChannel.AGENT_TASK,
        provider="agents",
        message_id=asked.outreach_id,
        letter=letter(channel=OutreachChannel.AGENT_TASK, address="rescue", subject="Call Ana", text="She waits.\n"),
    )
    later = NOON + timedelta(seconds=2)
    step = completed(handed, entry_of(receive(asked)), later)
    told, fed_back, sent = step.sends
    assert isinstance(told.record, OutreachSent)
    assert told.record == fed_back.record
    assert sent.topic is TOPICS.agent_tasks
    assert sent.topic in LOGIC.outputs
    assert (sent.key, sent.elsewhere) == (asked.customer_id, False)
    assert sent.record == AgentTask(
        task_id=asked.outreach_id,
        customer_id=asked.customer_id,
        opened_at=later,
        team="rescue",
        due_at=due,
        title="Call Ana",
        text="She waits.\n",
        locale=asked.locale,
        policy=asked.policy,
        journey_id=asked.journey_id,
        occasion=asked.occasion,
        escalation=True,
        why=asked.why,
        useful_until=asked.useful_until,
        decision_id=asked.decision_id,
        time_zone=asked.time_zone,
    )
    again = completed(handed, entry_of(step), later)
    assert (again.sends, again.unchanged) == ((), True)


def again(how: str, entry: Entry) -> Step[Entry]:
    if how == "wake":
        return LOGIC.wake(entry.outreach_id, entry, NOON + timedelta(minutes=2), busy=False)
    step = LOGIC.resume(entry.outreach_id, entry, NOON + timedelta(minutes=2))
    assert step is not None
    return step


RESULTS: tuple[Result, ...] = (
    SENT,
    Failed(channel=EMAIL, provider="smtp", reason=FailureReason.REJECTED, detail="550"),
    LATER,
    dataclasses.replace(LATER, retry_after=timedelta(minutes=20)),
    Unknown(channel=EMAIL, provider="smtp", detail="connection lost"),
    Postponed(channel=EMAIL, provider="smtp", detail="10 a second", retry_after=timedelta(seconds=2), in_line=True),
)
MOVES = st.lists(
    st.one_of(
        st.sampled_from(["request", "retract", "crash", "wake"]),
        st.sampled_from(RESULTS),
    ),
    max_size=30,
)


@given(MOVES, st.sampled_from([(MAIL,), (HOOK,), (MAIL, HOOK)]))
@settings(max_examples=examples(300), deadline=None, derandomize=True)
def test_never_two_calls_without_an_end_in_between(moves: list[Any], addresses: tuple[Address, ...]) -> None:
    """Whatever comes in whatever order: one call at a time; after a call that may have left, no second one that could
    reach the customer twice; after a retraction that was heard in time, none at all; and one end is told."""
    asked: OutreachRequested = replace(ASKED, addresses=addresses)
    state: Entry | None = None
    now, calling, perhaps_left, retracted, ends = NOON, False, False, False, 0
    for move in ["request", *moves]:
        step: Step[Entry] | None = None
        match move:
            case "request":
                step = receive(asked, state, now, busy=calling)
            case "retract":
                step = receive(TAKEN_BACK, state, now, busy=calling)
                retracted = retracted or state is not None
            case "crash":
                perhaps_left, calling = perhaps_left or calling, False
                if state is not None and state.wake_at is not None:
                    step = LOGIC.resume(asked.outreach_id, state, now)
            case "wake":
                if state is not None and state.wake_at is not None:
                    now = max(now, state.wake_at)
                    step = LOGIC.wake(asked.outreach_id, state, now, busy=calling)
                    assert step.state is None or step.state.wake_at is None or step.state.wake_at > now
            case _:
                if not calling:
                    continue
                assert state is not None
                calling = False
                perhaps_left = perhaps_left or isinstance(move, Delivered | Unknown)
                step = LOGIC.completed(asked.outreach_id, state, move, now)
        if step is None:
            continue
        if step.withdraw_effects:
            calling = False
        for _ in step.effects:
            assert not calling, "one call at a time"
            assert not retracted, "nothing that was taken back is called again"
            assert now < asked.useful_until
            assert not perhaps_left or addresses == (HOOK,), "it could reach the customer twice"
            calling = True
        if not step.unchanged:
            state = step.state
        if state is not None:
            assert state.phase is phase_of(state.status, state.detail), "told by the words alone, too"
        if step.sends:
            ends += 1
        if state is not None and state.status is LedgerStatus.INTENT:
            assert state.wake_at is not None, "an intent is never forgotten"
    assert ends <= 1
    assert state is not None
    assert (state.status is LedgerStatus.INTENT) is (ends == 0)
