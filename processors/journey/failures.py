"""Isolates a policy that raises an exception: only its own decision is lost.

The step is repeated without the policy, so the others decide as if it had returned nothing. The failure is recorded as
a refusal, once for each customer and kind of failure until the policy works again, and at most once a day. The policy
is asked again with the customer's next touchpoint, and by a timer: first after an hour, then after as long as it has
been failing, at least once a day.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from processors.journey.identity import decision_id, outreach_id
from processors.journey.playbook import Playbook
from processors.journey.state import put
from streams.events import Decision, DecisionKind, JourneyState, Settled, Timer, Touchpoint, Value, replace

POLICY_FAILED = "policy_failed"

_RECORDED_EVERY = timedelta(days=1)
_RETRY_FIRST = timedelta(hours=1)
_RETRY_AT_LEAST_EVERY = timedelta(days=1)
_LONGEST = 200
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


class Failure(Value, frozen=True, kw_only=True):
    """One policy's failure. ``method``: the method that failed, or ``guard`` or ``record`` for what was done with its
    want."""

    policy: str
    method: str
    error: str
    """The name of the exception's type."""
    message: str
    raised_at: str = ""
    """File and line where it was raised."""

    @property
    def kind(self) -> str:
        """The kind of failure; failures of one kind are recorded once."""
        return f"{self.method}: {self.error}"


class PolicyFailedError(Exception):
    """Ends the step, which is then repeated without the policy."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"{failure.policy}: {failure.kind}: {failure.message}")
        self.failure = failure


def failed(policy: str, method: str, error: Exception) -> PolicyFailedError:
    """Return the error for a policy's exception. Equal faults give equal texts, so that a replay in another process
    records the same. A MemoryError is not the policy's fault and is raised unchanged."""
    if isinstance(error, MemoryError):
        raise error
    try:
        message = str(error)
    except Exception:
        message = ""
    return PolicyFailedError(
        Failure(
            policy=policy,
            method=method,
            error=_plain(type(error).__name__),
            message=_plain(message),
            raised_at=_raised_at(error),
        )
    )


def marked(state: JourneyState, failures: Iterable[Failure], now: datetime) -> tuple[JourneyState, tuple[Failure, ...]]:
    """Return the state that remembers the failures, and those of them that are to be recorded. The failures of a policy
    that works again are forgotten after a day."""
    by_policy = {failure.policy: failure for failure in failures}
    known = {(one.policy, one.occasion) for one in state.settled if one.reason == POLICY_FAILED}
    if not known and not by_policy:
        return state, ()
    settled = tuple(
        one
        for one in state.settled
        if one.reason != POLICY_FAILED or one.policy in by_policy or one.as_of > now - _RECORDED_EVERY
    )
    news = tuple(failure for failure in by_policy.values() if (failure.policy, failure.kind) not in known)
    for failure in news:
        mark = Settled(
            policy=failure.policy,
            journey_id="",
            occasion=failure.kind,
            reason=POLICY_FAILED,
            as_of=now,
            held_until=None,
        )
        settled = put(settled, mark, lambda one: (one.policy, one.journey_id, one.occasion))
    return (state if settled == state.settled else replace(state, settled=settled)), news


def refusal(
    state: JourneyState, failure: Failure, *, now: datetime, playbook: Playbook, trigger: Touchpoint | None
) -> Decision:
    """Return the decision that records the failure."""
    outreach = outreach_id(state.customer_id, failure.policy, "", failure.kind)
    cause = None if trigger is None else trigger.event_id
    return Decision(
        decision_id=decision_id(outreach, DecisionKind.SUPPRESS, POLICY_FAILED, now, cause),
        customer_id=state.customer_id,
        decided_at=now,
        kind=DecisionKind.SUPPRESS,
        reason=POLICY_FAILED,
        explanation=_explanation_of(failure),
        policy=failure.policy,
        playbook_version=playbook.version,
        journey_id="",
        occasion=failure.kind,
        outreach_id=outreach,
        trigger_event_id=cause,
    )


def retries(state: JourneyState, failures: Iterable[Failure], now: datetime) -> Iterator[Timer]:
    """Yield when the failed policies are asked again: their existing timers, and a retry timer."""
    for failure in failures:
        retry = f"{failure.policy}/{POLICY_FAILED}"
        waiting = False
        for timer in state.timers:
            if timer.policy == failure.policy and timer.due_at > now:
                waiting = waiting or timer.timer_id == retry
                yield timer
        if not waiting:
            since = min(
                (one.as_of for one in state.settled if one.policy == failure.policy and one.reason == POLICY_FAILED),
                default=now,
            )
            pause = min(max(_RETRY_FIRST, now - since), _RETRY_AT_LEAST_EVERY)
            yield Timer(timer_id=retry, due_at=now + pause, policy=failure.policy, journey_id="")


def _explanation_of(failure: Failure) -> str:
    what = f"{failure.kind}: {failure.message}" if failure.message else failure.kind
    return f"the policy failed in {what}" + (f" ({failure.raised_at})" if failure.raised_at else "")


def _raised_at(error: Exception) -> str:
    found = error.__traceback__
    while found is not None and found.tb_next is not None:
        found = found.tb_next
    return "" if found is None else f"{found.tb_frame.f_code.co_filename.rpartition('/')[2]}:{found.tb_lineno}"


def _plain(text: str) -> str:
    """Return the text as one short line that can be encoded, without memory addresses, which differ between
    processes."""
    text = text[: 4 * _LONGEST].encode("utf-8", "backslashreplace").decode()
    text = _CONTROL.sub(" ", _ADDRESS.sub("0x…", text)).strip()
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
