"""The ledger: commits an intent before a provider is called, and the result after the call. Pure.

This module decides what happens; the table in :mod:`processors.outreach.phases` says which transitions are allowed.

A crash between the two commits leaves an intent without a result. On an idempotent channel the letter is sent again.
On any other nobody knows whether it was sent, so it is recorded as uncertain for a person to check, and is never
silently sent twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace as replaced
from datetime import datetime, timedelta
from typing import Any

from processors.outreach import metrics
from processors.outreach.channels import Letter
from processors.outreach.leaving import NIGHT, TOO_LATE, held_until, is_too_late, not_before
from processors.outreach.outcomes import facts_of
from processors.outreach.phases import WAITS, Move, detail_of, moved, taken_back_for
from processors.outreach.recordable import without_addresses
from processors.outreach.results import Deliver, Delivered, Failed, Postponed, Result, Unknown, Withheld
from processors.outreach.tasks import task_of
from streams.config import TimeSource
from streams.events import (
    FailureReason,
    LedgerPhase,
    LedgerStatus,
    Outcome,
    OutreachChannel,
    OutreachFailed,
    OutreachLedgerEntry,
    OutreachRequested,
    OutreachRetracted,
    OutreachSent,
    OutreachUncertain,
    Record,
    replace,
)
from streams.processor import Effect, Incoming, Send, Step
from streams.topics import Topics

LEASE = timedelta(days=1)
"""The deadline of an intent whose provider is being called: far beyond any provider's timeout."""

FIRST_RETRY = timedelta(seconds=5)
LONGEST_RETRY = timedelta(minutes=10)
_DOUBLINGS = 16  # more than enough to get from FIRST_RETRY to LONGEST_RETRY

_ITS_TURN = "its turn"
_CUT_OFF = "the dispatcher stopped while the provider was being called"


Entry = OutreachLedgerEntry


class LedgerLogic:
    """The dispatcher's logic: requests and retractions in, ledger entries and outcomes out."""

    forwards_misplaced = False
    state_type = OutreachLedgerEntry

    def __init__(
        self,
        *,
        topics: Topics,
        idempotent: Mapping[OutreachChannel, bool],
        time_source: TimeSource = TimeSource.WALL,
    ) -> None:
        """``idempotent``: whether, on each channel, the same outreach may be sent again after a crash.

        Live, a request waits for its turn in real time, until everything on the topic has been read. In event time the
        provider is called as soon as the request is handled: a retraction later on the topic comes too late.
        """
        self._live = time_source is TimeSource.WALL
        self.input = topics.outreach
        self.state_topic = topics.outreach_ledger
        self.outputs = (topics.outcomes, topics.touchpoints, topics.agent_tasks)
        self._topics = topics
        self._idempotent = idempotent

    def key(self, record: OutreachRequested | OutreachRetracted) -> str:
        """The outreach id."""
        return record.outreach_id

    def admit(self, record: Any, now: datetime) -> None:
        """Accepts everything that the journeys role writes."""

    def receive(self, incoming: Incoming, state: Entry | None, now: datetime, *, busy: bool) -> Step[Entry]:
        """A request becomes an intent, and a call when its turn comes; a retraction stops what has not been sent."""
        match incoming.record:
            case OutreachRequested() as request:
                return self._request(request, state, now)
            case OutreachRetracted() as retracted:
                return self._retract(retracted, state, now, busy=busy)
            case other:
                raise TypeError(f"{type(other).__name__} on the outreach topic")

    def wake(self, key: str, state: Entry, now: datetime, *, busy: bool) -> Step[Entry]:
        """The request's turn has come, a retry is due, or a call is taking very long."""
        if busy:
            return Step(state=replace(state, wake_at=now + LEASE))
        if state.phase in WAITS:
            return self._call(state, now)
        return self._cut_off(state, now)

    def resume(self, key: str, state: Entry, now: datetime) -> Step[Entry] | None:
        """After a crash: any intent that was not waiting was with its provider."""
        if state.phase is LedgerPhase.ENDED or state.phase in WAITS:
            return None
        return self._cut_off(state, now if self._live else state.updated_at)

    def committed(self, taken: Sequence[Record], sent: Sequence[Send]) -> None:
        """Nothing to do: calls and their results are counted where the calls are made."""

    def completed(self, key: str, state: Entry | None, result: Result, now: datetime) -> Step[Entry]:
        """Record the result of a call."""
        if state is None:
            raise RuntimeError(f"a result for outreach {key}, of which the ledger knows nothing")
        if state.phase is LedgerPhase.ENDED:  # an earlier commit succeeded although it seemed to fail
            return Step(state=state, unchanged=True, handling="duplicate")
        state = replace(state, channel=result.channel, provider=result.provider)
        if not isinstance(result, Delivered):
            result = replaced(result, detail=without_addresses(result.detail, state.request))
        match result:
            case Postponed():
                return self._later(state, now, result)
            case _ if self._live:
                return self._ended(state, now, result)
            case _:  # a call takes no event time, and when its result is recorded differs from run to run
                return replace(self._ended(state, state.updated_at, result), at=state.updated_at)

    def _ended(self, state: Entry, now: datetime, result: Delivered | Failed | Unknown | Withheld) -> Step[Entry]:
        match result:
            case Withheld():
                return self._withheld(state, now, result)
            case Delivered(letter=Letter()) if self._live and state.phase is LedgerPhase.TAKEN_BACK:
                # this step itself would hand the task over; the request was retracted meanwhile, so it does not
                return self._give_up(state, now, FailureReason.RETRACTED, taken_back_for(state))
            case Delivered(channel=channel, provider=provider, message_id=message_id, letter=letter):
                sent = OutreachSent(
                    **facts_of(state, "sent", now), channel=channel, provider=provider, provider_message_id=message_id
                )
                step = self._end(replace(state, provider_message_id=message_id), Move.SENT, now, sent, said=None)
                if state.request is None or letter is None:
                    return step
                task = task_of(state.request, letter, now)
                return replace(
                    step, sends=(*step.sends, Send(topic=self._topics.agent_tasks, key=task.customer_id, record=task))
                )
            case Failed(channel=channel, reason=reason, detail=detail):
                failed = OutreachFailed(**facts_of(state, "failed", now), channel=channel, reason=reason, detail=detail)
                return self._end(state, Move.FAILED, now, failed, said=detail)
            case Unknown(channel=channel, provider=provider, detail=detail):
                unknown = OutreachUncertain(
                    **facts_of(state, "uncertain", now), channel=channel, provider=provider, detail=detail
                )
                return self._end(state, Move.UNCERTAIN, now, unknown, said=detail)

    # -- steps ----------------------------------------------------------------------------------------------------

    def _request(self, request: OutreachRequested, state: Entry | None, now: datetime) -> Step[Entry]:
        if state is not None:
            return Step(state=state, unchanged=True, handling="duplicate")
        first = request.addresses[0].channel if request.addresses else OutreachChannel.OTHER
        entry = Entry(
            outreach_id=request.outreach_id,
            customer_id=request.customer_id,
            status=LedgerStatus.INTENT,
            updated_at=now,
            channel=first,
            request=request,
            phase=LedgerPhase.ITS_TURN,
            detail=detail_of(LedgerPhase.ITS_TURN, _ITS_TURN),
        )
        if self._live and not is_too_late(request, now):
            return Step(state=replace(entry, wake_at=not_before(request, now)))
        return self._call(entry, now)

    def _call(self, state: Entry, now: datetime, *, cut_off: bool = False) -> Step[Entry]:
        """Commit the intent and request the call, unless the letter may not be sent now."""
        request = state.request
        if request is None:
            return self._give_up(state, now, FailureReason.OTHER, "the ledger does not hold the request any more")
        perhaps = cut_off or state.phase is LedgerPhase.MAYBE_LEFT
        if is_too_late(request, now):
            said = None if state.phase is LedgerPhase.ITS_TURN else state.detail
            return self._expired(state, now, said or TOO_LATE, perhaps=perhaps)
        morning = held_until(request, now)
        if morning is not None:
            return self._hold(state, now, morning, perhaps=perhaps)
        entry = moved(state, Move.CALL, attempts=state.attempts + 1, wake_at=now + LEASE, updated_at=now)
        task = Deliver(request=request, perhaps_by=state.channel if perhaps else None, at=None if self._live else now)
        return Step(state=entry, effects=(Effect(key=entry.outreach_id, lane=entry.customer_id, task=task),))

    def _hold(self, state: Entry, now: datetime, morning: datetime, *, perhaps: bool) -> Step[Entry]:
        """Hold the request until the morning, unless it expires before then."""
        if state.request is None or is_too_late(state.request, morning):
            return self._expired(state, now, f"{NIGHT}, and by the morning it would be of no use", perhaps=perhaps)
        return Step(state=moved(state, _postponed(perhaps), said=NIGHT, wake_at=morning, updated_at=now))

    def _expired(self, state: Entry, now: datetime, detail: str, *, perhaps: bool) -> Step[Entry]:
        if perhaps:
            return self._nobody_knows(state, now, detail)
        return self._give_up(state, now, FailureReason.EXPIRED, detail)

    def _cut_off(self, state: Entry, now: datetime) -> Step[Entry]:
        """A call was interrupted, and its result is lost."""
        request = state.request
        if request is not None and state.phase is not LedgerPhase.TAKEN_BACK and self._twice_is_once(request):
            return self._call(state, now, cut_off=True)
        return self._nobody_knows(state, now, _CUT_OFF)

    def _nobody_knows(self, state: Entry, now: datetime, detail: str) -> Step[Entry]:
        uncertain = OutreachUncertain(
            **facts_of(state, "uncertain", now),
            channel=state.channel or OutreachChannel.OTHER,
            provider=state.provider or "unknown",
            detail=detail,
        )
        metrics.OUTCOMES.labels(channel=uncertain.channel, outcome="uncertain").inc()
        return self._end(state, Move.UNCERTAIN, now, uncertain, said=detail)

    def _twice_is_once(self, request: OutreachRequested) -> bool:
        return all(self._idempotent.get(to.channel, False) for to in request.addresses)

    def _retract(self, retracted: OutreachRetracted, state: Entry | None, now: datetime, *, busy: bool) -> Step[Entry]:
        if state is None or state.phase is LedgerPhase.ENDED:
            return Step(state=state, unchanged=True, handling="too_late")  # it has been sent
        if state.phase not in WAITS and (busy or not self._live):
            # the call is under way; if it turns out that the letter was not sent, it is not tried again
            taken_back = moved(state, Move.TAKE_BACK, said=retracted.reason)
            return Step(state=taken_back, withdraw_effects=self._live, handling="too_late")
        perhaps = state.phase is LedgerPhase.MAYBE_LEFT
        return replace(self._taken_back(state, now, retracted.reason, perhaps=perhaps), withdraw_effects=True)

    def _later(self, state: Entry, now: datetime, result: Postponed) -> Step[Entry]:
        request, detail = state.request, result.detail
        if state.phase is LedgerPhase.TAKEN_BACK:
            return self._taken_back(state, now, taken_back_for(state), perhaps=result.perhaps_left)
        if result.in_line and result.retry_after is not None:
            pause = result.retry_after
            state = replace(state, attempts=state.attempts - 1)
        else:
            doublings = min(state.attempts - 1, _DOUBLINGS)
            pause = max(min(FIRST_RETRY * 2**doublings, LONGEST_RETRY), result.retry_after or FIRST_RETRY)
        if request is None or pause >= request.useful_until - now:
            return self._expired(state, now, f"not taken while it was of use: {detail}", perhaps=result.perhaps_left)
        move = _postponed(result.perhaps_left)
        return Step(state=moved(state, move, said=detail, wake_at=now + pause, updated_at=now))

    def _withheld(self, state: Entry, now: datetime, result: Withheld) -> Step[Entry]:
        """Right before the call, the letter had expired, was in quiet hours, or had been retracted."""
        request, perhaps = state.request, result.perhaps_left
        state = replace(state, attempts=state.attempts - 1)
        if state.phase is LedgerPhase.TAKEN_BACK:
            return self._taken_back(state, now, taken_back_for(state), perhaps=perhaps)
        if request is None or is_too_late(request, now):
            return self._expired(state, now, result.detail, perhaps=perhaps)
        return self._hold(state, now, held_until(request, now) or now + FIRST_RETRY, perhaps=perhaps)

    def _taken_back(self, state: Entry, now: datetime, reason: str, *, perhaps: bool) -> Step[Entry]:
        """End a retracted outreach that no provider is handling. ``perhaps``: an earlier call may have sent it."""
        if perhaps:
            return self._nobody_knows(state, now, detail_of(LedgerPhase.TAKEN_BACK, reason))
        return self._give_up(state, now, FailureReason.RETRACTED, reason)

    def _give_up(self, state: Entry, now: datetime, reason: FailureReason, detail: str) -> Step[Entry]:
        """End an outreach that was not sent and never will be."""
        move = _GIVEN_UP.get(reason, Move.FAILED)
        channel = state.channel or OutreachChannel.OTHER
        failed = OutreachFailed(**facts_of(state, "failed", now), channel=channel, reason=reason, detail=detail)
        return self._end(state, move, now, failed, said=detail)

    def _end(self, state: Entry, move: Move, now: datetime, outcome: Outcome, *, said: str | None) -> Step[Entry]:
        return Step(
            state=moved(state, move, said=said, updated_at=now),
            # as an outcome for measurements, and as a touchpoint so that the customer's journey knows
            sends=tuple(
                Send(topic=topic, key=state.customer_id, record=outcome)
                for topic in (self._topics.outcomes, self._topics.touchpoints)
            ),
        )


_GIVEN_UP: Mapping[FailureReason, Move] = {
    FailureReason.EXPIRED: Move.EXPIRED,
    FailureReason.RETRACTED: Move.RETRACTED,
}


def _postponed(perhaps: bool) -> Move:
    return Move.POSTPONE_IN_DOUBT if perhaps else Move.POSTPONE
